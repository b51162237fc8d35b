// What becomes of a series of a page: the target's labels are attached, then the relabelling
// rules run, then the limits are held against it, as Prometheus does it for a target.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/labels.h"
#include "core/relabel.h"
#include "core/result.h"

namespace vigia::collectors::scrape {

// Of one series after relabelling, its name and the target's labels included; 0 for none.
struct LabelLimits {
  std::int64_t count = 0;
  std::int64_t name_length = 0;
  std::int64_t value_length = 0;
};

enum class Verdict { kKept, kDroppedByRule, kOverLabelLimit, kWithoutName };

struct Labelled {
  Verdict verdict = Verdict::kKept;
  Labels labels;  // of a series that is kept; with "__name__"
};

// Immutable.
class Labelling {
 public:
  struct Options {
    Labels target;  // job, instance and whatever else stands for the target
    // Where a series has a label of the target's already: its own counts, or it becomes
    // "exported_<label>".
    bool honor_labels = false;
    Relabeling relabeling;
    LabelLimits limits;
  };

  explicit Labelling(Options options) : options_(std::move(options)) {}

  const Labels& target() const { return options_.target; }
  Labelled Apply(std::string_view name, std::span<const LabelView> labels) const;

 private:
  void Attach(std::span<const LabelView> labels, LabelsBuilder& builder) const;
  bool WithinLimits(const Labels& labels) const;

  const Options options_;
};

}  // namespace vigia::collectors::scrape
