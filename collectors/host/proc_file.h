// A file of /proc or /sys together with the buffer it is read into. Not thread-safe.
//
// Each has a buffer of its own: the kernel allocates and clears as much as it is asked for when
// a file below /proc/sys is read (100 us for a buffer of 1 MiB), so a small file must not be read
// into a buffer that grew for a large one.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/result.h"

namespace vigia::collectors::host {

class ProcFile {
 public:
  explicit ProcFile(std::filesystem::path path) : file_(std::move(path)) {}

  // The content, valid until the next read. Errors name the file.
  Result<std::string_view> Read() { return file_.Read(buffer_); }

  // The same for a file that a kernel may lack; nothing if it does.
  Result<std::optional<std::string_view>> ReadIfPresent() {
    auto text = file_.Read(buffer_);
    if (text) return std::optional(*text);
    if (file_.absent()) return std::optional<std::string_view>();
    return Fail(std::move(text.error()));
  }

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  KeptFile file_;
  std::string buffer_;
};

}  // namespace vigia::collectors::host
