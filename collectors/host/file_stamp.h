// What tells whether a file is still the one that was read.

#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/result.h"
#include "core/sample.h"

namespace vigia::collectors::host {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_seconds = 0;
  std::int64_t modified_nanoseconds = 0;
  bool regular = false;  // not a folder, pipe or device

  // Nothing for a file that is not there. Errors name it.
  static Result<std::optional<FileStamp>> Of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      return Fail(SystemError(path.string(), errno));
    }
    return FileStamp{status.st_dev,         status.st_ino,          status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec, S_ISREG(status.st_mode)};
  }

  // In Unix milliseconds.
  Timestamp modified() const { return modified_seconds * 1000 + modified_nanoseconds / 1'000'000; }

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

}  // namespace vigia::collectors::host
