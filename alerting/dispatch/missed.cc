#include "alerting/dispatch/missed.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vigia::alerting::dispatch {
namespace {

template <typename Item>
void Append(std::vector<Item>& to, const std::vector<Item>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

template <typename Item>
void Prepend(std::vector<Item>& to, std::vector<Item>&& from) {
  from.insert(from.end(), std::make_move_iterator(to.begin()), std::make_move_iterator(to.end()));
  to = std::move(from);
}

}  // namespace

void Missed::Add(const Changes& lost) {
  for (const auto& notice : lost.notices) notices_.insert(notice.id);
  Append(changes_.notices, lost.notices);
  Append(changes_.results, lost.results);
  Append(changes_.forgotten_alerts, lost.forgotten_alerts);
  Append(changes_.forgotten_silences, lost.forgotten_silences);
  Append(changes_.forgotten_acks, lost.forgotten_acks);
  Append(changes_.forgotten_log, lost.forgotten_log);
}

void Missed::Follow(const NoticeResult& result) {
  if (notices_.contains(result.id)) changes_.results.push_back(result);
}

void Missed::MoveTo(Changes& changes) {
  auto mine = std::exchange(changes_, {});
  notices_.clear();
  Prepend(changes.notices, std::move(mine.notices));
  Prepend(changes.results, std::move(mine.results));
  Prepend(changes.forgotten_alerts, std::move(mine.forgotten_alerts));
  Prepend(changes.forgotten_silences, std::move(mine.forgotten_silences));
  Prepend(changes.forgotten_acks, std::move(mine.forgotten_acks));
  Prepend(changes.forgotten_log, std::move(mine.forgotten_log));
}

}  // namespace vigia::alerting::dispatch
