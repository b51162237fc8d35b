#include "exporter/routing/text.h"

#include <algorithm>

#include "core/labels.h"
#include "exporter/api/parameters.h"
#include "query/promql/format.h"

namespace vigia::routing {

std::string TimeText(Timestamp time) {
  auto text = promql::FormatRfc3339(time);
  const auto rest = std::to_string(1000 + (time % 1000 + 1000) % 1000).substr(1);
  text.insert(text.size() - 1, "." + rest);
  return text;
}

namespace {

constexpr std::size_t kDateEnd = 10;     // of "2026-11-27T14:05"
constexpr std::size_t kMinutesEnd = 16;  // of the same
constexpr std::size_t kZoneSize = 5;     // "+0100"

// With the seconds, the zone and its colon that may be missing.
std::string Completed(std::string_view text) {
  std::string out(text);
  const auto zone = std::min(out.find_first_of("Zz+-", kMinutesEnd), out.size());
  const bool has_zone = zone != out.size();
  const bool has_seconds = zone != kMinutesEnd;
  if (out[kDateEnd] == ' ' && has_seconds && !has_zone) out[kDateEnd] = 'T';
  if (!has_zone) out += 'Z';
  if (out.size() - zone == kZoneSize && out.find(':', zone) == out.npos) {
    out.insert(out.size() - 2, ":");
  }
  if (!has_seconds) out.insert(kMinutesEnd, ":00");
  return out;
}

}  // namespace

std::optional<Timestamp> ParseTimeText(std::string_view text) {
  if (text.size() < kMinutesEnd) return std::nullopt;
  const auto completed = Completed(text);
  if (completed[kDateEnd] != 'T' && completed[kDateEnd] != 't') return std::nullopt;
  return api::ParseTime(completed);
}

void WriteLabels(text::JsonWriter& json, const Labels& labels) {
  json.BeginObject();
  for (const auto label : labels) json.Field(label.name, label.value);
  json.EndObject();
}

http::Response ErrorAnswer(int status, std::string_view message) {
  std::string body;
  text::AppendJsonString(body, message);
  return http::Response::Json(status, std::move(body));
}

}  // namespace vigia::routing
