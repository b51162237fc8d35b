// vigia's own calls about alerts.

#include <nlohmann/json.hpp>

#include "core/number.h"
#include "exporter/api/parameters.h"
#include "exporter/routing/context.h"
#include "exporter/routing/explain.h"
#include "exporter/routing/text.h"

namespace vigia::routing {
namespace {

using alerting::route::Matchers;
using http::Request;
using http::Response;
using text::JsonWriter;

// The parameters of a call: of its query and form, or the strings of its JSON body.
class Input {
 public:
  explicit Input(const Request& request) : request_(request) {
    if (!request.body.empty()) body_ = nlohmann::json::parse(request.body, nullptr, false);
  }
  std::string Get(const char* name) const {
    const auto value = request_.Parameter(name);
    if (!value.empty() || !body_.is_object()) return std::string(value);
    const auto at = body_.find(name);
    return at != body_.end() && at->is_string() ? at->get<std::string>() : std::string();
  }

 private:
  const Request& request_;
  nlohmann::json body_;
};

// "Down", `{alertname="Down",host="a"}` or `host="a"`.
Result<Matchers> ReadAlert(const std::string& text) {
  if (text.empty()) {
    return Fail(ErrorCode::kInvalid, "alert: name it, or write matchers such as {host=\"a\"}");
  }
  if (text.find_first_of("={") != text.npos) return alerting::route::ParseMatchers(text);
  auto name =
      alerting::route::Matcher::Make("alertname", alerting::route::Matcher::Op::kEqual, text);
  if (!name) return Fail(name.error());
  return Matchers{*std::move(name)};
}

// An instant, or a duration from now.
std::optional<Timestamp> ReadUntil(const std::string& text, Timestamp now) {
  if (const auto time = api::ParseTime(text)) return time;
  if (const auto lasting = ParseDuration(text)) return now + lasting->count();
  return std::nullopt;
}

Response Acknowledge(const RoutingContext& context, const Request& request) {
  const Input input(request);
  const auto matchers = ReadAlert(input.Get("alert"));
  if (!matchers) return ErrorAnswer(400, matchers.error().message());
  alerting::dispatch::Acknowledgement ack{.by = input.Get("who"), .comment = input.Get("comment")};
  if (ack.by.empty()) ack.by = request.user;
  if (ack.by.empty()) return ErrorAnswer(400, "who: say who looks after it");
  if (const auto until = input.Get("until"); !until.empty()) {
    const auto time = ReadUntil(until, context.clock.Wall());
    if (!time) return ErrorAnswer(400, "until: write a time (RFC 3339) or a duration such as 2h");
    ack.until = *time;
  }
  const auto alerts = context.dispatcher().Acknowledge(*matchers, ack);
  if (!alerts) {
    return ErrorAnswer(alerts.error().code() == ErrorCode::kUnavailable ? 404 : 400,
                       alerts.error().message());
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("acknowledged").BeginArray();
  for (const auto& alert : *alerts) WriteLabels(json, alert->alert.labels);
  json.EndArray().EndObject();
  return Response::Json(200, std::move(body));
}

Response Unacknowledge(const RoutingContext& context, const Request& request) {
  const auto matchers = ReadAlert(Input(request).Get("alert"));
  if (!matchers) return ErrorAnswer(400, matchers.error().message());
  const auto count = context.dispatcher().Unacknowledge(*matchers);
  return Response::Json(200, "{\"unacknowledged\":" + std::to_string(count) + "}");
}

Response Events(const RoutingContext& context, const Request& request) {
  alerting::state::EventFilter filter;
  const auto now = context.clock.Wall();
  for (const auto& [name, out] : {std::pair{"since", &filter.since}, {"until", &filter.until}}) {
    const std::string text(request.Parameter(name));
    if (text.empty()) continue;
    *out = api::ParseTime(text);
    // A duration counts back from now.
    if (const auto ago = ParseDuration(text); !*out && ago) *out = now - ago->count();
    if (!*out) return ErrorAnswer(400, std::string(name) + ": write a time, or 2h for 2 hours ago");
  }
  filter.alert = request.Parameter("alert");
  filter.type = request.Parameter("type");
  if (const auto text = request.Parameter("fingerprint"); !text.empty()) {
    filter.fingerprint = alerting::ParseFingerprint(text);
    if (!filter.fingerprint) return ErrorAnswer(400, "fingerprint: 16 hexadecimal digits");
  }
  if (const auto text = request.Parameter("before_id"); !text.empty()) {
    const auto id = ParseInt(text);
    if (!id) return ErrorAnswer(400, "before_id: a whole number");
    filter.before_id = *id;
  }
  if (const auto text = request.Parameter("limit"); !text.empty()) {
    const auto limit = ParseUint(text);
    if (!limit || *limit == 0 || *limit > 10'000) return ErrorAnswer(400, "limit: 1 to 10000");
    filter.limit = *limit;
  }
  const auto events = context.journal.Query(filter);
  if (!events) return ErrorAnswer(503, events.error().message());
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("events").BeginArray();
  for (const auto& event : *events) {
    json.BeginObject().Key("id").Integer(event.id);
    json.Field("time", TimeText(event.time)).Field("type", event.type);
    if (event.fingerprint != 0) {
      json.Field("fingerprint", alerting::FingerprintText(event.fingerprint));
    }
    json.Key("labels");
    WriteLabels(json, event.labels);
    json.Key("details").Raw(event.details).EndObject();
  }
  json.EndArray().EndObject();
  return Response::Json(200, std::move(body));
}

Response ExplainAlert(const RoutingContext& context, const Request& request) {
  const auto matchers = ReadAlert(std::string(request.Parameter("alert")));
  if (!matchers) return ErrorAnswer(400, matchers.error().message());
  return Response::Json(200, Explain(context, *matchers));
}

Response Notifications(const RoutingContext& context, const Request&) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("notifications").BeginArray();
  for (const auto& letter : context.outbox().Letters()) {
    const auto& notice = letter.notice;
    json.BeginObject().Field("id", notice.id);
    json.Field("state", letter.dead ? "dead" : "waiting");
    json.Field("receiver", notice.key.receiver).Field("group", notice.key.group_key);
    json.Field("decided_at", TimeText(notice.time)).Field("reason", notice.reason);
    json.Key("alerts").Integer(static_cast<std::int64_t>(notice.alerts.size()));
    json.Key("attempts").Integer(letter.attempts);
    json.Field("answer", letter.answer).Field("held_by", letter.held_by);
    json.Field("next_attempt_in", FormatDuration(letter.next)).EndObject();
  }
  json.EndArray().EndObject();
  return Response::Json(200, std::move(body));
}

Response Resend(const RoutingContext& context, const Request& request) {
  const auto id = Input(request).Get("id");
  if (id.empty()) return ErrorAnswer(400, "id: of a dead notification, or \"all\"");
  const auto count = context.outbox().Resend(id == "all" ? "" : id);
  if (count == 0 && id != "all") return ErrorAnswer(404, "no dead notification has this id");
  return Response::Json(200, "{\"resent\":" + std::to_string(count) + "}");
}

}  // namespace

void AddAlertingApi(http::Router& router, const RoutingContext& context) {
  const auto bind = [context](Response (*call)(const RoutingContext&, const Request&)) {
    return [context, call](const Request& request) { return call(context, request); };
  };
  const auto change = [&](std::string path,
                          Response (*call)(const RoutingContext&, const Request&)) {
    router.Add({.method = "POST",
                .pattern = std::move(path),
                .handler = bind(call),
                .changes_state = true});
  };
  change("/api/vigia/v1/alerts/ack", Acknowledge);
  change("/api/vigia/v1/alerts/unack", Unacknowledge);
  change("/api/vigia/v1/notifications/resend", Resend);
  router.Get("/api/vigia/v1/notifications", bind(Notifications));
  router.Get("/api/vigia/v1/events", bind(Events));
  // Expressions are evaluated, which recurses.
  router.Add({.method = "GET",
              .pattern = "/api/vigia/v1/explain",
              .handler = bind(ExplainAlert),
              .large_stack = true});
}

}  // namespace vigia::routing
