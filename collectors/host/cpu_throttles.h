// How often cores and packages were throttled for heat, from
// /sys/devices/system/cpu/cpu*/thermal_throttle (Intel only). Not thread-safe.

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectors/host/proc_file.h"
#include "core/batch.h"
#include "core/result.h"

namespace vigia::collectors::host {

class CpuThrottles {
 public:
  explicit CpuThrottles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  static std::span<const Metric> Metrics();

  // `cpus` are the CPUs that are online. Each core and package is counted once, by its first CPU.
  Status Collect(std::span<const std::uint32_t> cpus, Batch& batch);

 private:
  struct Counter {
    std::string package;
    std::string core;  // empty: the whole package
    ProcFile file;
  };

  void Discover();

  const std::filesystem::path folder_;
  std::vector<std::uint32_t> cpus_;  // those that counters_ was made for
  std::vector<Counter> counters_;
};

}  // namespace vigia::collectors::host
