// Classic histograms: quantiles and fractions of buckets.

#pragma once

#include <vector>

namespace vigia::promql {

struct Bucket {
  double upper_bound;
  double count;  // of all observations up to it
};

// What had to be repaired because counts fell from one bucket to the next.
struct BucketRepair {
  bool forced = false;
  double min_bucket = 0;
  double max_bucket = 0;
  double max_difference = 0;
};

// The q-quantile of at least one bucket, sorted by bound; interpolated within a bucket as if its
// observations were spread evenly (promql/quantile.go, BucketQuantile). Changes `buckets`.
// Prometheus 2 did not forgive tiny differences before it looked for falling counts.
double BucketQuantile(double q, std::vector<Bucket>& buckets, bool is2, BucketRepair& repair);

// The share of observations between two values (BucketFraction). Changes `buckets`.
double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets);

}  // namespace vigia::promql
