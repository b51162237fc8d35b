// Copies for the fallback receiver, written down before they are sent. What the store does not take
// is kept, and written with the next change. Thread-safe; nothing is locked while the store writes.

#pragma once

#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "alerting/dispatch/store.h"

namespace vigia::alerting::outbox {

class Copies {
 public:
  // `store` outlives it.
  explicit Copies(dispatch::Store& store) : store_(store) {}

  // Writes `copies`, and those that earlier failures left, unless `results`, which are about to be
  // written, say that they have arrived.
  void Write(const std::vector<dispatch::Notice>& copies,
             std::span<const dispatch::NoticeResult> results);

 private:
  // With mutex_ held.
  void TakeResults(std::span<const dispatch::NoticeResult> results);
  std::vector<dispatch::NoticeResult> TakeOvertaken(const std::vector<dispatch::Notice>& notices);

  dispatch::Store& store_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<dispatch::Notice> unwritten_;
  std::set<std::string> under_way_;                // ids that are being written
  std::vector<dispatch::NoticeResult> overtaken_;  // of those, what became of them meanwhile
};

}  // namespace vigia::alerting::outbox
