#include "exporter/baselines/rerun.h"

#include <algorithm>
#include <map>
#include <utility>

#include "exporter/baselines/regressions.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

// So much is read at once.
constexpr Timestamp kPiece = Timestamp{6} * 3600 * 1000;
// How often the changes that last are written, at least: well within a look-back.
constexpr Timestamp kRefresh = 60'000;

// Keeps what rules will read, and drops the rest.
class Kept final : public SeriesSink {
 public:
  Kept(promql::MemorySource& out, const std::set<std::string, std::less<>>& names)
      : out_(out), names_(names) {}

  Result<Outcome> Append(std::span<const Entry> entries) override {
    std::vector<Entry> kept;
    for (const auto& entry : entries) {
      if (names_.contains(entry.labels.MetricName())) kept.push_back(entry);
    }
    return out_.Append(kept);
  }

 private:
  promql::MemorySource& out_;
  const std::set<std::string, std::less<>>& names_;
};

class Runner {
 public:
  Runner(std::vector<baseline::Definition> definitions, const ReadValues& read,
         RerunOptions options)
      : definitions_(std::move(definitions)), read_(read), options_(std::move(options)) {
    for (const auto& deploy : options_.deploys) (void)marks_.Add(deploy);
    for (const auto& maintenance : options_.maintenances) (void)marks_.Add(maintenance);
    (void)book_.Open();  // in memory
    book_.Apply(definitions_);
    std::sort(definitions_.begin(), definitions_.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
  }

  Rerun Run() {
    for (const auto& definition : definitions_) Learn(definition);
    for (Timestamp begin = options_.from; begin <= options_.to; begin += kPiece) {
      RunPiece(begin, std::min(begin + kPiece - 1, options_.to));
    }
    const auto pages = book_.Pages();
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      const auto page = pages.find(definitions_[i].name);
      if (page == pages.end()) continue;
      told_[i].series = page->second->report.series;
      told_[i].learning = page->second->report.learning;
    }
    return {std::move(series_), std::move(told_)};
  }

 private:
  // By time, of each baseline by its place.
  using Answers = std::map<Timestamp, std::map<std::size_t, promql::InstantVector>>;

  static Timestamp FirstTick(Timestamp from, std::int64_t interval) {
    return (from + interval - 1) / interval * interval;
  }

  void Learn(const baseline::Definition& definition) {
    auto& told = told_.emplace_back(Rehearsed{.baseline = definition.name});
    const auto interval = definition.interval.count();
    const auto range = baseline::PastBefore(FirstTick(options_.from, interval), interval);
    auto past = book_.NewPast(definition);
    const auto status =
        read_(definition, range, [&](const Labels& labels, Timestamp time, double value) {
          if (!past.Add(labels, time, value)) return;
          ++told.values;
          told.first = told.first == 0 ? time : std::min(told.first, time);
        });
    if (!status) told.error = status.error().message();
    told.known = past.detectors().size();
    book_.TakePast(definition, std::move(past), 0);
  }

  void RunPiece(Timestamp begin, Timestamp end) {
    Answers answers;
    for (auto time = FirstTick(begin, kRefresh); time <= end; time += kRefresh) answers[time];
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      if (told_[i].error.empty()) Read(i, begin, end, answers);
    }
    for (const auto& [time, answer] : answers) Evaluate(time, answer);
  }

  void Read(std::size_t place, Timestamp begin, Timestamp end, Answers& answers) {
    const auto interval = definitions_[place].interval.count();
    const auto first = FirstTick(begin, interval);
    if (first > end) return;
    for (auto time = first; time <= end; time += interval) answers[time][place];
    const auto status = read_(definitions_[place], {first, end, interval},
                              [&](const Labels& labels, Timestamp time, double value) {
                                answers[time][place].push_back({labels, time, value});
                              });
    if (!status) told_[place].error = status.error().message();
  }

  void Evaluate(Timestamp time, const std::map<std::size_t, promql::InstantVector>& answer) {
    for (const auto& [place, vector] : answer) {
      book_.Take(definitions_[place].name, vector, time);
    }
    if (!options_.keep.contains(kChangeMetric)) return;
    if (!answer.empty()) regressions_.Look(book_.Pages(), time);
    WriteChanges(time);
  }

  void WriteChanges(Timestamp time) {
    std::vector<SeriesSink::Entry> entries;
    std::set<Labels> lasting;
    for (const auto& change : regressions_.Lasting()) {
      LabelsBuilder builder;
      builder.Set("__name__", kChangeMetric);
      for (const auto [name, value] : ChangeLabels(change)) builder.Set(name, value);
      auto labels = builder.Build();
      entries.push_back({labels, {time, change.size}});
      lasting.insert(std::move(labels));
    }
    for (const auto& labels : lasting_) {
      if (!lasting.contains(labels)) entries.push_back({labels, {time, GoneMarker()}});
    }
    lasting_ = std::move(lasting);
    (void)series_->Append(entries);  // in memory
  }

  std::vector<baseline::Definition> definitions_;
  const ReadValues& read_;
  const RerunOptions options_;
  std::unique_ptr<promql::MemorySource> series_ = std::make_unique<promql::MemorySource>();
  Kept kept_{*series_, options_.keep};
  const promql::MemorySource nothing_;
  const promql::Engine engine_{{}};
  const std::unique_ptr<alerting::state::Database> database_ =
      alerting::state::Database::InMemory();
  alerting::state::Journal journal_{*database_, SystemClock()};
  Marks marks_{journal_};
  baseline::Book book_{{.source = nothing_,
                        .engine = engine_,
                        .sink = kept_,
                        .database = *database_,
                        .learns = [this](Timestamp now) { return !marks_.InMaintenance(now); }}};
  Regressions regressions_{journal_, marks_};
  std::set<Labels> lasting_;     // series of changes, as they were written last
  std::vector<Rehearsed> told_;  // in the order of definitions_
};

}  // namespace

Rerun RunBaselines(std::vector<baseline::Definition> definitions, const ReadValues& read,
                   RerunOptions options) {
  return Runner(std::move(definitions), read, std::move(options)).Run();
}

}  // namespace vigia::exporter
