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

constexpr std::size_t kMinutesEnd = 16;  // of "2026-11-27T14:05"

// With the seconds and the zone that may be missing.
std::string Completed(std::string_view text) {
  std::string out(text);
  const auto zone = std::min(out.find_first_of("Zz+-", kMinutesEnd), out.size());
  if (zone == out.size()) out += 'Z';
  if (zone == kMinutesEnd) out.insert(kMinutesEnd, ":00");
  return out;
}

}  // namespace

std::optional<Timestamp> ParseTimeText(std::string_view text) {
  if (text.size() < kMinutesEnd || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const auto time = api::ParseTime(Completed(text));
  if (!time || *time <= 0) return std::nullopt;
  return time;
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
