#include "alerting/dispatch/encoding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/json.h"

namespace vigia::alerting::dispatch {
namespace {

using nlohmann::json;

tl::unexpected<Error> Corrupt(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "state file: unreadable " + std::string(what));
}

void WriteLabels(text::JsonWriter& out, const Labels& labels) {
  out.BeginObject();
  for (const auto label : labels) out.Field(label.name, label.value);
  out.EndObject();
}

void WriteAlert(text::JsonWriter& out, const KnownAlert& known) {
  const auto& alert = known.alert;
  out.BeginObject().Key("labels");
  WriteLabels(out, alert.labels);
  out.Key("annotations");
  WriteLabels(out, alert.annotations);
  out.Key("starts_at").Integer(alert.starts_at);
  out.Key("ends_at").Integer(alert.ends_at);
  out.Key("updated_at").Integer(alert.updated_at);
  out.Field("generator_url", alert.generator_url);
  out.Key("held").Bool(alert.held);
  out.EndObject();
}

Labels LabelsOf(const json& object) {
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) pairs.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(pairs);
}

std::map<std::string, std::string> MapOf(const json& object) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) map[name] = value.get<std::string>();
  }
  return map;
}

AlertPtr AlertOf(const json& object) {
  KnownAlert known;
  known.alert.labels = LabelsOf(object.at("labels"));
  known.alert.annotations = LabelsOf(object.at("annotations"));
  known.alert.starts_at = object.at("starts_at").get<Timestamp>();
  known.alert.ends_at = object.at("ends_at").get<Timestamp>();
  known.alert.updated_at = object.at("updated_at").get<Timestamp>();
  known.alert.generator_url = object.at("generator_url").get<std::string>();
  known.alert.held = object.at("held").get<bool>();
  known.fingerprint = Fingerprint(known.alert.labels);
  return std::make_shared<const KnownAlert>(std::move(known));
}

}  // namespace

std::string EncodeLabels(const Labels& labels) {
  std::string out;
  text::JsonWriter writer(out);
  WriteLabels(writer, labels);
  return out;
}

std::string EncodeMap(const std::map<std::string, std::string>& map) {
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginObject();
  for (const auto& [name, value] : map) writer.Field(name, value);
  writer.EndObject();
  return out;
}

std::string EncodeDetails(const std::vector<std::pair<std::string, std::string>>& details) {
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginObject();
  for (const auto& [name, value] : details) writer.Field(name, value);
  writer.EndObject();
  return out;
}

std::string EncodeIds(const AlertIds& ids) {
  std::string out;
  for (const auto id : ids) {
    if (!out.empty()) out += ' ';
    out += FingerprintText(id);
  }
  return out;
}

std::string EncodeMatchers(const std::vector<route::Matchers>& sets) {
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginArray();
  for (const auto& set : sets) writer.String(route::ToString(set));
  writer.EndArray();
  return out;
}

std::string EncodeNotice(const Notice& notice) {
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginObject().Key("group_labels");
  WriteLabels(writer, notice.group_labels);
  writer.Key("route_labels").Raw(EncodeMap(notice.route_labels));
  writer.Field("reason", notice.reason);
  writer.Key("alerts").BeginArray();
  for (const auto& alert : notice.alerts) WriteAlert(writer, *alert);
  writer.EndArray().EndObject();
  return out;
}

Result<Labels> DecodeLabels(std::string_view text) {
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Corrupt("labels");
  return LabelsOf(object);
}

Result<std::map<std::string, std::string>> DecodeMap(std::string_view text) {
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Corrupt("map");
  return MapOf(object);
}

AlertIds DecodeIds(std::string_view text) {
  AlertIds ids;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (const auto id = ParseFingerprint(text.substr(0, end))) ids.push_back(*id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::vector<route::Matchers>> DecodeMatchers(std::string_view text) {
  const auto list = json::parse(text, nullptr, false);
  if (!list.is_array()) return Corrupt("matchers");
  std::vector<route::Matchers> sets;
  for (const auto& item : list) {
    if (!item.is_string()) return Corrupt("matchers");
    auto matchers = route::ParseMatchers(item.get_ref<const std::string&>());
    if (!matchers) return Corrupt("matchers");
    sets.push_back(*std::move(matchers));
  }
  return sets;
}

Status DecodeNotice(std::string_view text, Notice& notice) {
  const auto object = json::parse(text, nullptr, false);
  try {
    notice.group_labels = LabelsOf(object.at("group_labels"));
    notice.route_labels = MapOf(object.at("route_labels"));
    notice.reason = object.at("reason").get<std::string>();
    for (const auto& alert : object.at("alerts")) notice.alerts.push_back(AlertOf(alert));
  } catch (const json::exception&) {
    return Corrupt("notification");
  }
  return Ok();
}

}  // namespace vigia::alerting::dispatch
