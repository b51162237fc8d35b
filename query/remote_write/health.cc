#include "query/remote_write/health.h"

#include <utility>

namespace vigia::remote_write {
namespace {

constexpr std::string_view kFine = "remote write works again";

}  // namespace

bool Health::Become(State state) { return std::exchange(state_, state) != state; }

void Health::Failed(const Error& error) {
  {
    const std::lock_guard guard(lock_);
    if (!Become(State::kFailing)) return;
  }
  on_change_("remote write fails and is tried again", &error);
}

void Health::Refused(const Error& error) {
  {
    const std::lock_guard guard(lock_);
    refused_ = true;
    if (!Become(State::kRefusing)) return;
  }
  on_change_("remote write is refused, samples are dropped", &error);
}

void Health::Delivered() {
  {
    const std::lock_guard guard(lock_);
    if (state_ != State::kFailing) return;
    state_ = State::kFine;
  }
  on_change_(kFine, nullptr);
}

void Health::EndPortion() {
  {
    const std::lock_guard guard(lock_);
    if (std::exchange(refused_, false) || !Become(State::kFine)) return;
  }
  on_change_(kFine, nullptr);
}

}  // namespace vigia::remote_write
