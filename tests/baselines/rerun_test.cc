// Baselines run over a past say what they said when it was the present.

#include "exporter/baselines/rerun.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "exporter/baselines/regressions.h"
#include "query/promql/engine.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::exporter;

namespace {

const promql::Engine kEngine{promql::EngineOptions{}};
constexpr std::int64_t kStart = 1'704'067'200;  // seconds; a Monday
constexpr std::int64_t kStep = 300;
constexpr std::int64_t kDays = 17;
constexpr std::int64_t kRows = kDays * 288;
constexpr std::int64_t kChange = kRows - 100;  // rows: 60 % slower from here on
constexpr std::int64_t kFrom = kRows - 288;    // where the present begins

Timestamp At(std::int64_t row) { return (kStart + row * kStep) * 1000; }

double Latency(std::int64_t row, bool changes) {
  const double day = 1 + 0.4 * std::sin(static_cast<double>(row % 288) * 2 * M_PI / 288);
  const double noise = 1 + 0.05 * std::sin(static_cast<double>(row) * 12.9898);
  return 0.2 * day * noise * (changes && row >= kChange ? 1.6 : 1.0);
}

void Fill(promql::MemorySource& source, std::int64_t from, std::int64_t to) {
  for (const std::string path : {"/calm", "/slow"}) {
    const Labels labels({{"__name__", "latency_seconds"}, {"path", path}});
    for (auto row = from; row < to; ++row)
      source.Add(labels, At(row), Latency(row, path == "/slow"));
  }
}

baseline::Definition Definition() {
  baseline::Definition definition;
  definition.name = "latency";
  definition.expression = "latency_seconds";
  definition.query = *kEngine.Parse(definition.expression);
  definition.interval = Milliseconds(kStep * 1000);
  return definition;
}

// Samples of all series of a metric, as text.
std::map<std::string, std::vector<std::pair<Timestamp, double>>> Of(
    const promql::MemorySource& source, const std::string& metric) {
  std::map<std::string, std::vector<std::pair<Timestamp, double>>> out;
  const auto answer = kEngine.Range(source, metric, At(kFrom), At(kRows - 1),
                                    Milliseconds(kStep * 1000), {.lookback = Milliseconds(1000)});
  REQUIRE(answer);
  for (std::size_t i = 0; i < answer->value.size(); ++i) {
    auto& samples = out[answer->value.labels(i).ToString()];
    answer->value.ForEachSample(
        i, [&](Timestamp time, double value) { samples.emplace_back(time, value); });
  }
  return out;
}

ReadValues From(const promql::MemorySource& source) {
  return [&source](const baseline::Definition& definition, baseline::PastRange range,
                   const TakeValue& take) -> Status {
    const auto answer =
        kEngine.Range(source, *definition.query, range.from, range.to, Milliseconds(range.step));
    if (!answer) return Fail(ErrorCode::kInvalid, answer.error().message);
    for (std::size_t i = 0; i < answer->value.size(); ++i) {
      const auto labels = baseline::WithoutName(answer->value.labels(i));
      answer->value.ForEachSample(i,
                                  [&](Timestamp time, double value) { take(labels, time, value); });
    }
    return Ok();
  };
}

}  // namespace

TEST_CASE("a rerun writes exactly what the daemon's baselines wrote", "[baselines]") {
  promql::MemorySource live;
  promql::MemorySource written;
  const auto database = state::Database::InMemory();
  state::Journal journal(*database, SystemClock());
  Marks marks(journal);
  const Deploy deploy{.time = At(kChange) - 600'000, .version = "v2", .text = {}, .by = {}};
  REQUIRE(marks.Add(deploy));
  Regressions regressions(journal, marks);
  baseline::Book book({live, kEngine, written, *database});
  REQUIRE(book.Open());
  book.Apply({Definition()});
  Fill(live, 0, kFrom);
  std::map<std::string, Timestamp> first_told;
  for (auto row = kFrom; row < kRows; ++row) {
    Fill(live, row, row + 1);
    book.Evaluate(At(row));
    regressions.Look(book.Pages(), At(row));
    for (const auto& change : regressions.Lasting()) first_told.try_emplace(change.text, At(row));
  }
  REQUIRE(first_told.size() == 1);

  const std::set<std::string, std::less<>> keep{"vigia_baseline_expected",
                                                "vigia_baseline_regression", "vigia_baseline_score",
                                                "vigia_baseline_change"};
  const auto rerun = RunBaselines({Definition()}, From(live),
                                  {.from = At(kFrom) - 1000,
                                   .to = At(kRows - 1),
                                   .deploys = {deploy},
                                   .maintenances = {},
                                   .keep = keep});
  for (const std::string metric :
       {"vigia_baseline_expected", "vigia_baseline_regression", "vigia_baseline_score"}) {
    const auto expected = Of(written, metric);
    REQUIRE(expected.size() == 2);
    CHECK(Of(*rerun.series, metric) == expected);
  }
  CHECK(Of(*rerun.series, "vigia_baseline_ratio").empty());
  const auto changes = Of(*rerun.series, "vigia_baseline_change{path=\"/slow\"}");
  REQUIRE(changes.size() == 1);
  CHECK(Of(*rerun.series, "vigia_baseline_change").size() == 1);
  CHECK(changes.begin()->second.front().first == first_told.begin()->second);
  CHECK(changes.begin()->second.back().first == At(kRows - 1));
  const auto& text = first_told.begin()->first;
  INFO(text);
  CHECK(text.starts_with("since v2: +"));
  CHECK(Of(*rerun.series, "vigia_baseline_change{text=~\"since v2: [+].*\"}") == changes);

  REQUIRE(rerun.baselines.size() == 1);
  const auto& learnt = rerun.baselines[0];
  CHECK(learnt.known == 2);
  CHECK(learnt.values == 2 * kFrom);
  CHECK(learnt.first == At(0));
  CHECK(learnt.series == 2);
  CHECK(learnt.learning == 0);
  CHECK(learnt.error.empty());
}

TEST_CASE("a rerun without a past says that it is learning, and that it could not read",
          "[baselines]") {
  promql::MemorySource live;
  Fill(live, kFrom, kRows);
  auto unread = Definition();
  unread.name = "unread";
  const auto rerun = RunBaselines(
      {Definition(), unread},
      [&](const baseline::Definition& definition, baseline::PastRange range,
          const TakeValue& take) -> Status {
        if (definition.name == "unread") return Fail(ErrorCode::kUnavailable, "no answer");
        return From(live)(definition, range, take);
      },
      {.from = At(kFrom), .to = At(kRows - 1), .deploys = {}, .maintenances = {}, .keep = {}});
  REQUIRE(rerun.baselines.size() == 2);
  CHECK(rerun.baselines[0].values == 0);
  CHECK(rerun.baselines[0].first == 0);
  CHECK(rerun.baselines[0].series == 2);
  CHECK(rerun.baselines[0].learning == 2);
  CHECK(rerun.baselines[1].error == "no answer");
  CHECK(rerun.series->size() == 0);
}
