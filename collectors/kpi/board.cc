#include "collectors/kpi/board.h"

namespace vigia::collectors::kpi {

QueryState Board::Get(std::size_t query) const {
  const std::lock_guard lock(mutex_);
  return states_[query];
}

void Board::NoteAnswer(std::size_t query, std::shared_ptr<const Answer> answer, Instant asked_at,
                       Duration took) {
  const std::lock_guard lock(mutex_);
  auto& state = states_[query];
  state.answer.swap(answer);  // the old one is freed after the lock
  state.asked_at = asked_at;
  state.attempted = true;
  state.failure.reset();
  state.duration_seconds = std::chrono::duration<double>(took).count();
}

void Board::NoteError(std::size_t query, const Error& error, Duration took) {
  const std::lock_guard lock(mutex_);
  auto& state = states_[query];
  state.attempted = true;
  state.failure = error;
  ++state.errors;
  state.duration_seconds = std::chrono::duration<double>(took).count();
}

void Board::NoteUnavailable(std::size_t query, const Error& error) {
  const std::lock_guard lock(mutex_);
  states_[query].attempted = true;
  states_[query].failure = error;
}

}  // namespace vigia::collectors::kpi
