#include "core/result.h"

#include <cerrno>
#include <system_error>

namespace vigia {

std::string_view Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error SystemError(std::string_view what, int error_number) {
  const auto code = error_number == EINVAL      ? ErrorCode::kInvalid
                    : error_number == ETIMEDOUT ? ErrorCode::kTimeout
                                                : ErrorCode::kUnavailable;
  // generic_category().message() is thread-safe, unlike strerror().
  return Error(code, std::generic_category().message(error_number)).In(what);
}

}  // namespace vigia
