#include "collectors/kpi/answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "collectors/postgres/subject.h"
#include "core/text/utf8.h"

namespace vigia::collectors::kpi {
namespace {

// How much of a value a message quotes.
constexpr std::size_t kQuoted = 40;

Result<std::size_t> Find(std::span<const std::string_view> names, const std::string& column) {
  const auto at = std::find(names.begin(), names.end(), column);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  std::string message = "there is no column '" + column + "'; the columns are";
  for (const auto name : names) message += (name == names.front() ? " " : ", ") + std::string(name);
  return Fail(ErrorCode::kInvalid, names.empty() ? "returns no columns" : std::move(message));
}

// Takes a number of `digits` digits and the character after it off the front of `text`.
bool Take(std::string_view& text, std::size_t digits, std::string_view after, int& out) {
  const char* const begin = text.data();
  if (text.size() < digits || text[0] == '-' || text[0] == '+') return false;
  const auto [end, error] = std::from_chars(begin, begin + digits, out);
  if (error != std::errc() || end != begin + digits) return false;
  text.remove_prefix(digits);
  if (!text.starts_with(after)) return false;
  text.remove_prefix(after.size());
  return true;
}

// ".123456" in milliseconds; takes it off the front.
int TakeFraction(std::string_view& text) {
  int milliseconds = 0;
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  for (int scale = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; scale /= 10) {
    milliseconds += (text[0] - '0') * scale;
    text.remove_prefix(1);
  }
  return milliseconds;
}

// "+05:30", "-03", "" in seconds.
bool TakeOffset(std::string_view text, int& seconds) {
  seconds = 0;
  if (text.empty()) return true;
  const int sign = text[0] == '-' ? -1 : 1;
  if (text[0] != '-' && text[0] != '+') return false;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!Take(text, 2, "", hours)) return false;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    if (!Take(text, 2, "", minutes)) return false;
  }
  seconds = sign * (hours * 3600 + minutes * 60);
  return text.empty();
}

}  // namespace

Result<Timestamp> ParseTimestamp(std::string_view text) {
  const std::string original(text.substr(0, kQuoted));
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0, fraction = 0;
  bool good = Take(text, 4, "-", year) && Take(text, 2, "-", month) && Take(text, 2, "", day);
  if (good && !text.empty()) {
    good = text.starts_with(' ');
    text.remove_prefix(1);
    good =
        good && Take(text, 2, ":", hour) && Take(text, 2, ":", minute) && Take(text, 2, "", second);
    fraction = TakeFraction(text);
    good = good && TakeOffset(text, offset);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!good || !date.ok()) {
    return Fail(ErrorCode::kInvalid, "'" + original + "' is not a point in time");
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds =
      static_cast<std::int64_t>(days) * 86'400 + hour * 3600 + minute * 60 + second - offset;
  return seconds * 1000 + fraction;
}

void Answer::ForEach(const Visitor& visit) const {
  std::vector<LabelView> labels;
  for (const auto& point : points) {
    const Mapping& mapping = *point.mapping;
    labels.clear();
    for (std::size_t i = 0; i < point.keys.size(); ++i) {
      labels.push_back({mapping.key_labels[i], point.keys[i]});
    }
    if (point.column && !mapping.value_label.empty()) {
      labels.push_back({mapping.value_label, *point.column});
    }
    for (const auto& [name, value] : mapping.static_labels) labels.push_back({name, value});
    visit(*mapping.metric, labels, point.value, point.time);
  }
}

void Answer::AddTo(Batch& batch) const {
  ForEach([&](const Metric& metric, std::span<const LabelView> labels, double value,
              Timestamp time) { batch.AddAt(metric, labels, value, time); });
}

Status AnswerReader::Columns(std::span<const std::string_view> names) {
  for (const auto& mapping : query_.mappings) {
    Places places;
    const auto find = [&](const std::vector<std::string>& columns,
                          std::vector<std::size_t>& out) -> Status {
      for (const auto& column : columns) {
        const auto at = Find(names, column);
        if (!at) return Fail(at.error().In(mapping.metric->name));
        out.push_back(*at);
      }
      return Ok();
    };
    if (auto status = find(mapping.key_labels, places.keys); !status) return status;
    if (auto status = find(mapping.values, places.values); !status) return status;
    if (!mapping.timestamp_value.empty()) {
      const auto at = Find(names, mapping.timestamp_value);
      if (!at) return Fail(at.error().In(mapping.metric->name));
      places.time = *at;
    }
    places_.push_back(std::move(places));
  }
  return Ok();
}

Status AnswerReader::Add(postgres::Row row) {
  ++answer_->rows;
  for (std::size_t m = 0; m < query_.mappings.size(); ++m) {
    const Mapping& mapping = query_.mappings[m];
    const Places& places = places_[m];
    std::vector<std::string> keys;
    for (const auto place : places.keys) keys.push_back(text::RepairUtf8(row[place].text));
    Timestamp time = 0;
    if (!mapping.timestamp_value.empty() && !row[places.time].null) {
      const auto parsed = ParseTimestamp(row[places.time].text);
      if (!parsed) return Fail(parsed.error().In("column '" + mapping.timestamp_value + "'"));
      time = *parsed;
    }
    for (std::size_t v = 0; v < places.values.size(); ++v) {
      const auto& cell = row[places.values[v]];
      // Missing is not zero.
      if (cell.null) continue;
      const auto number = postgres::ParseNumber(cell.text);
      if (!number) {
        return Fail(ErrorCode::kInvalid,
                    "column '" + mapping.values[v] + "': " + number.error().message());
      }
      auto status = AddPoint(mapping, &mapping.values[v], keys, *number, time);
      if (!status) return status;
    }
    if (mapping.static_value) {
      auto status = AddPoint(mapping, nullptr, keys, *mapping.static_value, time);
      if (!status) return status;
    }
  }
  return Ok();
}

Status AnswerReader::AddPoint(const Mapping& mapping, const std::string* column,
                              std::vector<std::string> keys, double value, Timestamp time) {
  std::vector<LabelView> labels;
  for (std::size_t i = 0; i < keys.size(); ++i) labels.push_back({mapping.key_labels[i], keys[i]});
  if (column && !mapping.value_label.empty()) labels.push_back({mapping.value_label, *column});
  for (const auto& [name, text] : mapping.static_labels) labels.push_back({name, text});
  labels.push_back({kMetricName, mapping.metric->name});
  const auto series = Labels::FromPairs(labels).ToString();
  if (!seen_.insert(series).second) {
    return Fail(ErrorCode::kInvalid, "two rows give the same series " + series);
  }
  answer_->points.push_back({&mapping, column, std::move(keys), value, time});
  return Ok();
}

}  // namespace vigia::collectors::kpi
