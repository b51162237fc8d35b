// Metrics whose names are learnt at run time (fields of /proc/meminfo, another exporter's page).
//
// A Batch recognises a metric by its address, so each has to be made once and kept. Not
// thread-safe.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/metric.h"

namespace vigia {

class MetricTable {
 public:
  // The metric called `name`; made with the given description if it is new, which is then
  // kept whatever later calls say. The reference stays valid as long as the table.
  const Metric& Get(std::string_view name, std::string_view help, MetricType type,
                    std::string_view unit = {});
  // nullptr if there is none.
  const Metric* Find(std::string_view name) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string help;
    std::string unit;
    Metric metric;
  };

  std::unordered_map<std::string, Entry, StringHash, std::equal_to<>> entries_;
};

}  // namespace vigia
