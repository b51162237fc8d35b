// A Notice: one message that one integration of a receiver has to get, as it was decided.
//
// Its id stays the same however often it is tried, over restarts too: whoever gets it twice can
// tell.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "alerting/dispatch/known_alert.h"
#include "alerting/dispatch/log.h"

namespace vigia::alerting::dispatch {

struct Notice {
  std::string id;
  LogKey key;
  Labels group_labels;
  std::map<std::string, std::string> route_labels;
  std::vector<AlertPtr> alerts;  // firing ones first, then by labels
  Timestamp time = 0;            // when it was decided: alerts count as firing or resolved then
  std::string reason;

  bool AnyFiring() const;
  std::size_t CountFiring() const;
};

// Takes notices that have been written down. Thread-safe and quick.
class NoticeSink {
 public:
  virtual ~NoticeSink() = default;
  virtual void Submit(std::vector<Notice> notices) = 0;
};

// What became of a notice.
struct NoticeResult {
  // kReplaced: a later one says the same and more.
  enum class State { kRetrying, kDelivered, kDead, kReplaced };

  std::string id;
  LogKey key;
  State state = State::kRetrying;
  int attempts = 0;
  Timestamp time = 0;
  Timestamp decided = 0;   // the notice's own time
  Timestamp next_try = 0;  // kRetrying
  std::string answer;      // what the receiver said last
  std::string handle;      // kDelivered: what the receiver wants back with the next of this group
};

}  // namespace vigia::alerting::dispatch
