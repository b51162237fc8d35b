#include "exporter/routing/text.h"

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

std::optional<Timestamp> ParseTimeText(std::string_view text) {
  if (text.find('T') == text.npos && text.find('t') == text.npos) return std::nullopt;
  const auto time = api::ParseTime(text);
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
