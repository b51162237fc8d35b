// histogram_quantile() and relatives, of classic histograms: series with a label "le".

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "core/number.h"
#include "query/promql/eval/evaluator.h"
#include "query/promql/format.h"
#include "query/promql/functions/bucket.h"
#include "query/promql/functions/implementations.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

constexpr std::string_view kBucketLabel = "le";

// The rows that make up one histogram, by ascending bound.
struct Histogram {
  struct Part {
    double upper_bound;
    std::size_t row;
  };
  Labels labels;
  std::vector<Part> parts;
};

Labels WithoutBucket(const Labels& labels, bool with_name) {
  std::vector<LabelView> kept;
  kept.reserve(labels.size());
  for (const auto label : labels) {
    if (label.name == kBucketLabel || (label.name == kMetricName && !with_name)) continue;
    kept.push_back(label);
  }
  return Labels::FromSorted(kept);
}

// Grouped once for all steps.
std::vector<Histogram> Group(const Vector& vector, const Expr& arg, Context& context) {
  std::vector<Histogram> histograms;
  std::unordered_map<Labels, std::size_t> index;
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const auto le = vector.labels[row].Get(kBucketLabel);
    const auto bound = ParseDouble(le);
    if (!bound) {
      if (!context.is2()) {
        context.annotations.Warn(
            "bucket label \"le\" is missing or has a malformed value of " + Quote(le), arg.range);
      }
      continue;
    }
    // Histograms of different names are told apart, though the names are dropped.
    const auto [at, added] = index.try_emplace(
        WithoutBucket(vector.labels[row], !vector.name_dropped), histograms.size());
    if (added) histograms.push_back({WithoutBucket(vector.labels[row], false), {}});
    histograms[at->second].parts.push_back({*bound, row});
  }
  for (auto& histogram : histograms) {
    std::stable_sort(histogram.parts.begin(), histogram.parts.end(),
                     [](const auto& a, const auto& b) { return a.upper_bound < b.upper_bound; });
  }
  return histograms;
}

// A row of `compute(buckets, step)` for a histogram.
template <typename Compute>
void Fill(const Vector& vector, const Histogram& histogram, std::span<double> row,
          Compute&& compute) {
  std::vector<Bucket> buckets;
  for (std::size_t step = 0; step < row.size(); ++step) {
    buckets.clear();
    for (const auto& part : histogram.parts) {
      const double count = vector.Row(part.row)[step];
      if (IsPresent(count)) buckets.push_back({part.upper_bound, count});
    }
    if (!buckets.empty()) row[step] = compute(buckets, step);
  }
}

void WarnOfQuantiles(const ScalarColumn& quantiles, const Expr& arg, Context& context) {
  if (context.is2()) return;
  for (const double q : quantiles) {
    if (q >= 0 && q <= 1) continue;
    context.annotations.Warn("quantile value should be between 0 and 1, got " + FormatGeneral(q),
                             arg.range);
  }
}

struct QuantileJob {
  const Vector& vector;
  const Steps& steps;
  Context& context;
  PositionRange repairs_at;

  void Fill(const Histogram& histogram, const ScalarColumn& quantiles,
            std::span<double> row) const {
    promql::Fill(vector, histogram, row, [&](std::vector<Bucket>& buckets, std::size_t step) {
      BucketRepair repair;
      const double value = BucketQuantile(quantiles[step], buckets, context.is2(), repair);
      if (repair.forced) {
        context.annotations.AddForcedMonotonicity(
            {steps.At(step), repair.min_bucket, repair.max_bucket, repair.max_difference},
            repairs_at);
      }
      return value;
    });
  }
};

CallResult Unique(Vector out) {
  if (auto status = MergeEqualRows(out); !status) return Fail(status.error());
  return out;
}

}  // namespace

CallResult HistogramQuantile(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto quantiles = evaluator.EvalScalar(*call.args[0], steps);
  if (!quantiles) return Fail(quantiles.error());
  const auto vector = evaluator.EvalVector(*call.args[1], steps);
  if (!vector) return Fail(vector.error());
  Context& context = evaluator.context();
  WarnOfQuantiles(*quantiles, *call.args[0], context);
  const QuantileJob job{*vector, steps, context, call.args[1]->range};
  Vector out(steps.count);
  for (const auto& histogram : Group(*vector, *call.args[1], context)) {
    job.Fill(histogram, *quantiles, out.Append(histogram.labels));
  }
  return Unique(std::move(out));
}

CallResult HistogramQuantiles(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  Context& context = evaluator.context();
  const std::string& label = StringArgument(call, 1);
  const QuantileJob job{*vector, steps, context, call.args[0]->range};
  const auto histograms = Group(*vector, *call.args[0], context);
  Vector out(steps.count);
  for (std::size_t i = 2; i < call.args.size(); ++i) {
    const auto quantiles = evaluator.EvalScalar(*call.args[i], steps);
    if (!quantiles) return Fail(quantiles.error());
    WarnOfQuantiles(*quantiles, *call.args[i], context);
    for (const auto& histogram : histograms) {
      std::vector<double> row(steps.count, Absent());
      job.Fill(histogram, *quantiles, row);
      // A quantile that changes from step to step is a series for each of its values.
      std::unordered_map<std::string, std::size_t> rows;
      for (std::size_t step = 0; step < row.size(); ++step) {
        if (IsAbsent(row[step])) continue;
        std::string q = FormatGeneral((*quantiles)[step]);
        if (q.find_first_not_of("-0123456789") == std::string::npos) q += ".0";
        const auto [at, added] = rows.try_emplace(q, out.rows());
        if (added) out.Append(LabelsBuilder(histogram.labels).Set(label, q).Build());
        out.Row(at->second)[step] = row[step];
      }
    }
  }
  return Unique(std::move(out));
}

CallResult HistogramFraction(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto lower = evaluator.EvalScalar(*call.args[0], steps);
  if (!lower) return Fail(lower.error());
  const auto upper = evaluator.EvalScalar(*call.args[1], steps);
  if (!upper) return Fail(upper.error());
  const auto vector = evaluator.EvalVector(*call.args[2], steps);
  if (!vector) return Fail(vector.error());
  // Prometheus 2 knew it for native histograms only.
  if (evaluator.context().is2()) return Vector(steps.count);
  Vector out(steps.count);
  for (const auto& histogram : Group(*vector, *call.args[2], evaluator.context())) {
    Fill(*vector, histogram, out.Append(histogram.labels),
         [&](std::vector<Bucket>& buckets, std::size_t step) {
           return BucketFraction((*lower)[step], (*upper)[step], buckets);
         });
  }
  return Unique(std::move(out));
}

CallResult NothingWithoutNative(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  return Vector(steps.count);
}

}  // namespace vigia::promql
