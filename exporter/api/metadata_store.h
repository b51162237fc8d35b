// Types and helps of metrics that others have sent here, for /api/v1/metadata. What is collected
// here is described by its readings and does not need it. Thread-safe.

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/api/write_request.h"

namespace vigia::api {

class MetadataStore {
 public:
  // A later description of a metric replaces the earlier one. Beyond 50,000 metrics or 16 MiB new
  // ones are left out.
  void Add(const std::vector<MetricDescription>& descriptions);

  // Of one metric, or of all for an empty name; sorted by name.
  std::vector<MetricDescription> Get(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, MetricDescription, std::less<>> by_name_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::api
