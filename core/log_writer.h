// Writes lines to a descriptor without ever waiting long: a reader of standard error that has
// stopped (a full pipe, a terminal that is held) must not stop what logs.

#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace vigia::log {

// Not thread-safe.
class DescriptorWriter {
 public:
  // How long one line may wait. Once a line has waited in vain, the next ones do not wait at all
  // until there is room again.
  static constexpr std::chrono::milliseconds kPatience{200};

  // Borrows the descriptor.
  explicit DescriptorWriter(int descriptor);

  // Returns false if the line, or its rest, was dropped. The next line then begins on a line of
  // its own.
  bool Write(std::string_view line);

 private:
  enum class Kind { kFile, kSocket, kStream };

  bool WriteAll(std::string_view text, std::chrono::steady_clock::time_point until);
  bool AwaitRoom(std::chrono::steady_clock::time_point until) const;

  const int descriptor_;
  Kind kind_ = Kind::kStream;
  bool stalled_ = false;
  bool cut_ = false;  // a line was written in part
};

}  // namespace vigia::log
