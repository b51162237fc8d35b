// The labels of series on their way out: external labels added, relabelling rules applied. Each
// series is looked at once. Not thread-safe.

#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>

#include "core/labels.h"
#include "core/relabel.h"
#include "core/sample.h"

namespace vigia::remote_write {

class Labelling {
 public:
  struct Outgoing {
    Labels labels;           // empty: the rules drop the series
    std::uint64_t hash = 0;  // of the labels; the same in every run
    Timestamp newest = std::numeric_limits<Timestamp>::min();  // for the caller to keep
  };

  Labelling(std::map<std::string, std::string> external_labels, Relabeling relabeling)
      : external_labels_(std::move(external_labels)), relabeling_(std::move(relabeling)) {}

  // Valid until the next call of Trim().
  Outgoing& Of(const Labels& labels);
  // Forgets all if there are many.
  void Trim();

 private:
  Outgoing Make(const Labels& labels) const;

  const std::map<std::string, std::string> external_labels_;
  const Relabeling relabeling_;
  std::unordered_map<Labels, Outgoing> known_;
};

}  // namespace vigia::remote_write
