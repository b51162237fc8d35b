// The mounts of the host, as its first process sees them: from /proc/1/mountinfo, or from our own
// tables where that may not be read. Not thread-safe.

#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/host/proc_file.h"
#include "core/result.h"

namespace vigia::collectors::host {

struct Mount {
  std::string device;
  std::string mount_point;
  std::string fs_type;
  bool read_only = false;  // the mount, or the file system below it

  friend bool operator==(const Mount&, const Mount&) = default;
};

class MountTable {
 public:
  explicit MountTable(const std::filesystem::path& procfs);

  // Reads the table again; true if mounts() changed. Errors name the file.
  Result<bool> Refresh();

  // In the kernel's order, in which a later mount covers an earlier one at the same place.
  const std::vector<Mount>& mounts() const { return mounts_; }

 private:
  Result<std::size_t> Read(std::string_view& text);
  Status Parse(std::string_view text, std::size_t file);

  std::array<ProcFile, 3> files_;
  std::string text_;  // what mounts_ was made from
  std::size_t file_ = 0;
  std::vector<Mount> mounts_;
};

// Undoes the kernel's escaping of blanks and backslashes: "\040" is a space.
std::string UnescapeOctal(std::string_view text);

}  // namespace vigia::collectors::host
