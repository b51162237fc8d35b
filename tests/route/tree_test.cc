// The routing tree: who takes an alert, with which options.

#include "alerting/route/tree.h"

#include <catch2/catch.hpp>

#include "alerting/route/inhibit.h"
#include "core/config/yaml.h"

using namespace vigia;
using namespace vigia::alerting::route;

namespace {

Tree Read(const std::string& text, std::string* faults = nullptr) {
  config::Diagnostics diagnostics("am.yml");
  const auto node = config::ParseYaml(text, {}, diagnostics);
  Tree tree;
  ReadTree(node, diagnostics, tree);
  if (faults) {
    *faults = diagnostics.ToString();
  } else {
    REQUIRE(diagnostics.ToString() == "");
  }
  return tree;
}

std::string Receivers(const Tree& tree, const Labels& labels) {
  std::string out;
  for (const auto* route : tree.Match(labels)) out += (out.empty() ? "" : ",") + route->receiver;
  return out;
}

const std::string kTeams = R"(
receiver: default
group_by: [alertname]
routes:
- match: { team: db }
  receiver: db
  group_wait: 0s
  routes:
  - match_re: { severity: "page|critical" }
    receiver: db-pager
    group_by: ['...']
    continue: true
  - matchers: [ severity!=info ]
    group_interval: 1m
- matchers: [ team=~"web|api", severity="page" ]
  receiver: web
  continue: true
  group_by: []
- matchers: [ team=web ]
  receiver: web-log
)";

}  // namespace

TEST_CASE("the first child that matches takes an alert, unless it continues", "[route]") {
  const auto tree = Read(kTeams);
  CHECK(Receivers(tree, {{"team", "nobody"}}) == "default");
  CHECK(Receivers(tree, {{"team", "db"}, {"severity", "info"}}) == "db");
  CHECK(Receivers(tree, {{"team", "db"}, {"severity", "page"}}) == "db-pager,db");
  CHECK(Receivers(tree, {{"team", "db"}, {"severity", "warning"}}) == "db");
  CHECK(Receivers(tree, {{"team", "web"}, {"severity", "page"}}) == "web,web-log");
  CHECK(Receivers(tree, {{"team", "api"}, {"severity", "page"}}) == "web");
  CHECK(Receivers(tree, {{"team", "web"}}) == "web-log");
}

TEST_CASE("options are inherited until a route says otherwise", "[route]") {
  const auto tree = Read(kTeams);
  const auto& db = *tree.root.routes[0];
  CHECK(db.group_by == std::vector<std::string>{"alertname"});
  CHECK(db.group_wait == Milliseconds(0));
  CHECK(db.group_interval == Milliseconds(300'000));
  CHECK(db.routes[1]->receiver == "db");
  CHECK(db.routes[1]->group_wait == Milliseconds(0));
  CHECK(db.routes[1]->group_interval == Milliseconds(60'000));
  CHECK(db.routes[0]->group_by_all);
  // An empty list says nothing, as in Alertmanager.
  CHECK(tree.root.routes[1]->group_by == std::vector<std::string>{"alertname"});
  CHECK(tree.root.repeat_interval == Milliseconds(14'400'000));
}

TEST_CASE("keys and group labels are those of Alertmanager", "[route]") {
  const auto tree = Read(kTeams);
  CHECK(tree.root.key == "{}");
  CHECK(tree.root.routes[0]->routes[0]->key ==
        R"({}/{team="db"}/{severity=~"^(?:page|critical)$"})");
  CHECK(tree.root.routes[1]->key == R"({}/{severity="page",team=~"web|api"})");
  const Labels alert{{"alertname", "Down"}, {"team", "db"}};
  CHECK(tree.root.GroupLabels(alert) == Labels{{"alertname", "Down"}});
  CHECK(tree.root.routes[0]->routes[0]->GroupLabels(alert) == alert);
  CHECK(tree.root.GroupLabels({{"team", "db"}}) == Labels());
}

TEST_CASE("what is left empty says nothing", "[route]") {
  const auto tree = Read(
      "receiver: a\nmute_time_intervals: []\nroutes: [ { receiver: ~, continue: yes, group_wait: "
      "~, "
      "group_by: ~ } ]\n");
  CHECK(tree.root.routes[0]->receiver == "a");
  CHECK(tree.root.routes[0]->continues);
  CHECK(Read("receiver: a\nroutes: [ { receiver: '' } ]\n").root.routes[0]->receiver == "a");
}

TEST_CASE("the first route names a receiver", "[route]") {
  for (const auto* text : {"receiver: ~\n", "receiver:\n", "receiver: ''\n"}) {
    std::string faults;
    Read(text, &faults);
    INFO(text);
    CHECK(faults.find("am.yml:1:1: receiver: is empty: the first route takes") !=
          std::string::npos);
  }
}

TEST_CASE("the first route is not muted by a single name either", "[route]") {
  for (const std::string key : {"mute_time_intervals", "active_time_intervals"}) {
    std::string faults;
    Read("receiver: a\n" + key + ": nights\n", &faults);
    CHECK(faults.find("am.yml:2:1: " + key + ": the first route cannot be muted") !=
          std::string::npos);
    CHECK(Read("receiver: a\n" + key + ": []\n").root.receiver == "a");
  }
}

TEST_CASE("faults in routes have their place", "[route]") {
  std::string faults;
  Read("group_by: [a, '...']\nmatchers: [a=b]\nmute_time_intervals: [x]\n", &faults);
  CHECK(faults.find("am.yml:1:1: group_by: '...' groups by all labels") != std::string::npos);
  CHECK(faults.find("the key 'receiver' is missing") != std::string::npos);
  CHECK(faults.find("am.yml:2:1: matchers: the first route matches every alert") !=
        std::string::npos);
  CHECK(faults.find("am.yml:3:1: mute_time_intervals: the first route cannot be muted") !=
        std::string::npos);
  Read("receiver: x\nroutes:\n- matcher: [a=b]\n- matchers: ['a=~\"(\"']\n  group_interval: 0s\n",
       &faults);
  CHECK(faults.find("am.yml:3:3: unknown key 'matcher' in route, did you mean 'matchers'?") !=
        std::string::npos);
  CHECK(faults.find("am.yml:4:14: matcher 'a=~\"(\"'") != std::string::npos);
  CHECK(faults.find("am.yml:5:3: group_interval: 0 is too short") != std::string::npos);
}

TEST_CASE("inhibition rules read both forms and compare missing labels as empty", "[route]") {
  config::Diagnostics diagnostics("am.yml");
  const auto rule = ReadInhibitRule(
      config::ParseYaml("source_match: {severity: critical}\ntarget_match_re: {severity: warn.*}\n"
                        "source_matchers: [kind=host]\nequal: [site, host]\n",
                        {}, diagnostics),
      diagnostics);
  REQUIRE(diagnostics.ToString() == "");
  CHECK(rule.IsSource({{"severity", "critical"}, {"kind", "host"}}));
  CHECK_FALSE(rule.IsSource({{"severity", "critical"}}));
  CHECK(rule.IsTarget({{"severity", "warning"}}));
  CHECK(rule.EqualKey({{"host", "a"}}) == rule.EqualKey({{"host", "a"}, {"other", "b"}}));
  CHECK(rule.EqualKey({{"host", "a"}}) != rule.EqualKey({{"site", "a"}}));
}
