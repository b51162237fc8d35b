// Instant vector selectors: the newest sample within the look-back at each step.

#include <algorithm>

#include "query/promql/eval/evaluator.h"
#include "query/promql/eval/rows.h"
#include "query/promql/regex.h"

namespace vigia::promql {
namespace {

struct Scratch {
  Columns samples;
  std::size_t work = 0;
};

}  // namespace

Timestamp Evaluator::Shifted(const TimeShift& shift, Timestamp time) const {
  if (shift.at != TimeShift::At::kNone) {
    time = TimeNamed(shift, context_.times()) + scope_.at_drift;
  }
  return std::clamp(std::clamp(time, -kFarthest, kFarthest) - shift.offset, -kFarthest, kFarthest);
}

QueryResult<SeriesList> Evaluator::Select(std::span<const Matcher> matchers, TimeRange range) {
  std::vector<Matcher> asked(matchers.begin(), matchers.end());
  for (auto& matcher : asked) {
    if (matcher.op == Matcher::Op::kRegex || matcher.op == Matcher::Op::kNotRegex) {
      matcher.value = PatternForSource(matcher.value, context_.settings.semantics);
    }
  }
  auto series = context_.source.Select(asked, range);
  if (!series) {
    return Fail(
        QueryError{QueryError::Kind::kInternal, "expanding series: " + series.error().message()});
  }
  return std::move(*series);
}

QueryStatus Evaluator::StreamSelector(const VectorSelector& selector, const Steps& steps,
                                      bool timestamps, RowSink& sink) {
  const TimeShift& shift = selector.shift;
  std::vector<Timestamp> times(steps.count);
  for (std::size_t i = 0; i < times.size(); ++i) {
    // Prometheus' timestamp() forgets the offset beside an @.
    times[i] = timestamps && shift.at != TimeShift::At::kNone ? TimeNamed(shift, context_.times())
                                                              : Shifted(shift, steps.At(i));
  }
  const auto stored = scope_.Stored(shift, Reach(), context_.times());
  auto series = Select(selector.matchers, stored);
  if (!series) return Fail(series.error());
  return SampleSeries(*series, times, stored, timestamps, sink);
}

QueryResult<Vector> Evaluator::EvalSelector(const VectorSelector& selector, const Steps& steps,
                                            bool timestamps) {
  RowCollector rows(steps.count);
  if (auto status = StreamSelector(selector, steps, timestamps, rows); !status) {
    return Fail(status.error());
  }
  Vector vector = rows.Finish();
  vector.unique_without_name = !OnlyName(selector).empty();
  return vector;
}

// The oldest sample that counts, relative to the time looked at: in Prometheus 3 one that is
// exactly the look-back old does not.
std::int64_t Evaluator::Reach() const {
  return context_.settings.lookback - (context_.is2() ? 0 : 1);
}

QueryResult<Vector> Evaluator::SampleSeries(const SeriesList& series,
                                            std::span<const Timestamp> times, TimeRange stored,
                                            bool timestamps) {
  RowCollector rows(times.size());
  if (auto status = SampleSeries(series, times, stored, timestamps, rows); !status) {
    return Fail(status.error());
  }
  return rows.Finish();
}

QueryStatus Evaluator::SampleSeries(const SeriesList& series, std::span<const Timestamp> times,
                                    TimeRange stored, bool timestamps, RowSink& sink) {
  const std::int64_t reach = Reach();
  const Timestamp from = std::max(times.front() - reach, stored.from);
  const Timestamp to = std::min(times.back(), stored.to);
  const auto make = [&](Scratch& scratch, std::size_t i, std::span<double> row) {
    auto& samples = scratch.samples;
    samples.Clear();
    if (auto status = series[i]->Read(from, to, samples); !status) {
      context_.Abort({QueryError::Kind::kInternal, status.error().message()});
      return false;
    }
    std::size_t behind = 0;  // first sample after the step
    std::size_t present = 0;
    for (std::size_t step = 0; step < row.size(); ++step) {
      const Timestamp time = times[step];
      while (behind < samples.size() && samples.times[behind] <= time) ++behind;
      if (behind == 0) continue;
      const Timestamp sampled = samples.times[behind - 1];
      const double value = samples.values[behind - 1];
      if (sampled < time - reach || IsStale(value)) continue;
      row[step] = timestamps ? static_cast<double>(sampled) / 1000 : value;
      ++present;
    }
    scratch.work += samples.size() + row.size();
    context_.CountRead(present);
    return present > 0 && context_.Charge(present);
  };
  sink.Begin(
      series.size(), [&](std::size_t i) -> const Labels& { return series[i]->labels(); }, false);
  return MakeRows<Scratch>(context_, series.size(), times.size(), sink, make);
}

}  // namespace vigia::promql
