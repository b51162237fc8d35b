// Metrics of pages that others write (exporters, files of metrics), each at one address for ever,
// which is how a Batch recognises it. Like MetricTable, but a name whose type changes is another
// metric, and their number is bounded. Not thread-safe.

#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/metric.h"

namespace vigia {

class TypedMetricTable {
 public:
  // Pages that name ever new metrics would otherwise fill the memory.
  static constexpr std::size_t kMax = 10'000;

  // The metric of this name and type; made with the given description if it is new. nullptr beyond
  // kMax.
  const Metric* Get(std::string_view name, MetricType type, std::string_view help,
                    std::string_view unit = {});

 private:
  struct Entry {
    std::string name;
    std::string help;
    std::string unit;
    Metric metric;
  };

  std::deque<Entry> entries_;  // never move
  std::unordered_map<std::string, const Metric*, StringHash, std::equal_to<>> by_key_;
};

}  // namespace vigia
