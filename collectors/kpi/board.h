// The Board holds what is known of each query of an entry: its last good answer, and how its last
// attempt ended. The runner writes it, the views read it.
//
// Thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "collectors/kpi/answer.h"
#include "core/clock.h"
#include "core/result.h"

namespace vigia::collectors::kpi {

struct QueryState {
  std::shared_ptr<const Answer> answer;  // the last good one; null: none yet
  Instant asked_at{};                    // when that was asked for: the numbers are of then
  bool attempted = false;
  std::optional<Error> failure;  // of the last attempt
  std::uint64_t errors = 0;
  double duration_seconds = 0;  // of the last attempt
};

class Board {
 public:
  explicit Board(std::size_t queries) : states_(queries) {}

  QueryState Get(std::size_t query) const;

  void NoteAnswer(std::size_t query, std::shared_ptr<const Answer> answer, Instant asked_at,
                  Duration took);
  void NoteError(std::size_t query, const Error& error, Duration took);
  // It could not even be asked: the source is not there.
  void NoteUnavailable(std::size_t query, const Error& error);

 private:
  mutable std::mutex mutex_;
  std::vector<QueryState> states_;  // guarded by mutex_
};

}  // namespace vigia::collectors::kpi
