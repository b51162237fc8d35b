// What a failed write left unwritten and the dispatcher does not hold otherwise: notices, what
// became of them, and what was to be forgotten. Not thread-safe: the dispatcher guards it.

#pragma once

#include <string>
#include <unordered_set>

#include "alerting/dispatch/store.h"

namespace vigia::alerting::dispatch {

class Missed {
 public:
  // Remembers what of `lost` nobody else does.
  void Add(const Changes& lost);
  // A later result of a notice that is still to be written: it has to be written behind it.
  void Follow(const NoticeResult& result);
  // Puts all of it before what `changes` has, and remembers nothing any more. What a caller knows
  // again is not to be forgotten: it takes those ids out.
  void MoveTo(Changes& changes);

 private:
  Changes changes_;
  std::unordered_set<std::string> notices_;  // ids of those in changes_
};

}  // namespace vigia::alerting::dispatch
