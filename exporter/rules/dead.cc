#include "exporter/rules/dead.h"

#include <algorithm>

namespace vigia::exporter {
namespace {

constexpr auto kKept = 60s;
constexpr Timestamp kPast = Timestamp{24} * 3600 * 1000;
// Rules come and go by reloads.
constexpr std::size_t kMost = 50'000;

}  // namespace

bool DeadRules::ReadsNothing(const promql::ParsedQuery& query) const {
  const auto selectors = query.Selectors();
  if (selectors.empty() || query.text().find("absent") != std::string::npos) return false;
  const Timestamp now = clock_.Wall();
  return std::all_of(selectors.begin(), selectors.end(), [&](const auto* selector) {
    const auto series = source_.Select(selector->matchers, {now - kPast, now});
    return series && series->empty();
  });
}

bool DeadRules::Contains(const promql::ParsedQuery& query) {
  const Instant now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    const auto known = found_.find(query.text());
    if (known != found_.end() && now < known->second.until) return known->second.dead;
  }
  const bool dead = ReadsNothing(query);
  const std::lock_guard lock(mutex_);
  if (found_.size() >= kMost) found_.clear();
  found_.insert_or_assign(query.text(), Found{dead, now + kKept});
  return dead;
}

}  // namespace vigia::exporter
