// What the Book has learnt, given away and taken over.

#include "alerting/baseline/book.h"
#include "query/promql/syntax/parser.h"

namespace vigia::alerting::baseline {
namespace {

// The labels that a key is the text of.
Labels LabelsOf(const std::string& key) {
  const auto matchers = promql::ParseSelector(key);
  if (!matchers) return {};
  std::vector<LabelView> labels;
  for (const auto& matcher : *matchers) labels.push_back({matcher.name, matcher.value});
  return Labels::FromPairs(labels);
}

}  // namespace

Result<std::vector<Learnt>> Book::Export(const std::string& name, const Fits& fit, Key& after,
                                         std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  if (!name.empty() && !baselines_.contains(name)) {
    return Fail(ErrorCode::kInvalid, "there is no baseline '" + name + "'");
  }
  std::vector<Learnt> out;
  const auto add = [&](const Baseline& baseline, const std::string& key, const Labels& labels,
                       std::string state) {
    if (!fit(labels)) return;
    Detector detector({});
    if (!detector.Restore(state) || detector.rows() == 0) return;
    out.push_back({.baseline = baseline.definition.name,
                   .expression = baseline.definition.expression,
                   .labels = labels,
                   .last_time = detector.last_time(),
                   .rows = detector.rows(),
                   .state = std::move(state)});
    after = {baseline.definition.name, key};
  };
  for (const auto& [own, baseline] : baselines_) {
    if ((!name.empty() && own != name) || own < after.first) continue;
    // The series that are followed, and those that have not been seen yet since the start, merged.
    auto tracked =
        own == after.first ? baseline.series.upper_bound(after.second) : baseline.series.begin();
    auto stored = own == after.first ? stored_.upper_bound(after) : stored_.lower_bound({own, ""});
    while (out.size() < limit) {
      const bool more = stored != stored_.end() && stored->first.first == own;
      if (tracked == baseline.series.end() && !more) break;
      if (more && (tracked == baseline.series.end() || stored->first.second < tracked->first)) {
        add(baseline, stored->first.second, LabelsOf(stored->first.second), stored->second);
        ++stored;
      } else {
        add(baseline, tracked->first, tracked->second.labels, tracked->second.detector.Save());
        ++tracked;
      }
    }
    if (out.size() >= limit) break;
  }
  return out;
}

std::size_t Book::CountKnown(const Baseline& baseline) const {
  const auto& name = baseline.definition.name;
  auto count = baseline.series.size();
  for (auto stored = stored_.lower_bound({name, ""});
       stored != stored_.end() && stored->first.first == name; ++stored) {
    ++count;
  }
  return count;
}

void Book::ImportOne(const Learnt& learnt, ImportOptions options, std::size_t& known,
                     Imported& outcome) {
  auto& baseline = baselines_.at(learnt.baseline);
  const Key key{learnt.baseline, learnt.labels.ToString()};
  const auto tracked = baseline.series.find(key.second);
  const auto stored = stored_.find(key);
  const bool is_new = tracked == baseline.series.end() && stored == stored_.end();
  Detector here(baseline.definition.options);
  if (tracked != baseline.series.end()) here = tracked->second.detector;
  // What cannot be restored is worth nothing, so it gives way.
  const bool worth = stored == stored_.end() || here.Restore(stored->second).has_value();
  if (!options.force && worth && here.rows() > 0 && here.last_time() > learnt.last_time) {
    ++outcome.newer;
    return;
  }
  if (is_new && known >= baseline.definition.max_series) {
    ++outcome.over_budget;
    return;
  }
  if (is_new) ++known;
  ++outcome.taken;
  if (options.check) return;
  std::erase(forgotten_, key);
  if (tracked == baseline.series.end()) {
    stored_[key] = learnt.state;
    imported_.insert(key);
  } else if (tracked->second.detector.Restore(learnt.state)) {
    tracked->second.dirty = true;
  }
}

Result<Book::Imported> Book::Import(const std::vector<Learnt>& learnt, ImportOptions options,
                                    Timestamp now) {
  const std::lock_guard lock(mutex_);
  Imported outcome;
  std::map<std::string, std::size_t> known;
  for (const auto& one : learnt) {
    const auto baseline = baselines_.find(one.baseline);
    if (baseline == baselines_.end()) {
      outcome.unknown.insert(one.baseline);
    } else if (!options.force && baseline->second.definition.expression != one.expression) {
      outcome.differing.insert(one.baseline);
    } else if (one.last_time > now / 1000 || one.last_time < now / 1000 - kForgetAfter) {
      ++outcome.misdated;
    } else {
      auto [count, first] = known.try_emplace(one.baseline, 0);
      if (first) count->second = CountKnown(baseline->second);
      ImportOne(one, options, count->second, outcome);
    }
  }
  if (options.check || outcome.taken == 0) return outcome;
  if (auto status = SaveLocked(); !status) return Fail(status.error());
  return outcome;
}

}  // namespace vigia::alerting::baseline
