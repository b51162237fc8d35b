// Changes that last, told once each: with the deploy that they are near, and the other series that
// changed at the same time.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "alerting/baseline/book.h"
#include "alerting/state/journal.h"
#include "exporter/baselines/marks.h"

namespace vigia::exporter {

inline constexpr std::size_t kMostAlso = 3;

// A change that lasts.
struct Change {
  Labels labels;  // of the series, and "baseline"
  bool worse = false;
  double size = 0;   // 0.6 is +60 %
  std::string text;  // as it was told
  std::string also;  // what else changed at the same time, at most kMostAlso; empty for nothing
};

// The labels of its vigia_baseline_change, without the name, in no order; borrowed from `change`.
std::vector<LabelView> ChangeLabels(const Change& change);

class Regressions {
 public:
  using Pages = std::map<std::string, std::shared_ptr<const alerting::baseline::Book::Page>>;

  // What the journal has was told by the process before.
  Regressions(alerting::state::Journal& journal, const Marks& marks);

  // Events "baseline.regression" and "baseline.improvement" of what is new in `pages`. Called from
  // one thread.
  void Look(const Pages& pages, Timestamp now);

  // What lasted when it last looked. Thread-safe.
  std::vector<Change> Lasting() const;

 private:
  alerting::state::Journal& journal_;
  const Marks& marks_;
  struct Told {
    std::int64_t since = 0;  // Unix seconds
    Timestamp at = 0;        // when it was told
    std::string text;
    std::vector<std::string> suspects;  // with their baseline, the first kMostAlso
    std::string also;
  };
  // A line of a page that holds a change.
  struct Holding {
    const std::string* baseline;
    const alerting::baseline::Line* line;
  };
  struct Suspect {
    Holding holding;
    double weight;  // how much it changed, and how unlike its past that is
  };

  // All of `pages`, by when their changes began.
  static std::vector<Holding> HoldingOf(const Pages& pages);
  // The other series that began to differ at about the same time, the most different first.
  static std::vector<Suspect> SuspectsOf(const std::vector<Holding>& all, const Holding& one);
  static std::string Details(const Holding& one, const std::vector<Suspect>& suspects,
                             const std::optional<Deploy>& deploy);
  static void AddSuspect(Told& told, const std::string& baseline, const Labels& labels,
                         double change);
  Change Tell(const Holding& one, const std::vector<Holding>& all, Timestamp now);

  // What was told last, by baseline and labels.
  std::map<std::pair<std::string, std::string>, Told> told_;

  mutable std::mutex mutex_;
  std::vector<Change> lasting_;  // guarded by mutex_
};

// "since v1.2.3: +62 % on latency{path="/a"} (0.18 -> 0.29), 14 minutes after the deploy
// (2026-11-27 14:05 UTC)", or without a deploy "+62 % on ... (0.18 -> 0.29) since 2026-11-27 14:05
// UTC".
std::string DescribeChange(const std::string& baseline, const alerting::baseline::Line& line,
                           const std::optional<Deploy>& deploy);

}  // namespace vigia::exporter
