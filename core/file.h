// Files, read whole.

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia {

// The content of a file, of /proc too. Errors name the file; kCorrupt above `limit` bytes.
Result<std::string> ReadFile(const std::filesystem::path& path,
                             std::size_t limit = 64 * 1024 * 1024);

// Replaces the file in one step (temporary file, fsync, rename): after a crash there is either
// the old content or the new.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                           unsigned mode = 0640);

// A file of /proc or /sys that is read again and again: it is opened once and read from
// position 0 each time, which makes the kernel render it anew. Reopened after an error
// (a device that went away and came back). Not thread-safe.
class KeptFile {
 public:
  explicit KeptFile(std::filesystem::path path) : path_(std::move(path)) {}
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;
  ~KeptFile();

  // The content, valid until the next Read() into the same `buffer`, which grows as needed.
  // Errors name the file; a missing one is kUnavailable.
  Result<std::string_view> Read(std::string& buffer);

  const std::filesystem::path& path() const { return path_; }
  // Whether the last Read() failed because this kernel has no such file: not built in, not
  // loaded, switched off, or the device is gone.
  bool absent() const { return absent_; }

 private:
  void Close();
  Error Failure(int error_number);

  std::filesystem::path path_;
  int descriptor_ = -1;
  bool absent_ = false;
};

}  // namespace vigia
