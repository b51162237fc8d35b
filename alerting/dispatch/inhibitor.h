// Which alerts are held back because another one fires. Keeps the firing sources of every rule by
// their `equal` labels, so that a question costs one look-up per rule. Not thread-safe.

#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "alerting/dispatch/identity.h"
#include "alerting/route/inhibit.h"
#include "core/sample.h"

namespace vigia::alerting::dispatch {

class Inhibitor {
 public:
  explicit Inhibitor(std::vector<route::InhibitRule> rules);

  // An alert that fires until `ends_at`, or has ended (`ends_at` <= now at the time of asking).
  void Update(AlertId fingerprint, const Labels& labels, Timestamp ends_at);
  void Remove(AlertId fingerprint, const Labels& labels);

  struct Cause {
    AlertId source = 0;
    std::size_t rule = 0;
  };
  // The sources that fire at `now` and inhibit an alert, at most one per rule. An alert on both
  // sides of a rule is not inhibited by another such (nor by itself).
  std::vector<Cause> InhibitedBy(const Labels& labels, Timestamp now) const;

  const std::vector<route::InhibitRule>& rules() const { return rules_; }

 private:
  struct Source {
    Timestamp ends_at = 0;
    bool two_sided = false;  // matches the target side, too
  };
  using Sources = std::unordered_map<AlertId, Source>;

  std::vector<route::InhibitRule> rules_;
  std::vector<std::unordered_map<std::string, Sources>> sources_;  // per rule, by EqualKey
};

}  // namespace vigia::alerting::dispatch
