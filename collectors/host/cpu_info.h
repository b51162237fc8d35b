// What the CPUs are, from /proc/cpuinfo. Off by default: the file is long, and slow to read on
// large machines. Not thread-safe.

#pragma once

#include <filesystem>
#include <span>

#include "collectors/host/name_filter.h"
#include "collectors/host/proc_file.h"
#include "core/batch.h"
#include "core/config/reader.h"
#include "core/result.h"

namespace vigia::collectors::host {

class CpuInfo {
 public:
  // Reads `info` and the expressions `flags_include` and `bugs_include`, each of which switches
  // `info` on.
  CpuInfo(std::filesystem::path path, config::MapReader& options);

  static std::span<const Metric> Metrics();

  Status Collect(Batch& batch);

 private:
  ProcFile file_;
  bool on_ = false;
  bool flags_ = false;
  bool bugs_ = false;
  NameFilter flags_include_;
  NameFilter bugs_include_;
};

}  // namespace vigia::collectors::host
