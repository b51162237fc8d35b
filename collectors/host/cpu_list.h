// A file of /sys/devices/system/cpu that lists CPUs: "0-3,8". Not thread-safe.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "collectors/host/proc_file.h"
#include "core/result.h"

namespace vigia::collectors::host {

// Above what any kernel can be built for.
inline constexpr std::uint32_t kMaxCpus = 65'536;

class CpuList {
 public:
  explicit CpuList(std::filesystem::path path) : file_(std::move(path)) {}

  // Reads the file again. A kernel without it has an empty list.
  Status Refresh();
  // Ascending.
  const std::vector<std::uint32_t>& cpus() const { return cpus_; }

 private:
  ProcFile file_;
  std::string text_;  // what cpus_ was made from
  std::vector<std::uint32_t> cpus_;
};

}  // namespace vigia::collectors::host
