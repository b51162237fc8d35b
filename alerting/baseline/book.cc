#include "alerting/baseline/book.h"

#include <algorithm>
#include <set>
#include <utility>

namespace vigia::alerting::baseline {
namespace {

constexpr std::string_view kSteps[] = {
    "CREATE TABLE baseline_series (baseline TEXT NOT NULL, labels TEXT NOT NULL, "
    "state BLOB NOT NULL, PRIMARY KEY (baseline, labels)) WITHOUT ROWID"};

// How much of the past a new baseline learns from, in evaluations.
constexpr std::int64_t kMaxPast = 11'000;

Labels Named(const Labels& labels, std::string_view metric, std::string_view baseline) {
  LabelsBuilder builder(labels);
  builder.Set("__name__", metric).Set("baseline", baseline);
  return builder.Build();
}

std::string KeyOf(const Labels& labels) {
  LabelsBuilder builder(labels);
  return builder.Remove("__name__").Build().ToString();
}

void AddVerdict(std::vector<SeriesSink::Entry>& out, const std::string& baseline,
                const promql::InstantSample& sample, const Verdict& verdict, Timestamp now) {
  if (verdict.state == State::kNoData) return;
  const auto add = [&](std::string_view metric, double value) {
    out.push_back({Named(sample.labels, metric, baseline), {now, value}});
  };
  if (verdict.known) {
    add("vigia_baseline_expected", verdict.expected);
    add("vigia_baseline_lower", verdict.lower);
    add("vigia_baseline_upper", verdict.upper);
    if (verdict.expected != 0.0) add("vigia_baseline_ratio", sample.value / verdict.expected);
  }
  add("vigia_baseline_score", verdict.score);
  add("vigia_baseline_regression", verdict.state == State::kRegression ? 1.0 : 0.0);
  add("vigia_baseline_anomaly", verdict.state == State::kAnomaly ? 1.0 : 0.0);
}

}  // namespace

Status Book::Open() {
  if (auto status = parts_.database.Migrate("baseline", kSteps); !status) return status;
  const std::lock_guard lock(mutex_);
  return parts_.database.Read([&](state::Session& session) {
    return session.Each(
        "SELECT baseline, labels, state FROM baseline_series", {}, [&](const state::Row& row) {
          stored_[{std::string(row.Text(0)), std::string(row.Text(1))}] = row.Text(2);
        });
  });
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
}

Book::Tracked* Book::Track(Baseline& baseline, const std::string& key) {
  if (const auto known = baseline.series.find(key); known != baseline.series.end()) {
    return &known->second;
  }
  if (baseline.series.size() >= baseline.definition.max_series) {
    ++baseline.report.over_budget;
    return nullptr;
  }
  Tracked tracked{.detector = Detector(baseline.definition.options)};
  const auto stored = stored_.find({baseline.definition.name, key});
  if (stored != stored_.end()) {
    // A state of another version is of no use: the series is learnt anew.
    if (!tracked.detector.Restore(stored->second)) {
      tracked.detector = Detector(baseline.definition.options);
    }
    stored_.erase(stored);
  }
  return &baseline.series.emplace(key, std::move(tracked)).first->second;
}

void Book::BackFill(Baseline& baseline, Timestamp now) {
  baseline.filled = true;
  const auto& name = baseline.definition.name;
  const auto first = stored_.lower_bound({name, ""});
  if (first != stored_.end() && first->first.first == name) return;
  const auto step = baseline.definition.interval.count();
  const auto end = now / step * step - step;
  auto answer =
      parts_.engine.Range(parts_.source, *baseline.definition.query,
                          std::max<Timestamp>(0, end - kMaxPast * step), end, Milliseconds(step));
  if (!answer) return;  // the present will tell what is wrong
  for (std::size_t i = 0; i < answer->value.size(); ++i) {
    auto* const tracked = Track(baseline, KeyOf(answer->value.labels(i)));
    if (tracked == nullptr) continue;
    answer->value.ForEachSample(i, [&](Timestamp time, double value) {
      tracked->state = tracked->detector.Step(time / 1000, value).state;
    });
  }
}

void Book::EvaluateOne(Baseline& baseline, Timestamp now) {
  ++baseline.report.evaluations;
  auto answer = parts_.engine.Instant(parts_.source, *baseline.definition.query, now);
  const auto* const vector = answer ? std::get_if<promql::InstantVector>(&answer->value) : nullptr;
  if (vector == nullptr) {
    ++baseline.report.failures;
    baseline.report.last_error = answer ? "not an instant vector" : answer.error().message;
    return;
  }
  std::vector<SeriesSink::Entry> entries;
  std::set<std::string> seen;
  for (const auto& sample : *vector) {
    auto key = KeyOf(sample.labels);
    auto* const tracked = Track(baseline, key);
    if (tracked == nullptr) continue;
    // After a restart within one interval: this moment has been learnt.
    if (tracked->detector.rows() > 0 && now / 1000 <= tracked->detector.last_time()) {
      seen.insert(std::move(key));
      continue;
    }
    const auto verdict = tracked->detector.Step(now / 1000, sample.value);
    tracked->state = verdict.state;
    tracked->dirty = true;
    AddVerdict(entries, baseline.definition.name, sample, verdict, now);
    seen.insert(std::move(key));
  }
  for (auto& [key, tracked] : baseline.series) {
    if (!seen.contains(key)) tracked.state = State::kNoData;
  }
  if (auto outcome = parts_.sink.Append(entries); !outcome) {
    ++baseline.report.failures;
    baseline.report.last_error = outcome.error().message();
  }
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

Status Book::Save() {
  const std::lock_guard lock(mutex_);
  auto status = parts_.database.Write([&](state::Session& session) -> Status {
    for (const auto& [name, baseline] : baselines_) {
      for (const auto& [key, tracked] : baseline.series) {
        if (!tracked.dirty) continue;
        const auto bytes = tracked.detector.Save();
        auto written = session.Run(
            "INSERT OR REPLACE INTO baseline_series (baseline, labels, state) VALUES (?, ?, ?)",
            {std::string_view(name), std::string_view(key), std::string_view(bytes)});
        if (!written) return written;
      }
    }
    return Ok();
  });
  if (!status) return status;
  for (auto& [name, baseline] : baselines_) {
    for (auto& [key, tracked] : baseline.series) tracked.dirty = false;
  }
  return Ok();
}

std::map<std::string, Book::Report> Book::Reports() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Report> out;
  for (const auto& [name, baseline] : baselines_) {
    auto report = baseline.report;
    report.series = baseline.series.size();
    for (const auto& [key, tracked] : baseline.series) {
      report.learning += tracked.state == State::kLearning ? 1 : 0;
      report.regressions += tracked.state == State::kRegression ? 1 : 0;
    }
    out[name] = std::move(report);
  }
  return out;
}

}  // namespace vigia::alerting::baseline
