// Reads routes and matchers from a configuration file.

#include <algorithm>
#include <set>

#include "alerting/route/tree.h"
#include "core/config/reader.h"

namespace vigia::alerting::route {
namespace {

// Left empty it says nothing: what stands above holds.
void ReadReceiver(config::MapReader& map, Route& route) {
  const config::Node* const node = map.Child("receiver");
  std::string name;
  if (!node || node->IsNull() || !map.Read("receiver", name) || name.empty()) return;
  route.receiver = std::move(name);
}

void ReadGroupBy(config::MapReader& map, Route& route) {
  std::vector<std::string> names;
  const config::Node* node = map.node().Find("group_by");
  if (node && node->IsNull()) {
    map.Child("group_by");
    return;
  }
  // Alertmanager takes an empty list for none at all: what stands above holds.
  if (!map.Read("group_by", names) || names.empty()) return;
  route.group_by_all = std::find(names.begin(), names.end(), "...") != names.end();
  if (route.group_by_all && names.size() > 1) {
    map.Fault("group_by", "'...' groups by all labels; no other name can stand beside it");
  }
  route.group_by = route.group_by_all ? std::vector<std::string>() : std::move(names);
  std::sort(route.group_by.begin(), route.group_by.end());
  const auto twice = std::adjacent_find(route.group_by.begin(), route.group_by.end());
  if (twice != route.group_by.end())
    map.Fault("group_by", "the label '" + *twice + "' stands twice");
}

void ReadRouteMatchers(config::MapReader& map, Route& route) {
  auto& diagnostics = map.diagnostics();
  if (const auto* node = map.Child("match"))
    ReadMatchMap(*node, false, diagnostics, route.matchers);
  if (const auto* node = map.Child("match_re")) {
    ReadMatchMap(*node, true, diagnostics, route.matchers);
  }
  if (const auto* node = map.Child("matchers")) ReadMatchers(*node, diagnostics, route.matchers);
  std::sort(route.matchers.begin(), route.matchers.end());
}

void ReadPace(config::MapReader& map, Route& route) {
  auto& diagnostics = map.diagnostics();
  for (const auto& [key, out, may_be_zero] :
       {std::tuple{"group_wait", &route.group_wait, true},
        std::tuple{"group_interval", &route.group_interval, false},
        std::tuple{"repeat_interval", &route.repeat_interval, false}}) {
    map.Child(key);
    if (ReadDuration(map.node(), key, diagnostics, *out) && !may_be_zero && out->count() == 0) {
      map.Fault(key, "0 is too short: write a duration such as 5m");
      *out = Milliseconds(1);
    }
  }
}

// What a child has from its parent until it says otherwise.
std::unique_ptr<Route> Inherit(const Route& parent) {
  auto child = std::make_unique<Route>();
  child->receiver = parent.receiver;
  child->group_by = parent.group_by;
  child->group_by_all = parent.group_by_all;
  child->group_wait = parent.group_wait;
  child->group_interval = parent.group_interval;
  child->repeat_interval = parent.repeat_interval;
  child->labels = parent.labels;
  return child;
}

class RouteReader {
 public:
  explicit RouteReader(config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // `route` holds what is inherited.
  void Read(const config::Node& node, const Route* parent, Route& route) {
    config::MapReader map(node, diagnostics_, "route");
    route.position = node.position;
    route.index = next_index_++;
    ReadReceiver(map, route);
    map.Read("continue", route.continues);
    ReadGroupBy(map, route);
    ReadRouteMatchers(map, route);
    ReadPace(map, route);
    map.Read("mute_time_intervals", route.mute_time_intervals);
    map.Read("active_time_intervals", route.active_time_intervals);
    std::map<std::string, std::string> labels;
    map.Read("labels", labels);
    for (auto& [name, value] : labels) route.labels[name] = std::move(value);
    route.key = parent ? parent->key + "/" + ToString(route.matchers) : ToString(route.matchers);
    if (!parent) CheckRoot(map, route);
    ReadChildren(map, route);
    map.Finish();
  }

 private:
  static void CheckRoot(config::MapReader& map, const Route& root) {
    map.Require("receiver", "the first route takes what no other takes");
    const config::Node* const receiver = map.Child("receiver");
    if (receiver && (receiver->IsNull() || receiver->IsScalar()) && root.receiver.empty()) {
      map.Fault("receiver", "is empty: the first route takes what no other takes");
    }
    for (const std::string_view key : {"match", "match_re", "matchers"}) {
      if (!root.matchers.empty() && map.Has(key)) {
        map.Fault(key, "the first route matches every alert; it has no matchers");
      }
    }
    for (const auto& [key, names] :
         {std::pair{"mute_time_intervals", &root.mute_time_intervals},
          std::pair{"active_time_intervals", &root.active_time_intervals}}) {
      if (!names->empty()) {
        map.Fault(key, "the first route cannot be muted; write it in a route below");
      }
    }
    if (root.continues) map.Fault("continue", "nothing comes after the first route");
  }

  void ReadChildren(config::MapReader& map, Route& route) {
    const auto* children = map.Child("routes");
    if (!children || children->IsNull()) return;
    if (!children->IsList()) {
      diagnostics_.Add(children->position, "routes has to be a list of routes");
      return;
    }
    for (const auto& item : children->items) {
      auto child = Inherit(route);
      Read(item, &route, *child);
      route.routes.push_back(std::move(child));
    }
  }

  config::Diagnostics& diagnostics_;
  std::size_t next_index_ = 0;
};

}  // namespace

bool ReadDuration(const config::Node& map, std::string_view key, config::Diagnostics& diagnostics,
                  Milliseconds& out) {
  const auto* node = map.Find(key);
  if (!node || node->IsNull()) return false;
  const auto value = ParseDuration(node->text);
  if (!node->IsScalar() || !value) {
    diagnostics.Add(node->position, std::string(key) + ": '" + node->text +
                                        "' is not a duration: write a number and a unit of ms, s, "
                                        "m, h, d, w or y, such as 30s or 1h30m");
    return false;
  }
  out = *value;
  return true;
}

void ReadMatchers(const config::Node& node, config::Diagnostics& diagnostics, Matchers& out) {
  if (node.IsNull()) return;
  std::vector<std::string> texts;
  if (!config::ReadStrings(node, "matchers", diagnostics, texts)) return;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto matchers = ParseMatchers(texts[i]);
    if (matchers) {
      std::move(matchers->begin(), matchers->end(), std::back_inserter(out));
    } else {
      diagnostics.Add(node.IsList() ? node.items[i].position : node.position,
                      matchers.error().message());
    }
  }
}

void ReadMatchMap(const config::Node& node, bool regex, config::Diagnostics& diagnostics,
                  Matchers& out) {
  if (node.IsNull()) return;
  if (!node.IsMap()) {
    diagnostics.Add(node.position, "matches have to be a map of labels and values");
    return;
  }
  for (const auto& [name, value] : node.entries) {
    if (!value.IsScalar() && !value.IsNull()) {
      diagnostics.Add(value.position, name.text + ": the value of a label has to be a string");
      continue;
    }
    // The anchors are in Alertmanager's keys of groups, too.
    auto matcher = regex ? Matcher::Make(name.text, Matcher::Op::kRegex, "^(?:" + value.text + ")$")
                         : Matcher::Make(name.text, Matcher::Op::kEqual, value.text);
    if (matcher) {
      out.push_back(*std::move(matcher));
    } else {
      diagnostics.Add(value.position, matcher.error().In(name.text).message());
    }
  }
}

void ReadTree(const config::Node& node, config::Diagnostics& diagnostics, Tree& tree) {
  RouteReader(diagnostics).Read(node, nullptr, tree.root);
}

}  // namespace vigia::alerting::route
