#include "exporter/baselines/mark_calls.h"

#include <nlohmann/json.hpp>

#include "core/duration.h"
#include "core/text/json.h"
#include "exporter/api/parameters.h"

namespace vigia::exporter {
namespace {

using http::Request;
using http::Response;
using nlohmann::json;

constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kLongestVersion = 100;
constexpr Timestamp kLongestMaintenance = Timestamp{31} * 86'400'000;

Response Refuse(const std::string& what, int status = 400) {
  std::string body;
  text::JsonWriter(body).BeginObject().Field("error", what).EndObject();
  return Response::Json(status, std::move(body));
}

Response Added(const Status& status, std::string body) {
  if (status) return Response::Json(200, std::move(body));
  return Refuse("known, but not written: " + status.error().message(), 503);
}

// A text of the body; empty if there is none.
std::string Text(const json& body, const char* key) {
  const auto at = body.find(key);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// RFC 3339 or Unix seconds, as a text or a number; `fallback` if there is none.
Result<Timestamp> Time(const json& body, const char* key, Timestamp fallback) {
  const auto at = body.find(key);
  if (at == body.end()) return fallback;
  const auto time = api::ParseTime(at->is_string() ? at->get<std::string>() : at->dump());
  if (!time) {
    return Fail(
        ErrorCode::kInvalid,
        std::string(key) + ": expected Unix seconds or a time such as 2026-11-27T14:05:00Z");
  }
  return *time;
}

Response AddDeploy(Marks& marks, const json& body, Timestamp now, const std::string& user) {
  Deploy deploy{.version = Text(body, "version"), .text = Text(body, "text"), .by = user};
  if (deploy.version.empty()) return Refuse("version: what was deployed, such as \"v1.2.3\"");
  if (deploy.version.size() > kLongestVersion) return Refuse("version: is too long");
  const auto time = Time(body, "time", now);
  if (!time) return Refuse(time.error().message());
  deploy.time = *time;
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginObject().Field("type", "deploy").Field("version", deploy.version);
  writer.Key("time").Integer(deploy.time).EndObject();
  return Added(marks.Add(std::move(deploy)), std::move(out));
}

Response AddMaintenance(Marks& marks, const json& body, Timestamp now, const std::string& user) {
  const auto start = Time(body, "start", now);
  if (!start) return Refuse(start.error().message());
  auto end = Time(body, "end", *start);
  if (!end) return Refuse(end.error().message());
  if (const auto lasting = Text(body, "for"); !lasting.empty()) {
    const auto duration = ParseDuration(lasting);
    if (!duration) return Refuse("for: expected a duration such as 1h30m");
    *end = *start + duration->count();
  }
  if (*end <= *start) return Refuse("end: is not after the start; write end, or for as a duration");
  if (*end - *start > kLongestMaintenance)
    return Refuse("end: is more than 31 days after the start");
  std::string out;
  text::JsonWriter writer(out);
  writer.BeginObject().Field("type", "maintenance").Key("start").Integer(*start);
  writer.Key("end").Integer(*end).EndObject();
  return Added(
      marks.Add(Maintenance{.start = *start, .end = *end, .text = Text(body, "text"), .by = user}),
      std::move(out));
}

Response AddMark(Marks& marks, Clock& clock, const Request& request) {
  const auto body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Refuse("the body has to be a JSON object with type");
  if (Text(body, "text").size() > kLongestText) return Refuse("text: is too long");
  const auto type = Text(body, "type");
  if (type == "deploy") return AddDeploy(marks, body, clock.Wall(), request.user);
  if (type == "maintenance") return AddMaintenance(marks, body, clock.Wall(), request.user);
  return Refuse("type: expected deploy or maintenance");
}

}  // namespace

void AddMarkCalls(http::Router& router, Marks& marks, Clock& clock) {
  router.Add({.method = "POST",
              .pattern = "/api/vigia/v1/events",
              .handler = [&marks, &clock](
                             const Request& request) { return AddMark(marks, clock, request); },
              .max_body = 16 * 1024,
              .changes_state = true});
}

}  // namespace vigia::exporter
