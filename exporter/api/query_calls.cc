// query, query_range and query_exemplars.

#include <algorithm>
#include <memory>

#include "core/text/json.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "exporter/api/parameters.h"
#include "exporter/api/query_gate.h"
#include "exporter/api/result_json.h"

namespace vigia::api {
namespace {

// A longer range needs a wider step.
constexpr std::uint64_t kMostPoints = 11'000;
// Answers beyond this are sent piece by piece.
constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::string_view kTruncated = "results truncated due to limit";

struct Caller {
  ApiContext context;
  std::shared_ptr<QueryGate> gate;
};

// What both kinds of query take.
struct Common {
  std::string query;
  promql::QueryOptions options;
  Milliseconds timeout{};
  std::size_t limit = 0;
  bool stats = false;
};

ApiResult<Common> ReadCommon(const Caller& caller, const http::Request& request) {
  Common common;
  common.query = request.Parameter("query");
  common.timeout = caller.context.engine.options().timeout;
  const auto timeout = SpanParameter(request, "timeout");
  if (!timeout) return tl::unexpected(timeout.error());
  if (*timeout) common.timeout = std::min(common.timeout, std::max(**timeout, Milliseconds(0)));
  common.options.timeout = common.timeout;
  common.options.stop = request.gone;
  const auto lookback = SpanParameter(request, "lookback_delta");
  if (!lookback) return tl::unexpected(lookback.error());
  if (*lookback && **lookback > Milliseconds(0)) common.options.lookback = **lookback;
  const auto limit = LimitParameter(request, "limit");
  if (!limit) return tl::unexpected(limit.error());
  common.limit = *limit;
  common.stats = !request.Parameter("stats").empty();
  return common;
}

// Times are those of the whole call: vigia does not part them.
void AppendStats(std::string& out, const promql::QueryStats& stats, Duration took) {
  text::JsonWriter json(out);
  const double seconds = std::chrono::duration<double>(took).count();
  out += ",\"stats\":";
  json.BeginObject().Key("timings").BeginObject();
  for (const auto name : {"evalTotalTime", "innerEvalTime", "execTotalTime"}) {
    json.Key(name).Number(seconds);
  }
  for (const auto name : {"resultSortTime", "queryPreparationTime", "execQueueTime"}) {
    json.Key(name).Number(0);
  }
  json.EndObject().Key("samples").BeginObject();
  json.Key("totalQueryableSamples").Integer(static_cast<std::int64_t>(stats.samples_read));
  json.Key("peakSamples").Integer(static_cast<std::int64_t>(stats.peak_samples));
  json.EndObject().EndObject();
}

template <typename T>
Notes NotesOf(promql::Answer<T>& answer) {
  return {std::move(answer.warnings), std::move(answer.infos)};
}

http::Response TooBusy() { return Failure({503, "timeout", "query timed out in query queue"}); }

http::Response InstantQuery(const Caller& caller, const http::Request& request) {
  const auto& [context, gate] = caller;
  const auto time = TimeParameter(request, "time", context.clock.Wall());
  if (!time) return Failure(time.error());
  const auto common = ReadCommon(caller, request);
  if (!common) return Failure(common.error());
  const auto pass = gate->Enter(common->timeout);
  if (!pass) return TooBusy();
  const auto begun = context.clock.Now();
  auto answer = context.engine.Instant(context.history, common->query, *time, common->options);
  if (!answer) return Failure(FromQuery(answer.error()));

  auto notes = NotesOf(*answer);
  const auto* vector = std::get_if<promql::InstantVector>(&answer->value);
  if (vector && common->limit != 0 && vector->size() > common->limit) {
    notes.warnings.emplace_back(kTruncated);
  }
  std::string body = EnvelopeBegin();
  AppendInstant(body, answer->value, common->limit);
  if (common->stats) AppendStats(body, answer->stats, context.clock.Now() - begun);
  body += '}';
  body += EnvelopeEnd(notes);
  return JsonAnswer(request, std::move(body));
}

struct RangeOf {
  Timestamp start = 0;
  Timestamp end = 0;
  Milliseconds step{};
};

ApiResult<RangeOf> ReadRange(const http::Request& request) {
  RangeOf range;
  for (const auto& [name, out] : {std::pair("start", &range.start), std::pair("end", &range.end)}) {
    if (request.Parameter(name).empty()) {
      return BadParameter(name, "cannot parse \"\" to a valid timestamp");
    }
    const auto time = TimeParameter(request, name, 0);
    if (!time) return tl::unexpected(time.error());
    *out = *time;
  }
  if (range.end < range.start) {
    return BadParameter("end", "end timestamp must not be before start time");
  }
  if (request.Parameter("step").empty()) {
    return BadParameter("step", "cannot parse \"\" to a valid duration");
  }
  const auto step = SpanParameter(request, "step");
  if (!step) return tl::unexpected(step.error());
  range.step = **step;
  if (range.step <= Milliseconds(0)) {
    return BadParameter("step",
                        "zero or negative query resolution step widths are not accepted. Try a "
                        "positive integer");
  }
  // Unsigned: the ends may be further apart than 2^63 ms.
  const auto span = static_cast<std::uint64_t>(range.end) - static_cast<std::uint64_t>(range.start);
  if (span / static_cast<std::uint64_t>(range.step.count()) > kMostPoints) {
    return BadData(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution (?step=XX)");
  }
  return range;
}

// The rest of the body from series `i` on, in pieces.
Status StreamMatrix(const promql::Matrix& matrix, std::size_t i, std::size_t count,
                    const std::string& end, std::string piece, const http::Sink& sink) {
  const MatrixWriter writer(matrix);
  for (; i < count; ++i) {
    if (i != 0) piece += ',';
    writer.AppendSeries(piece, i);
    if (piece.size() < kPieceBytes) continue;
    if (!sink(piece)) return Ok();  // the client has gone
    piece.clear();
  }
  sink(piece + end);
  return Ok();
}

http::Response RangeQuery(const Caller& caller, const http::Request& request) {
  const auto& [context, gate] = caller;
  const auto range = ReadRange(request);
  if (!range) return Failure(range.error());
  const auto common = ReadCommon(caller, request);
  if (!common) return Failure(common.error());
  const auto pass = gate->Enter(common->timeout);
  if (!pass) return TooBusy();
  const auto begun = context.clock.Now();
  auto answer = context.engine.Range(context.history, common->query, range->start, range->end,
                                     range->step, common->options);
  if (!answer) return Failure(FromQuery(answer.error()));

  auto notes = NotesOf(*answer);
  const auto matrix = std::make_shared<const promql::Matrix>(std::move(answer->value));
  const std::size_t count =
      common->limit == 0 ? matrix->size() : std::min(common->limit, matrix->size());
  if (count < matrix->size()) notes.warnings.emplace_back(kTruncated);
  std::string end = "]";
  if (common->stats) AppendStats(end, answer->stats, context.clock.Now() - begun);
  end += '}' + EnvelopeEnd(notes);

  std::string body = EnvelopeBegin() + "{\"resultType\":\"matrix\",\"result\":[";
  std::size_t written = 0;
  const bool whole = TakesGzip(request);
  const MatrixWriter writer(*matrix);
  while (written < count && (whole || body.size() < kPieceBytes)) {
    if (written != 0) body += ',';
    writer.AppendSeries(body, written++);
  }
  if (written == count) return JsonAnswer(request, std::move(body += end));
  http::Response response = http::Response::Json(200, {});
  response.stream = [matrix, written, count, end, body](const http::Sink& sink) {
    return StreamMatrix(*matrix, written, count, end, body, sink);
  };
  return response;
}

// vigia keeps no exemplars: the answer to a good question is empty.
http::Response Exemplars(const Caller& caller, const http::Request& request) {
  const auto range = RangeParameters(request);
  if (!range) return Failure(range.error());
  if (range->to < range->from) {
    return Failure(BadParameter("end", "end timestamp must not be before start time").value());
  }
  const auto query = caller.context.engine.Parse(request.Parameter("query"));
  if (!query) return Failure(FromQuery(query.error()));
  return Success(request, "[]");
}

}  // namespace

void AddQueryCalls(http::Router& router, const ApiContext& context) {
  const Caller caller{context, std::make_shared<QueryGate>(context.max_concurrency)};
  const auto instant = [caller](const auto& request) { return InstantQuery(caller, request); };
  const auto range = [caller](const auto& request) { return RangeQuery(caller, request); };
  AddCall(router, "/api/v1/query", instant);
  AddCall(router, "/api/v1/query_range", range);
  AddBatchCall(router, context.clock, instant, range);
  AddCall(router, "/api/v1/query_exemplars",
          [caller](const auto& request) { return Exemplars(caller, request); });
}

}  // namespace vigia::api
