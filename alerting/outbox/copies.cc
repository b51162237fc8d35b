#include "alerting/outbox/copies.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vigia::alerting::outbox {
namespace {

using dispatch::Notice;
using dispatch::NoticeResult;

// A disk may be full for days: of those that wait to be written the oldest go.
constexpr std::size_t kMostUnwritten = 10'000;

bool IsOver(const NoticeResult& result) {
  return result.state == NoticeResult::State::kDelivered ||
         result.state == NoticeResult::State::kReplaced;
}

}  // namespace

void Copies::Write(const std::vector<Notice>& copies, std::span<const NoticeResult> results) {
  dispatch::Changes changes;
  {
    const std::lock_guard lock(mutex_);
    TakeResults(results);
    changes.notices = std::exchange(unwritten_, {});
    changes.notices.insert(changes.notices.end(), copies.begin(), copies.end());
    for (const auto& notice : changes.notices) under_way_.insert(notice.id);
  }
  if (changes.notices.empty()) return;
  const bool written = store_.Commit(changes).has_value();
  dispatch::Changes late;
  {
    const std::lock_guard lock(mutex_);
    late.results = TakeOvertaken(changes.notices);
    if (!written) {
      std::move(unwritten_.begin(), unwritten_.end(), std::back_inserter(changes.notices));
      unwritten_ = std::move(changes.notices);
      TakeResults(late.results);
      const auto most = std::min(unwritten_.size(), kMostUnwritten);
      unwritten_.erase(unwritten_.begin(), unwritten_.end() - static_cast<std::ptrdiff_t>(most));
      return;
    }
  }
  // Else what has arrived before it was written would stay.
  if (!late.results.empty()) static_cast<void>(store_.Commit(late));
}

void Copies::TakeResults(std::span<const NoticeResult> results) {
  if (unwritten_.empty() && under_way_.empty()) return;
  for (const auto& result : results) {
    if (!IsOver(result)) continue;
    if (under_way_.contains(result.id)) overtaken_.push_back(result);
    std::erase_if(unwritten_, [&](const Notice& notice) { return notice.id == result.id; });
  }
}

std::vector<NoticeResult> Copies::TakeOvertaken(const std::vector<Notice>& notices) {
  std::vector<NoticeResult> taken;
  for (const auto& notice : notices) {
    under_way_.erase(notice.id);
    std::erase_if(overtaken_, [&](const NoticeResult& result) {
      if (result.id != notice.id) return false;
      taken.push_back(result);
      return true;
    });
  }
  return taken;
}

}  // namespace vigia::alerting::outbox
