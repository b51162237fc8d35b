#include "exporter/cli/query.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/clock.h"
#include "core/file.h"
#include "core/http_client.h"
#include "core/number.h"
#include "core/text/parser.h"
#include "exporter/api/answer.h"
#include "exporter/api/parameters.h"
#include "exporter/api/result_json.h"
#include "exporter/cli/exit.h"
#include "exporter/cli/query_output.h"
#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

namespace vigia::exporter::cli {
namespace {

// Points of a range that nobody gave a step for: about what a terminal is wide.
constexpr std::int64_t kPoints = 120;
constexpr auto kPatience = std::chrono::minutes(3);

// When to ask for.
struct When {
  bool range = false;
  std::optional<Timestamp> time;  // nothing: now, or the newest of a file
  Timestamp start = 0;
  Timestamp end = 0;
  Milliseconds step{};
};

int Complain(const std::string& message, int code) {
  std::fprintf(stderr, "vigia: query: %s\n", message.c_str());
  return code;
}

Result<Timestamp> ReadTime(const std::string& option, const std::string& text, Timestamp now) {
  if (text == "now") return now;
  if (text.starts_with('-')) {
    if (const auto ago = ParseDuration(std::string_view(text).substr(1))) {
      return now - ago->count();
    }
  }
  if (const auto time = api::ParseTime(text)) return *time;
  return Fail(ErrorCode::kInvalid, option + ": '" + text +
                                       "' is not a time: write Unix seconds, RFC 3339, now, or "
                                       "how long ago, such as -1h");
}

// `now` is what "now" and times ago refer to.
Result<When> ReadWhen(const QueryRequest& request, Timestamp now) {
  When when;
  if (!request.time.empty()) {
    const auto time = ReadTime("--time", request.time, now);
    if (!time) return Fail(time.error());
    when.time = *time;
  }
  if (request.start.empty()) {
    if (request.end.empty() && request.step.empty()) return when;
    return Fail(ErrorCode::kInvalid, "--end and --step need --start");
  }
  if (when.time) return Fail(ErrorCode::kInvalid, "--time and --start exclude each other");
  when.range = true;
  const auto start = ReadTime("--start", request.start, now);
  if (!start) return Fail(start.error());
  const auto end = ReadTime("--end", request.end.empty() ? "now" : request.end, now);
  if (!end) return Fail(end.error());
  when.start = *start;
  when.end = *end;
  if (when.end < when.start) return Fail(ErrorCode::kInvalid, "--end lies before --start");
  when.step =
      Milliseconds(std::max<std::int64_t>(1, (when.end - when.start) / kPoints / 1000)) * 1000;
  if (request.step.empty()) return when;
  const auto step = api::ParseSpan(request.step);
  if (!step || *step <= Milliseconds(0)) {
    return Fail(ErrorCode::kInvalid, "--step: '" + request.step +
                                         "' is not a duration: write seconds, or a number with a "
                                         "unit, such as 30s");
  }
  when.step = *step;
  return when;
}

// The newest time that the page has; samples without one are taken as of `now`.
Result<Timestamp> Load(const std::string& page, Timestamp now, promql::MemorySource& source) {
  text::PageParser parser;
  parser.Begin(page, text::Format::kOpenMetrics);
  std::optional<Timestamp> newest;
  std::vector<LabelView> labels;
  while (true) {
    const auto more = parser.Next();
    if (!more) return Fail(more.error());
    if (!*more) return newest.value_or(now);
    const auto& sample = parser.sample();
    labels.assign(sample.labels.begin(), sample.labels.end());
    labels.push_back({kMetricName, sample.name});
    const Timestamp time = sample.time.value_or(now);
    source.Add(Labels::FromPairs(labels), time, sample.value);
    newest = std::max(newest.value_or(time), time);
  }
}

std::string Envelope(const std::string& data, std::vector<std::string> warnings,
                     std::vector<std::string> infos) {
  return api::EnvelopeBegin() + data + api::EnvelopeEnd({std::move(warnings), std::move(infos)});
}

Result<std::string> Describe(const promql::QueryError& error) {
  return Fail(ErrorCode::kInvalid, error.message);
}

// The answer of the engine over `source`, in the API's form.
Result<std::string> Evaluate(const QueryRequest& request, const When& when,
                             const promql::MemorySource& source) {
  promql::EngineOptions options;
  if (request.prometheus2) options.semantics = promql::Semantics::kPrometheus2;
  const promql::Engine engine(options);
  if (!when.range) {
    auto answer = engine.Instant(source, request.expression, *when.time);
    if (!answer) return Describe(answer.error());
    std::string data;
    api::AppendInstant(data, answer->value, 0);
    return Envelope(data + "}", std::move(answer->warnings), std::move(answer->infos));
  }
  auto answer = engine.Range(source, request.expression, when.start, when.end, when.step);
  if (!answer) return Describe(answer.error());
  std::string data;
  api::AppendInstant(data, promql::Value(std::move(answer->value)), 0);
  return Envelope(data + "}", std::move(answer->warnings), std::move(answer->infos));
}

Result<std::string> AskFile(const QueryRequest& request) {
  const auto page = ReadFile(request.data);
  if (!page) return Fail(page.error());
  promql::MemorySource source;
  const auto newest = Load(*page, SystemClock().Wall(), source);
  if (!newest) return Fail(newest.error().In(request.data.string()));
  auto when = ReadWhen(request, *newest);
  if (!when) return Fail(when.error());
  if (!when->time) when->time = *newest;
  return Evaluate(request, *when, source);
}

std::string Encode(const HttpFields& fields) {
  // The form of a body is that of a URL's query.
  const auto url = AddUrlParameters("http://form/", fields);
  return url ? url->substr(url->find('?') + 1) : std::string();
}

std::string Seconds(Timestamp time) {
  std::string text;
  api::AppendTime(text, time);
  return text;
}

Result<std::string> AskServer(const QueryRequest& request) {
  const auto when = ReadWhen(request, SystemClock().Wall());
  if (!when) return Fail(when.error());
  HttpFields form{{"query", request.expression}};
  if (when->time) form.emplace_back("time", Seconds(*when->time));
  if (when->range) {
    form.emplace_back("start", Seconds(when->start));
    form.emplace_back("end", Seconds(when->end));
    form.emplace_back("step", Seconds(when->step.count()));
  }
  std::string base = request.url;
  while (base.ends_with('/')) base.pop_back();
  HttpClient client({.max_body_bytes = std::size_t{1} << 30});
  const auto answer =
      client.Send({.method = "POST",
                   .url = base + (when->range ? "/api/v1/query_range" : "/api/v1/query"),
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                   .body = Encode(form)},
                  Deadline::After(SystemClock(), kPatience));
  if (!answer) return Fail(answer.error());
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (json.is_object() && json.value("status", "") == "success") return answer->body;
  const std::string said = json.is_object() ? json.value("error", "") : std::string();
  return Fail(
      answer->status == 400 ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
      request.url + ": HTTP " + std::to_string(answer->status) + (said.empty() ? "" : ": " + said));
}

}  // namespace

int Query(const QueryRequest& request) {
  const auto answer = request.data.empty() ? AskServer(request) : AskFile(request);
  if (!answer) {
    return Complain(answer.error().message(),
                    answer.error().code() == ErrorCode::kInvalid ? kExitUsage : kExitError);
  }
  if (request.format == "json") {
    std::printf("%s\n", answer->c_str());
    return kExitFine;
  }
  auto result = ReadResult(*answer);
  if (!result) return Complain(result.error().message(), kExitError);
  for (const auto& note : result->notes) std::fprintf(stderr, "%s\n", note.c_str());
  const std::string text = request.format == "csv" ? ToCsv(*result) : ToTable(*result);
  std::fputs(text.c_str(), stdout);
  return kExitFine;
}

}  // namespace vigia::exporter::cli
