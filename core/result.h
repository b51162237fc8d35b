// Result<T>: a value, or the Error that explains why there is none.
//
// Errors are values here: nothing of ours throws, and a library that does is
// caught in the file that wraps it. A caller that retries looks at code()
// alone; message() is for people, outermost context first:
// "postgres main: locks: server closed the connection".

#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace vigia {

enum class ErrorCode {
  kInvalid,      // The caller's input is wrong; the same call fails again.
  kUnavailable,  // The other side is absent or refuses for now; a retry may work.
  kTimeout,      // The deadline passed first.
  kCorrupt,      // Data that was read is not what its format promises.
  kInternal,     // A fault of our own.
};

// "invalid", "unavailable", ...
std::string_view Name(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error, said of `context`: "context: message".
  Error In(std::string_view context) const {
    std::string message(context);
    message += ": ";
    message += message_;
    return {code_, std::move(message)};
  }

  friend bool operator==(const Error&, const Error&) = default;

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline Status Ok() { return {}; }

inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return Fail(Error(code, std::move(message)));
}

// The error of a failed system call: "what: No such file or directory". The code
// follows from `error_number` (an errno value).
Error SystemError(std::string_view what, int error_number);

}  // namespace vigia
