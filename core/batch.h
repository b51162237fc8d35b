// A Batch is where a collector puts one reading of the world.
//
//     batch.Add(kLoad1, 0.2);
//     batch.Add(kCpuSeconds, {{"cpu", "0"}, {"mode", "idle"}}, 12.5);
//
// It lives as long as its collector instance and remembers the series of the run before:
// a series added in the same place as last time is recognised by comparing its label bytes
// (about 10 ns), otherwise by a hash table, and only a series never seen pays for building
// labels and text. Not thread-safe.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/family.h"
#include "core/labels.h"
#include "core/metric.h"
#include "core/reading.h"

namespace vigia {

// A classic histogram or a summary, as a source reports it.
struct HistogramValue {
  struct Bucket {
    double upper_bound;  // le; or the quantile of a summary
    double value;        // cumulative count; or the quantile's value
  };
  std::vector<Bucket> buckets;  // ascending; a histogram's missing +Inf bucket is added from count
  double sum = 0;
  double count = 0;
};

class Batch {
 public:
  struct Options {
    // Added to every series that does not have a label of that name.
    Labels constant_labels;
    // At most so many series in one reading; the newest beyond it are dropped and counted.
    std::size_t budget = 10'000;
  };

  Batch() : Batch(Options{}) {}
  explicit Batch(Options options);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Adds one series. Empty label values are left out. `metric` stays at its address for
  // the life of the batch. A series added twice keeps its first value and is counted.
  void Add(const Metric& metric, double value) { AddAt(metric, {}, value, 0); }
  void Add(const Metric& metric, std::initializer_list<LabelView> labels, double value) {
    AddAt(metric, {labels.begin(), labels.size()}, value, 0);
  }
  void Add(const Metric& metric, std::span<const LabelView> labels, double value) {
    AddAt(metric, labels, value, 0);
  }
  // With the time that the source gave; 0 for none.
  void AddAt(const Metric& metric, std::span<const LabelView> labels, double value, Timestamp time);
  // Expands into x_bucket{le}, x_sum and x_count, or x{quantile}, x_sum and x_count,
  // by the type of `metric`.
  void AddHistogram(const Metric& metric, std::span<const LabelView> labels,
                    const HistogramValue& value);
  void AddHistogram(const Metric& metric, std::initializer_list<LabelView> labels,
                    const HistogramValue& value) {
    AddHistogram(metric, std::span<const LabelView>{labels.begin(), labels.size()}, value);
  }
  // One sample of a family under the name it has on the wire (`x_bucket` of histogram `x`):
  // for readers of other exporters' pages.
  void AddSample(const Metric& metric, std::string_view sample_name,
                 std::span<const LabelView> labels, double value, Timestamp time = 0);

  // Ends the run: what was added, as an immutable reading taken at `time`. The batch is
  // empty again.
  std::shared_ptr<const Reading> Finish(Timestamp time);
  // Throws away what was added since the last Finish().
  void Discard();

  // Where a run stands, so that a part of it that fails can be taken back.
  struct Mark {
    std::vector<std::size_t> counts;  // by family
    std::size_t dropped = 0;
    std::size_t duplicates = 0;
  };
  Mark Here() const;
  // Takes back what was added since `mark`, which is one of this run.
  void Rewind(const Mark& mark);
  // Series of `metric` that this run does not add, all or those with `label`, are *unknown* in its
  // reading, not *gone*.
  void Withhold(const Metric& metric, LabelView label = {});

  // A second, small batch for what a collector still knows when it fails ("pg_up 0"): it is
  // published only if Collect() returns an error, while all other series go stale.
  Batch& OnFailure();
  // Ends a failed run: discards it, and returns what OnFailure() was given, or nullptr if nothing.
  std::shared_ptr<const Reading> FinishFailure(Timestamp time);

  // Of the run that Finish() ended last.
  std::size_t dropped() const { return dropped_; }        // over budget
  std::size_t duplicates() const { return duplicates_; }  // added twice
  // The first series that was added twice, for a message; empty if none.
  const std::string& first_duplicate() const { return first_duplicate_; }

 private:
  class FamilyBuffer;

  FamilyBuffer& BufferFor(const Metric& metric);
  void EnforceBudget();

  const Options options_;
  std::vector<std::unique_ptr<FamilyBuffer>> buffers_;  // in order of first appearance
  std::unordered_map<const Metric*, FamilyBuffer*> by_metric_;
  const Metric* last_metric_ = nullptr;
  FamilyBuffer* last_buffer_ = nullptr;
  std::unique_ptr<Batch> on_failure_;
  // The run in progress.
  std::size_t size_ = 0;
  std::size_t running_dropped_ = 0;
  std::size_t running_duplicates_ = 0;
  std::string running_first_duplicate_;
  std::vector<Withheld> withheld_;
  // The run that Finish() ended.
  std::size_t dropped_ = 0;
  std::size_t duplicates_ = 0;
  std::string first_duplicate_;
};

}  // namespace vigia
