#include "exporter/baselines/datasource.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/number.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/printer.h"

namespace vigia::exporter {
namespace {

using nlohmann::json;

// What Prometheus answers at once at most, and what is comfortable to read.
constexpr std::int64_t kMaxSteps = 11'000;
constexpr std::int64_t kValuesAtOnce = 100'000;
constexpr std::int64_t kFirstSteps = 200;  // nobody knows yet how many series there are
constexpr std::int64_t kGrowth = 4;
constexpr std::int64_t kFewestSteps = 10;

std::string Seconds(Timestamp time) { return FormatDouble(static_cast<double>(time) / 1000); }

// Where a matcher goes: behind the brace of the selector that begins at `at`, or behind its name.
// `brace` tells whether there is one.
std::size_t PlaceIn(std::string_view text, std::size_t at, bool& brace) {
  const auto in_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
  };
  while (at < text.size() && in_name(text[at])) ++at;
  auto next = text.find_first_not_of(" \t\r\n", at);
  brace = next != std::string_view::npos && text[next] == '{';
  return brace ? next + 1 : at;
}

Labels LabelsOf(const json& metric) {
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : metric.items()) {
    if (value.is_string()) pairs.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(pairs);
}

void TakeValues(const json& series, const Labels& labels, const Datasource::Take& take) {
  const auto values = series.find("values");
  if (values == series.end() || !values->is_array()) return;
  for (const auto& pair : *values) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string()) {
      continue;
    }
    const auto value = ParseDouble(pair[1].get_ref<const std::string&>());
    if (value) take(labels, std::llround(pair[0].get<double>() * 1000), *value);
  }
}

std::string TextOf(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string Narrowed(const std::string& expression, const std::vector<Matcher>& matchers) {
  const auto query = promql::Parse(expression);
  if (!query || matchers.empty()) return expression;
  std::string inner;
  for (const auto& matcher : matchers) {
    inner += (inner.empty() ? "" : ",") + promql::ToString(matcher);
  }
  std::set<std::size_t, std::greater<>> starts;  // from the end on: what stands before stays
  for (const auto* const selector : (*query)->Selectors()) {
    starts.insert(static_cast<std::size_t>(selector->range.start));
  }
  std::string out = expression;
  for (const auto start : starts) {
    bool brace = false;
    const auto place = PlaceIn(out, start, brace);
    // A comma at the end of the matchers is allowed.
    out.insert(place, brace ? inner + "," : "{" + inner + "}");
  }
  return out;
}

bool Datasource::Admit(const Labels& all, Labels& own) {
  LabelsBuilder builder(all);
  builder.Remove("__name__");
  for (const auto& name : config_.drop_labels) builder.Remove(name);
  own = builder.Build();
  const auto [known, first] = admitted_.try_emplace(own, all);
  if (first || known->second == all) return true;
  left_out_.insert(all);
  return false;
}

Result<Datasource::Piece> Datasource::ReadPiece(const std::string& query, Range range,
                                                const Take& take, std::stop_token stop) {
  const auto url =
      AddUrlParameters(config_.url + "/api/v1/query_range", {{"query", query},
                                                             {"start", Seconds(range.from)},
                                                             {"end", Seconds(range.to)},
                                                             {"step", Seconds(range.step)}});
  if (!url) return Fail(url.error());
  auto answer = client_.Send({.method = "GET", .url = *url, .headers = config_.headers, .body = {}},
                             Deadline::After(SystemClock(), config_.timeout), stop);
  if (!answer) return Fail(answer.error());
  Piece piece;
  if (answer->truncated) {
    piece.too_large = true;
    return piece;
  }
  const auto body = json::parse(answer->body, nullptr, false);
  answer->body = {};
  if (answer->status != 200 || !body.is_object() || TextOf(body, "status") != "success") {
    const auto why = body.is_object() ? TextOf(body, "error") : std::string();
    // 422: the query would hold more samples than the server allows.
    piece.too_large = answer->status == 422 && why.find("too many samples") != std::string::npos;
    if (piece.too_large) return piece;
    const bool invalid = answer->status == 400 || answer->status == 422;
    return Fail(invalid ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
                "answers " + std::to_string(answer->status) + (why.empty() ? "" : ": " + why));
  }
  const auto data = body.find("data");
  if (data == body.end() || !data->is_object() || !data->contains("result") ||
      !(*data)["result"].is_array()) {
    return Fail(ErrorCode::kUnavailable, "its answer is not that of query_range");
  }
  for (const auto& series : (*data)["result"]) {
    ++piece.series;
    if (!series.is_object() || !series.contains("metric")) continue;
    Labels own;
    if (Admit(LabelsOf(series["metric"]), own)) TakeValues(series, own, take);
  }
  return piece;
}

Status Datasource::Read(const std::string& expression, Range range, const Take& take,
                        std::stop_token stop) {
  admitted_.clear();
  left_out_.clear();
  const auto query = Narrowed(expression, config_.matchers);
  std::int64_t steps = kFirstSteps;
  while (range.from <= range.to) {
    const auto last = std::min(range.to, range.from + (steps - 1) * range.step);
    const auto piece = ReadPiece(query, {range.from, last, range.step}, take, stop);
    if (!piece) return Fail(piece.error());
    if (piece->too_large) {
      if (steps <= kFewestSteps) {
        return Fail(ErrorCode::kUnavailable, "its answers are too large");
      }
      steps = std::max(kFewestSteps, steps / kGrowth);
      continue;
    }
    range.from = last + range.step;
    const auto series = std::max<std::int64_t>(1, static_cast<std::int64_t>(piece->series));
    steps = std::clamp(kValuesAtOnce / series, kFewestSteps, std::min(kMaxSteps, steps * kGrowth));
  }
  return Ok();
}

}  // namespace vigia::exporter
