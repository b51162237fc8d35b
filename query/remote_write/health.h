// How an endpoint is, told when it changes: whatever number of requests fail, a person sees it
// once. Thread-safe.

#pragma once

#include <functional>
#include <mutex>
#include <string_view>

#include "core/result.h"

namespace vigia::remote_write {

class Health {
 public:
  // `error` is null where something is fine again. Not called under a lock.
  using OnChange = std::function<void(std::string_view message, const Error* error)>;

  explicit Health(OnChange on_change) : on_change_(std::move(on_change)) {}

  void Failed(const Error& error);
  void Refused(const Error& error);
  // A request was delivered: it does not fail any more. Whether something is refused shows only at
  // the end of a portion.
  void Delivered();
  void EndPortion();

 private:
  enum class State { kFine, kFailing, kRefusing };

  // Needs lock_; whether it is another than before.
  bool Become(State state);

  const OnChange on_change_;
  std::mutex lock_;
  // Guarded by lock_.
  State state_ = State::kFine;
  bool refused_ = false;  // in this portion
};

}  // namespace vigia::remote_write
