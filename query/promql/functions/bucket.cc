#include "query/promql/functions/bucket.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sample.h"

namespace vigia::promql {
namespace {

// Adds up buckets of the same bound.
void Coalesce(std::vector<Bucket>& buckets) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
}

// util/almost.Equal.
bool AlmostEqual(double a, double b) {
  constexpr double kTolerance = 1e-12;
  constexpr double kMinNormal = std::numeric_limits<double>::min();
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || sum < kMinNormal) return difference < kTolerance * kMinNormal;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

void MakeMonotonic(std::vector<Bucket>& buckets, BucketRepair& repair) {
  double previous = buckets[0].count;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    const double count = buckets[i].count;
    if (count == previous) continue;
    if (AlmostEqual(previous, count)) {
      buckets[i].count = previous;
    } else if (count < previous) {
      const double bound = buckets[i].upper_bound;
      repair.min_bucket = repair.forced ? std::min(repair.min_bucket, bound) : bound;
      repair.max_bucket = repair.forced ? std::max(repair.max_bucket, bound) : bound;
      repair.max_difference = std::max(repair.max_difference, previous - count);
      repair.forced = true;
      buckets[i].count = previous;
    } else {
      previous = count;
    }
  }
}

void MakeMonotonic2(std::vector<Bucket>& buckets) {
  double most = -kInfinity;
  for (auto& bucket : buckets) {
    if (bucket.count > most) {
      most = bucket.count;
    } else if (bucket.count < most) {
      bucket.count = most;
    }
  }
}

}  // namespace

double BucketQuantile(double q, std::vector<Bucket>& buckets, bool is2, BucketRepair& repair) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  if (buckets.back().upper_bound != kInfinity) return kNaN;
  Coalesce(buckets);
  if (is2) {
    MakeMonotonic2(buckets);
  } else {
    MakeMonotonic(buckets, repair);
  }
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0) return kNaN;
  double rank = q * observations;
  const auto found =
      std::partition_point(buckets.begin(), buckets.end() - 1,
                           [&](const Bucket& bucket) { return !(bucket.count >= rank); });
  const auto at = static_cast<std::size_t>(found - buckets.begin());
  if (at == buckets.size() - 1) return buckets[at - 1].upper_bound;
  if (at == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
  double begin = 0;
  double count = buckets[at].count;
  if (at > 0) {
    begin = buckets[at - 1].upper_bound;
    count -= buckets[at - 1].count;
    rank -= buckets[at - 1].count;
  }
  return begin + (buckets[at].upper_bound - begin) * (rank / count);
}

namespace {

// Observations up to `value`, interpolated.
class RankFinder {
 public:
  explicit RankFinder(double value) : value_(value) {}

  void See(const Bucket& bucket, double lower, double rank) {
    if (found_) return;
    const double upper = bucket.upper_bound;
    const double inside = bucket.count - rank;
    if (lower >= value_) {
      Set(rank);
    } else if (value_ < upper) {
      // Nothing is known of how a bucket without lower bound is filled: all of it counts.
      // One without upper bound adds nothing, as the quotient is 0.
      Set(lower == -kInfinity ? bucket.count : rank + inside * (value_ - lower) / (upper - lower));
    }
  }

  double RankOr(double all) const { return found_ && rank_ <= all ? rank_ : all; }

 private:
  void Set(double rank) {
    rank_ = rank;
    found_ = true;
  }

  const double value_;
  double rank_ = 0;
  bool found_ = false;
};

}  // namespace

double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets) {
  if (buckets.back().upper_bound != kInfinity) return kNaN;
  Coalesce(buckets);
  const double count = buckets.back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  RankFinder low(lower);
  RankFinder high(upper);
  double rank = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const double begin = i > 0                        ? buckets[i - 1].upper_bound
                         : buckets[0].upper_bound > 0 ? 0
                                                      : -kInfinity;
    low.See(buckets[i], begin, rank);
    high.See(buckets[i], begin, rank);
    rank = buckets[i].count;
  }
  return (high.RankOr(count) - low.RankOr(count)) / count;
}

}  // namespace vigia::promql
