// The families that pages ever described, each with a Metric at one address for ever, which is
// how a Batch recognises it. A name whose type changes is another family. Not thread-safe.

#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/metric.h"

namespace vigia::collectors::scrape {

class Families {
 public:
  // Pages that name ever new metrics would otherwise fill the memory.
  static constexpr std::size_t kMax = 10'000;

  // nullptr beyond kMax.
  const Metric* Get(std::string_view name, MetricType type, std::string_view help,
                    std::string_view unit);

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

}  // namespace vigia::collectors::scrape
