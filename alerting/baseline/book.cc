#include "alerting/baseline/book.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"

namespace vigia::alerting::baseline {
namespace {

constexpr std::string_view kSteps[] = {
    "CREATE TABLE baseline_series (baseline TEXT NOT NULL, labels TEXT NOT NULL, "
    "state BLOB NOT NULL, PRIMARY KEY (baseline, labels)) WITHOUT ROWID"};

Labels Named(const Labels& labels, std::string_view metric, std::string_view baseline) {
  LabelsBuilder builder(labels);
  builder.Set("__name__", metric).Set("baseline", baseline);
  return builder.Build();
}

// Changes that last, as opposed to anomalies.
bool Holds(const Verdict& verdict) {
  return verdict.state == State::kRegression || verdict.state == State::kImprovement;
}

std::optional<double> If(bool there, double value) {
  return there ? std::optional(value) : std::nullopt;
}

constexpr Output kOutputs[] = {
    {"vigia_baseline_expected",
     [](const Line& line) { return If(line.verdict.known, line.verdict.expected); }},
    {"vigia_baseline_lower",
     [](const Line& line) { return If(line.verdict.known, line.verdict.lower); }},
    {"vigia_baseline_upper",
     [](const Line& line) { return If(line.verdict.known, line.verdict.upper); }},
    {"vigia_baseline_ratio",
     [](const Line& line) {
       return If(line.verdict.known && line.verdict.expected != 0.0,
                 line.value / line.verdict.expected);
     }},
    {"vigia_baseline_score", [](const Line& line) { return If(true, line.verdict.score); }},
    {"vigia_baseline_regression",
     [](const Line& line) {
       return If(true, line.verdict.state == State::kRegression ? 1.0 : 0.0);
     }},
    {"vigia_baseline_anomaly",
     [](const Line& line) { return If(true, line.verdict.state == State::kAnomaly ? 1.0 : 0.0); }},
    {"vigia_baseline_learning",
     [](const Line& line) { return If(true, line.verdict.state == State::kLearning ? 1.0 : 0.0); }},
    {"vigia_baseline_change_ratio",
     [](const Line& line) { return If(true, Holds(line.verdict) ? line.verdict.change : 0.0); }},
    {"vigia_baseline_since_timestamp_seconds",
     [](const Line& line) {
       return If(Holds(line.verdict), static_cast<double>(line.verdict.since));
     }},
};

void AddLine(std::vector<SeriesSink::Entry>& out, const std::string& baseline, const Line& line,
             Timestamp now) {
  for (const auto& [metric, value] : kOutputs) {
    if (const auto number = value(line)) {
      out.push_back({Named(line.labels, metric, baseline), {now, *number}});
    }
  }
}

}  // namespace

std::span<const Output> Outputs() { return kOutputs; }

Status Book::Open() {
  // A file that is only locked now can be read, and gets its tables with the next write.
  auto migrated = parts_.database.Migrate("baseline", kSteps);
  if (!migrated && migrated.error().code() == ErrorCode::kInvalid) return migrated;
  const std::lock_guard lock(mutex_);
  auto status = parts_.database.Read([&](state::Session& session) {
    return session.Each(
        "SELECT baseline, labels, state FROM baseline_series", {}, [&](const state::Row& row) {
          stored_[{std::string(row.Text(0)), std::string(row.Text(1))}] = row.Text(2);
        });
  });
  ForgetOldStored();
  return status;
}

// Of series that went before the process ended, and of baselines that are gone.
void Book::ForgetOldStored() {
  std::map<std::pair<std::string, std::string>, std::int64_t> seen;
  std::int64_t newest = 0;
  for (const auto& [key, bytes] : stored_) {
    Detector detector({});
    if (!detector.Restore(bytes)) continue;
    newest = std::max(newest, seen[key] = detector.last_time());
  }
  for (const auto& [key, time] : seen) {
    if (time >= newest - kForgetAfter) continue;
    forgotten_.push_back(key);
    stored_.erase(key);
  }
}

void Book::Apply(std::vector<Definition> definitions) {
  const std::lock_guard lock(mutex_);
  auto before = std::exchange(baselines_, {});
  for (auto& definition : definitions) {
    Baseline next;
    const auto old = before.find(definition.name);
    if (old != before.end() && old->second.definition.expression == definition.expression) {
      next = std::move(old->second);
      for (auto& [key, tracked] : next.series) tracked.detector.SetOptions(definition.options);
    }
    next.definition = std::move(definition);
    const auto name = next.definition.name;
    baselines_.insert_or_assign(name, std::move(next));
  }
  const std::lock_guard pages_lock(pages_mutex_);
  std::erase_if(pages_, [&](const auto& page) { return !baselines_.contains(page.first); });
}

Book::Tracked* Book::Track(Baseline& baseline, const Labels& labels, const std::string& key) {
  if (const auto known = baseline.series.find(key); known != baseline.series.end()) {
    return &known->second;
  }
  if (baseline.series.size() >= baseline.definition.max_series) {
    ++baseline.report.over_budget;
    return nullptr;
  }
  Tracked tracked{.labels = labels, .detector = Detector(baseline.definition.options)};
  const auto stored = stored_.find({baseline.definition.name, key});
  if (stored != stored_.end()) {
    // A state of another version is of no use: the series is learnt anew.
    if (!tracked.detector.Restore(stored->second)) {
      tracked.detector = Detector(baseline.definition.options);
    }
    stored_.erase(stored);
    imported_.erase({baseline.definition.name, key});
  }
  return &baseline.series.emplace(key, std::move(tracked)).first->second;
}

void Book::EvaluateOne(Baseline& baseline, Timestamp now) {
  ++baseline.report.evaluations;
  const auto begin = SystemClock().Now();
  auto answer = parts_.engine.Instant(parts_.source, *baseline.definition.query, now);
  const auto* const vector = answer ? std::get_if<promql::InstantVector>(&answer->value) : nullptr;
  std::vector<Line> lines;
  if (vector == nullptr) {
    // What is not known now is as it was: a failure ends no alert.
    if (const auto page = PageOf(baseline.definition.name)) lines = page->lines;
    ++baseline.report.failures;
    baseline.report.last_error = answer ? "not an instant vector" : answer.error().message;
  } else {
    EvaluateSeries(baseline, *vector, now, lines);
  }
  baseline.report.seconds = std::chrono::duration<double>(SystemClock().Now() - begin).count();
  Publish(baseline, std::move(lines));
}

void Book::EvaluateSeries(Baseline& baseline, const promql::InstantVector& vector, Timestamp now,
                          std::vector<Line>& lines) {
  const bool learn = !parts_.learns || parts_.learns(now);
  std::vector<SeriesSink::Entry> entries;
  std::set<std::string> seen;
  for (const auto& sample : vector) {
    auto labels = WithoutName(sample.labels);
    auto key = labels.ToString();
    auto* const tracked = Track(baseline, labels, key);
    if (tracked == nullptr) continue;
    // After a restart within one interval this moment has been learnt.
    const bool known = tracked->detector.rows() > 0 && now / 1000 <= tracked->detector.last_time();
    if (!known) {
      tracked->verdict = tracked->detector.Step(now / 1000, sample.value, learn);
      tracked->dirty = true;
    }
    seen.insert(std::move(key));
    if (tracked->verdict.state == State::kNoData) continue;
    const auto& line = lines.emplace_back(Line{std::move(labels), sample.value, tracked->verdict});
    if (!known) AddLine(entries, baseline.definition.name, line, now);
  }
  for (auto& [key, tracked] : baseline.series) {
    if (!seen.contains(key)) tracked.verdict = {};
  }
  if (auto outcome = parts_.sink.Append(entries); !outcome) {
    ++baseline.report.failures;
    baseline.report.last_error = outcome.error().message();
  }
}

void Book::Publish(const Baseline& baseline, std::vector<Line> lines) {
  auto page = std::make_shared<Page>();
  page->report = baseline.report;
  page->report.series = baseline.series.size();
  for (const auto& [key, tracked] : baseline.series) {
    page->report.learning += tracked.verdict.state == State::kLearning ? 1 : 0;
    page->report.regressions += tracked.verdict.state == State::kRegression ? 1 : 0;
  }
  page->lines = std::move(lines);
  const std::lock_guard lock(pages_mutex_);
  pages_[baseline.definition.name] = std::move(page);
}

void Book::Evaluate(Timestamp now) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, baseline] : baselines_) {
    const auto tick = now / baseline.definition.interval.count();
    if (tick == baseline.tick) continue;
    baseline.tick = tick;
    if (!baseline.filled) BackFill(baseline, now);
    EvaluateOne(baseline, tick * baseline.definition.interval.count());
  }
}

void Book::Take(const std::string& name, const promql::InstantVector& answer, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = baselines_.find(name);
  if (found == baselines_.end()) return;
  auto& baseline = found->second;
  ++baseline.report.evaluations;
  std::vector<Line> lines;
  EvaluateSeries(baseline, answer, now, lines);
  Publish(baseline, std::move(lines));
}

Result<std::size_t> Book::Change(const std::string& name, const Fits& fit,
                                 const std::function<bool(Tracked&, const Definition&)>& change) {
  const std::lock_guard lock(mutex_);
  const auto baseline = baselines_.find(name);
  if (baseline == baselines_.end()) {
    return Fail(ErrorCode::kInvalid, "there is no baseline '" + name + "'");
  }
  std::size_t count = 0;
  for (auto& [key, tracked] : baseline->second.series) {
    if (!fit(tracked.labels) || !change(tracked, baseline->second.definition)) continue;
    tracked.dirty = true;
    ++count;
  }
  return count;
}

Result<std::size_t> Book::Accept(const std::string& name, const Fits& fit) {
  return Change(name, fit,
                [](Tracked& tracked, const Definition&) { return tracked.detector.Accept(); });
}

Result<std::size_t> Book::Undo(const std::string& name, const Fits& fit) {
  return Change(name, fit,
                [](Tracked& tracked, const Definition&) { return tracked.detector.Undo(); });
}

Result<std::size_t> Book::Reset(const std::string& name, const Fits& fit) {
  return Change(name, fit, [](Tracked& tracked, const Definition& definition) {
    tracked.detector = Detector(definition.options);
    tracked.verdict = {.state = State::kLearning};
    return true;
  });
}

void Book::ForgetOld() {
  for (auto& [name, baseline] : baselines_) {
    std::int64_t newest = 0;
    for (const auto& [key, tracked] : baseline.series) {
      newest = std::max(newest, tracked.detector.last_time());
    }
    std::erase_if(baseline.series, [&, &name = name](const auto& series) {
      const bool old = series.second.detector.last_time() < newest - kForgetAfter;
      if (old) forgotten_.emplace_back(name, series.first);
      return old;
    });
  }
}

Status Book::Save() {
  const std::lock_guard lock(mutex_);
  return SaveLocked();
}

Status Book::SaveLocked() {
  ForgetOld();
  auto status = parts_.database.Write([&](state::Session& session) -> Status {
    const auto write = [&](std::string_view name, std::string_view key, std::string_view bytes) {
      return session.Run(
          "INSERT OR REPLACE INTO baseline_series (baseline, labels, state) VALUES (?, ?, ?)",
          {name, key, bytes});
    };
    for (const auto& [name, baseline] : baselines_) {
      for (const auto& [key, tracked] : baseline.series) {
        if (!tracked.dirty) continue;
        if (auto written = write(name, key, tracked.detector.Save()); !written) return written;
      }
    }
    for (const auto& key : imported_) {
      auto written = write(key.first, key.second, stored_.at(key));
      if (!written) return written;
    }
    for (const auto& [name, key] : forgotten_) {
      auto deleted = session.Run("DELETE FROM baseline_series WHERE baseline = ? AND labels = ?",
                                 {std::string_view(name), std::string_view(key)});
      if (!deleted) return deleted;
    }
    return Ok();
  });
  if (!status) return status;
  forgotten_.clear();
  imported_.clear();
  for (auto& [name, baseline] : baselines_) {
    for (auto& [key, tracked] : baseline.series) tracked.dirty = false;
  }
  return Ok();
}

std::shared_ptr<const Book::Page> Book::PageOf(const std::string& name) const {
  const std::lock_guard lock(pages_mutex_);
  const auto page = pages_.find(name);
  return page == pages_.end() ? nullptr : page->second;
}

std::map<std::string, std::shared_ptr<const Book::Page>> Book::Pages() const {
  const std::lock_guard lock(pages_mutex_);
  return pages_;
}

}  // namespace vigia::alerting::baseline
