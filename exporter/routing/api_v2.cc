// Alertmanager's API v2.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "exporter/routing/context.h"
#include "exporter/routing/text.h"
#include "query/promql/regex.h"

namespace vigia::routing {
namespace {

using alerting::dispatch::AlertView;
using alerting::dispatch::Silence;
using alerting::route::Matcher;
using alerting::route::Matchers;
using http::Request;
using http::Response;
using text::JsonWriter;
namespace dispatch = alerting::dispatch;

// The Alertmanager whose interface this is.
constexpr std::string_view kCompatibleVersion = "0.25.0";

// Which alerts a call asks for.
struct AlertFilter {
  Matchers matchers;
  std::optional<promql::Regex> receiver;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  bool unprocessed = true;
  bool muted = true;

  bool Shows(const AlertView& view) const {
    if (!alerting::route::MatchesAll(matchers, view.alert->alert.labels)) return false;
    if (!active && !view.suppressed()) return false;
    if (!silenced && !view.silenced_by.empty()) return false;
    if (!inhibited && !view.inhibited_by.empty()) return false;
    return muted || view.muted_by.empty();
  }
  bool ShowsReceiver(std::string_view name) const { return !receiver || receiver->Matches(name); }
  bool ShowsAnyReceiver(const AlertView& view) const {
    return std::any_of(view.receivers.begin(), view.receivers.end(),
                       [&](const std::string& name) { return ShowsReceiver(name); });
  }
};

Result<Matchers> ReadFilter(const Request& request) {
  Matchers matchers;
  for (const auto& text : request.ParameterList("filter")) {
    auto parsed = alerting::route::ParseMatchers(text);
    if (!parsed) return Fail(parsed.error());
    std::move(parsed->begin(), parsed->end(), std::back_inserter(matchers));
  }
  return matchers;
}

Result<AlertFilter> ReadAlertFilter(const Request& request) {
  AlertFilter filter;
  auto matchers = ReadFilter(request);
  if (!matchers) return Fail(matchers.error());
  filter.matchers = *std::move(matchers);
  for (const auto& [name, flag] : {std::pair{"active", &filter.active},
                                   {"silenced", &filter.silenced},
                                   {"inhibited", &filter.inhibited},
                                   {"unprocessed", &filter.unprocessed},
                                   {"muted", &filter.muted}}) {
    const auto value = request.Parameter(name);
    if (!value.empty()) *flag = value != "false" && value != "0";
  }
  if (const auto receiver = request.Parameter("receiver"); !receiver.empty()) {
    auto regex = promql::Regex::CompileAnchored(receiver, promql::Semantics::kPrometheus2);
    if (!regex) return Fail(regex.error().In("failed to parse receiver param"));
    filter.receiver = *std::move(regex);
  }
  return filter;
}

void WriteStrings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.Key(key).BeginArray();
  for (const auto& text : list) json.String(text);
  json.EndArray();
}

void WriteAlert(JsonWriter& json, const AlertView& view) {
  const auto& alert = view.alert->alert;
  json.BeginObject().Key("annotations");
  WriteLabels(json, alert.annotations);
  json.Field("endsAt", TimeText(alert.ends_at));
  json.Field("fingerprint", alerting::FingerprintText(view.alert->fingerprint));
  json.Key("receivers").BeginArray();
  for (const auto& name : view.receivers) json.BeginObject().Field("name", name).EndObject();
  json.EndArray();
  json.Field("startsAt", TimeText(alert.starts_at));
  json.Key("status").BeginObject();
  std::vector<std::string> inhibited_by;
  for (const auto id : view.inhibited_by) inhibited_by.push_back(alerting::FingerprintText(id));
  WriteStrings(json, "inhibitedBy", inhibited_by);
  WriteStrings(json, "mutedBy", view.muted_by);
  WriteStrings(json, "silencedBy", view.silenced_by);
  json.Field("state", view.suppressed() ? "suppressed" : "active").EndObject();
  json.Field("updatedAt", TimeText(alert.updated_at));
  json.Field("generatorURL", alert.generator_url);
  json.Key("labels");
  WriteLabels(json, alert.labels);
  // Beyond Alertmanager's.
  if (alert.held) json.Key("held").Bool(true);
  if (view.ack) {
    json.Key("acknowledged").BeginObject();
    json.Field("by", view.ack->by).Field("comment", view.ack->comment);
    json.Field("at", TimeText(view.ack->time));
    if (view.ack->until != 0) json.Field("until", TimeText(view.ack->until));
    json.EndObject();
  }
  json.EndObject();
}

Response GetAlerts(const RoutingContext& context, const Request& request) {
  const auto filter = ReadAlertFilter(request);
  if (!filter) return ErrorAnswer(400, filter.error().message());
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (const auto& view : context.dispatcher().Alerts()) {
    if (filter->Shows(view) && filter->ShowsAnyReceiver(view)) WriteAlert(json, view);
  }
  json.EndArray();
  return Response::Json(200, std::move(body));
}

Response GetGroups(const RoutingContext& context, const Request& request) {
  const auto filter = ReadAlertFilter(request);
  if (!filter) return ErrorAnswer(400, filter.error().message());
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (auto& group : context.dispatcher().Groups()) {
    if (!filter->ShowsReceiver(group.receiver)) continue;
    std::erase_if(group.alerts, [&](const AlertView& view) { return !filter->Shows(view); });
    if (group.alerts.empty()) continue;
    json.BeginObject().Key("alerts").BeginArray();
    for (const auto& view : group.alerts) WriteAlert(json, view);
    json.EndArray().Key("labels");
    WriteLabels(json, group.labels);
    json.Key("receiver").BeginObject().Field("name", group.receiver).EndObject().EndObject();
  }
  json.EndArray();
  return Response::Json(200, std::move(body));
}

// What is absent or null is none.
Result<Labels> LabelsOf(const nlohmann::json& item, const char* key) {
  std::vector<LabelView> pairs;
  const auto at = item.find(key);
  if (at == item.end() || at->is_null()) return Labels();
  if (!at->is_object()) return Fail(ErrorCode::kInvalid, std::string(key) + " is not an object");
  for (const auto& [name, value] : at->items()) {
    if (value.is_null()) continue;
    if (!value.is_string()) {
      return Fail(ErrorCode::kInvalid,
                  std::string(key) + ": the value of \"" + name + "\" is not a string");
    }
    pairs.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(pairs);
}

std::string TextOf(const nlohmann::json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// A time up to 1970, such as Go's zero time, says nothing, as what is absent does.
Status ReadTime(const nlohmann::json& item, const char* key, Timestamp& out) {
  const auto at = item.find(key);
  if (at == item.end() || at->is_null()) return Ok();
  const auto text = TextOf(item, key);
  if (at->is_string() && text.empty()) return Ok();
  const auto time = ParseTimeText(text);
  if (!time) return Fail(ErrorCode::kInvalid, std::string(key) + " is not a time (RFC 3339)");
  if (*time > 0) out = *time;
  return Ok();
}

Result<alerting::Alert> ReadAlert(const nlohmann::json& item) {
  if (!item.is_object()) return Fail(ErrorCode::kInvalid, "an alert is not an object");
  alerting::Alert alert;
  auto labels = LabelsOf(item, "labels");
  if (!labels) return Fail(labels.error());
  auto annotations = LabelsOf(item, "annotations");
  if (!annotations) return Fail(annotations.error());
  alert.labels = *std::move(labels);
  alert.annotations = *std::move(annotations);
  alert.generator_url = TextOf(item, "generatorURL");
  if (auto status = ReadTime(item, "startsAt", alert.starts_at); !status) {
    return Fail(status.error());
  }
  if (auto status = ReadTime(item, "endsAt", alert.ends_at); !status) return Fail(status.error());
  if (alert.labels.empty()) return Fail(ErrorCode::kInvalid, "at least one label pair required");
  if (alert.ends_at != 0 && alert.starts_at != 0 && alert.ends_at < alert.starts_at) {
    return Fail(ErrorCode::kInvalid, "start time must be before end time");
  }
  return alert;
}

// Wrong ones among them do not keep the others out.
Response PostAlerts(const RoutingContext& context, const Request& request) {
  const auto list = nlohmann::json::parse(request.body, nullptr, false);
  if (!list.is_array()) return ErrorAnswer(400, "parsing alerts body failed: not a JSON array");
  std::vector<alerting::Alert> alerts;
  std::string faults;
  for (const auto& item : list) {
    auto alert = ReadAlert(item);
    if (alert) {
      alerts.push_back(*std::move(alert));
    } else {
      faults += (faults.empty() ? "" : "; ") + alert.error().message();
    }
  }
  if (!alerts.empty()) {
    context.dispatcher().Post(alerts);
    // What was accepted survives; a disk that hangs holds no sender up.
    context.dispatcher().AwaitSettled(std::chrono::seconds(1));
  }
  return faults.empty() ? Response::Json(200, "") : ErrorAnswer(400, faults);
}

void WriteSilence(JsonWriter& json, const Silence& silence, Timestamp now) {
  json.BeginObject().Field("id", silence.id);
  json.Key("status").BeginObject();
  json.Field("state", dispatch::Name(silence.StateAt(now))).EndObject();
  json.Field("updatedAt", TimeText(silence.updated_at));
  json.Field("comment", silence.comment).Field("createdBy", silence.created_by);
  json.Field("endsAt", TimeText(silence.ends_at));
  json.Key("matchers").BeginArray();
  for (const auto& matcher : silence.matchers.front()) {
    json.BeginObject().Key("isEqual").Bool(matcher.is_equal());
    json.Key("isRegex").Bool(matcher.is_regex());
    json.Field("name", matcher.name()).Field("value", matcher.value()).EndObject();
  }
  json.EndArray();
  if (!silence.annotations.empty()) {
    json.Key("annotations").BeginObject();
    for (const auto& [name, value] : silence.annotations) json.Field(name, value);
    json.EndObject();
  }
  json.Field("startsAt", TimeText(silence.starts_at)).EndObject();
}

// A filter asks for silences that have just these matchers, among others.
bool Fits(const Silence& silence, const Matchers& filter) {
  const auto& matchers = silence.matchers.front();
  return std::all_of(filter.begin(), filter.end(), [&](const Matcher& wanted) {
    return std::find(matchers.begin(), matchers.end(), wanted) != matchers.end();
  });
}

Response GetSilences(const RoutingContext& context, const Request& request) {
  const auto filter = ReadFilter(request);
  if (!filter) return ErrorAnswer(400, filter.error().message());
  const auto now = context.clock.Wall();
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (const auto& silence : context.dispatcher().Silences()) {
    if (Fits(silence, *filter)) WriteSilence(json, silence, now);
  }
  json.EndArray();
  return Response::Json(200, std::move(body));
}

Result<Matchers> ReadSilenceMatchers(const nlohmann::json& list) {
  Matchers matchers;
  if (!list.is_array() || list.empty()) {
    return Fail(ErrorCode::kInvalid, "invalid silence: at least one matcher required");
  }
  for (const auto& item : list) {
    if (!item.is_object()) return Fail(ErrorCode::kInvalid, "matchers have to be objects");
    const auto flag = [&](const char* key, bool fallback) {
      const auto at = item.find(key);
      return at != item.end() && at->is_boolean() ? at->get<bool>() : fallback;
    };
    const bool regex = flag("isRegex", false);
    const auto op = flag("isEqual", true)
                        ? (regex ? Matcher::Op::kRegex : Matcher::Op::kEqual)
                        : (regex ? Matcher::Op::kNotRegex : Matcher::Op::kNotEqual);
    auto matcher = Matcher::Make(TextOf(item, "name"), op, TextOf(item, "value"));
    if (!matcher) return Fail(matcher.error().In("invalid silence"));
    matchers.push_back(*std::move(matcher));
  }
  return matchers;
}

Response PostSilence(const RoutingContext& context, const Request& request) {
  const auto object = nlohmann::json::parse(request.body, nullptr, false);
  if (!object.is_object())
    return ErrorAnswer(400, "parsing silence body failed: not a JSON object");
  Silence silence;
  silence.id = TextOf(object, "id");
  silence.created_by = TextOf(object, "createdBy");
  silence.comment = TextOf(object, "comment");
  auto matchers = ReadSilenceMatchers(object.value("matchers", nlohmann::json()));
  if (!matchers) return ErrorAnswer(400, matchers.error().message());
  silence.matchers = {*std::move(matchers)};
  const auto starts = ParseTimeText(TextOf(object, "startsAt"));
  const auto ends = ParseTimeText(TextOf(object, "endsAt"));
  if (!starts || !ends || *starts <= 0 || *ends <= 0)
    return ErrorAnswer(400, "startsAt and endsAt have to be times (RFC 3339)");
  if (*ends <= *starts) return ErrorAnswer(400, "start time must be before end time");
  silence.starts_at = *starts;
  silence.ends_at = *ends;
  if (const auto at = object.find("annotations"); at != object.end() && at->is_object()) {
    for (const auto& [name, value] : at->items()) {
      if (value.is_string()) silence.annotations[name] = value.get<std::string>();
    }
  }
  const auto id = context.dispatcher().SetSilence(std::move(silence));
  if (!id) {
    return ErrorAnswer(id.error().code() == ErrorCode::kUnavailable ? 404 : 400,
                       id.error().message());
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Field("silenceID", *id).EndObject();
  return Response::Json(200, std::move(body));
}

Response GetSilence(const RoutingContext& context, const Request& request) {
  const auto& id = request.path_parameters.at("id");
  for (const auto& silence : context.dispatcher().Silences()) {
    if (silence.id != id) continue;
    std::string body;
    JsonWriter json(body);
    WriteSilence(json, silence, context.clock.Wall());
    return Response::Json(200, std::move(body));
  }
  return ErrorAnswer(404, "silence " + id + " not found");
}

Response DeleteSilence(const RoutingContext& context, const Request& request) {
  const auto status = context.dispatcher().ExpireSilence(request.path_parameters.at("id"));
  if (status) return Response::Json(200, "");
  return ErrorAnswer(status.error().code() == ErrorCode::kUnavailable ? 404 : 500,
                     status.error().message());
}

Response GetStatus(const RoutingContext& context, const Request&) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("cluster").BeginObject().Key("peers").BeginArray().EndArray();
  json.Field("status", "disabled").EndObject();
  json.Key("config").BeginObject();
  json.Field("original", context.dispatcher().plan()->config.text).EndObject();
  json.Field("uptime", TimeText(context.started));
  json.Key("versionInfo").BeginObject();
  for (const auto* key : {"branch", "buildDate", "buildUser", "goVersion"}) json.Field(key, "");
  json.Field("revision", "vigia").Field("version", kCompatibleVersion).EndObject();
  json.EndObject();
  return Response::Json(200, std::move(body));
}

Response GetReceivers(const RoutingContext& context, const Request&) {
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (const auto& receiver : context.dispatcher().plan()->config.receivers) {
    json.BeginObject().Field("name", receiver.name).EndObject();
  }
  json.EndArray();
  return Response::Json(200, std::move(body));
}

}  // namespace

void AddAlertmanagerApi(http::Router& router, const RoutingContext& context) {
  const auto bind = [context](Response (*call)(const RoutingContext&, const Request&)) {
    return [context, call](const Request& request) { return call(context, request); };
  };
  constexpr std::size_t kMaxAlerts = std::size_t{32} << 20;
  router.Get("/api/v2/status", bind(GetStatus));
  router.Get("/api/v2/receivers", bind(GetReceivers));
  router.Get("/api/v2/silences", bind(GetSilences));
  router.Add({.method = "POST",
              .pattern = "/api/v2/silences",
              .handler = bind(PostSilence),
              .changes_state = true});
  router.Get("/api/v2/silence/{id}", bind(GetSilence));
  router.Add({.method = "DELETE",
              .pattern = "/api/v2/silence/{id}",
              .handler = bind(DeleteSilence),
              .changes_state = true});
  router.Get("/api/v2/alerts", bind(GetAlerts));
  router.Add({.method = "POST",
              .pattern = "/api/v2/alerts",
              .handler = bind(PostAlerts),
              .max_body = kMaxAlerts,
              .changes_state = true});
  router.Get("/api/v2/alerts/groups", bind(GetGroups));
}

}  // namespace vigia::routing
