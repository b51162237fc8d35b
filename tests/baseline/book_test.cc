// Baselines over a history: the series they write, the past they learn from, and their state.

#include "alerting/baseline/book.h"

#include <catch2/catch.hpp>

#include "query/promql/memory_source.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::baseline;
using testing::kPerDay;
using testing::kPerWeek;

namespace {

const promql::Engine kEngine{promql::EngineOptions{}};

Definition Latency(Detector::Options options = {}) {
  Definition definition;
  definition.name = "latency";
  definition.expression = "latency_seconds";
  definition.query = *kEngine.Parse(definition.expression);
  definition.options = options;
  definition.interval = Milliseconds(300'000);
  return definition;
}

const Labels kSeries({{"__name__", "latency_seconds"}, {"path", "/a"}});

// The last value of a series that the book wrote, or NaN.
double Written(const promql::MemorySource& memory, const std::string& metric, Timestamp at) {
  const auto answer = kEngine.Instant(memory, metric + "{baseline=\"latency\",path=\"/a\"}", at);
  const auto& vector = std::get<promql::InstantVector>(answer->value);
  return vector.empty() ? kNaN : vector[0].value;
}

struct World {
  promql::MemorySource memory;
  std::unique_ptr<state::Database> database = state::Database::InMemory();

  std::unique_ptr<Book> Open(const Definition& definition) {
    auto book = std::make_unique<Book>(Book::Parts{memory, kEngine, memory, *database});
    REQUIRE(book->Open());
    book->Apply({definition});
    return book;
  }
};

constexpr std::int64_t kChange = 2 * kPerWeek + 2 * kPerDay + 120;

std::vector<testing::Point> Slower() {
  return testing::Latency(31, kChange + 48, [](auto i) { return i >= kChange ? 1.6 : 1.0; });
}

}  // namespace

TEST_CASE("a book says of a series what the detector says of it alone", "[baseline]") {
  World world;
  const auto book = world.Open(Latency());
  Detector alone({});
  std::int64_t regressions = 0;
  for (const auto& [time, value] : Slower()) {
    world.memory.Add(kSeries, time * 1000, value);
    book->Evaluate(time * 1000);
    const auto verdict = alone.Step(time, value);
    if (verdict.known) {
      REQUIRE(Written(world.memory, "vigia_baseline_expected", time * 1000) == verdict.expected);
    }
    const double regression = Written(world.memory, "vigia_baseline_regression", time * 1000);
    REQUIRE(regression == (verdict.state == State::kRegression ? 1.0 : 0.0));
    regressions += regression > 0.0 ? 1 : 0;
  }
  CHECK(regressions > 30);
  CHECK(book->Pages().at("latency")->report.seconds > 0.0);
  CHECK(book->Pages().at("latency")->report.regressions == 1);
}

TEST_CASE("a new baseline learns from the history that there is", "[baseline]") {
  World world;
  const auto series = Slower();
  for (const auto& [time, value] : series) world.memory.Add(kSeries, time * 1000, value);
  const auto book = world.Open(Latency());
  book->Evaluate(series.back().time * 1000);
  CHECK(Written(world.memory, "vigia_baseline_regression", series.back().time * 1000) == 1.0);
}

TEST_CASE("baselines that are saved go on where they were", "[baseline]") {
  World world;
  Detector alone({});
  auto book = world.Open(Latency());
  const auto series = Slower();
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto& [time, value] = series[i];
    world.memory.Add(kSeries, time * 1000, value);
    if (i % 1000 == 999) {
      REQUIRE(book->Save());
      book = world.Open(Latency());
    }
    book->Evaluate(time * 1000);
    const auto verdict = alone.Step(time, value);
    if (i > 0) {
      REQUIRE(Written(world.memory, "vigia_baseline_upper", time * 1000) == verdict.upper);
    }
  }
}

TEST_CASE("a baseline keeps to its budget of series and counts the rest", "[baseline]") {
  World world;
  auto definition = Latency();
  definition.max_series = 2;
  const auto book = world.Open(definition);
  for (const char* path : {"/a", "/b", "/c"}) {
    world.memory.Add(Labels({{"__name__", "latency_seconds"}, {"path", path}}), 600'000, 1.0);
  }
  book->Evaluate(600'000);
  CHECK(book->Pages().at("latency")->report.series == 2);
  CHECK(book->Pages().at("latency")->report.over_budget == 1);
}

TEST_CASE("an evaluation that fails leaves what was said", "[baseline]") {
  World world;
  auto definition = Latency();
  definition.expression = "latency_seconds * on (path) group_left () one";
  definition.query = *kEngine.Parse(definition.expression);
  const auto book = world.Open(definition);
  world.memory.Add(kSeries, 600'000, 1.0);
  world.memory.Add(Labels({{"__name__", "one"}, {"path", "/a"}}), 600'000, 1.0);
  book->Evaluate(600'000);
  REQUIRE(book->Pages().at("latency")->lines.size() == 1);
  // Two series for one: the join cannot be.
  for (const char* const side : {"a", "b"}) {
    world.memory.Add(Labels({{"__name__", "one"}, {"path", "/a"}, {"side", side}}), 900'000, 1.0);
  }
  world.memory.Add(kSeries, 900'000, 1.0);
  book->Evaluate(900'000);
  const auto page = book->Pages().at("latency");
  CHECK(page->report.failures == 1);
  CHECK_FALSE(page->report.last_error.empty());
  CHECK(page->lines.size() == 1);
}

namespace {

std::vector<Learnt> All(const Book& book, std::size_t at_once = 1) {
  std::vector<Learnt> out;
  Book::Key after;
  while (true) {
    const auto piece = book.Export(
        "", [](const Labels&) { return true; }, after, at_once);
    REQUIRE(piece);
    if (piece->empty()) return out;
    out.insert(out.end(), piece->begin(), piece->end());
  }
}

// Three series of five minutes each, the last value `minutes` after the epoch.
void Grow(World& world, Book& book, std::int64_t from, std::int64_t to) {
  for (auto minute = from; minute <= to; minute += 5) {
    for (const char* path : {"/a", "/b", "/c"}) {
      world.memory.Add(Labels({{"__name__", "latency_seconds"}, {"path", path}}), minute * 60'000,
                       1.0 + static_cast<double>(minute % 3));
    }
    book.Evaluate(minute * 60'000);
  }
}

}  // namespace

TEST_CASE("what a book has learnt goes to another one, and on there", "[baseline]") {
  World here;
  World there;
  const auto from = here.Open(Latency());
  Grow(here, *from, 1000, 2000);
  const auto learnt = All(*from);
  REQUIRE(learnt.size() == 3);
  CHECK(learnt[1].labels == Labels({{"path", "/b"}}));
  CHECK(learnt[1].last_time == 2000 * 60);

  auto to = there.Open(Latency());
  const Timestamp now = 2010 * 60'000;
  const auto checked = to->Import(learnt, {.check = true}, now);
  CHECK(checked->taken == 3);
  CHECK(All(*to).empty());
  CHECK(to->Import(learnt, {}, now)->taken == 3);
  // In the state file, though none of the series has been seen yet; in any size of pieces.
  to = there.Open(Latency());
  CHECK(All(*to, 2).size() == 3);
  Grow(there, *to, 2005, 2005);
  Grow(here, *from, 2005, 2005);
  const auto gone_on = All(*to, 100);
  REQUIRE(gone_on.size() == 3);
  CHECK(gone_on[2].state == All(*from)[2].state);
  CHECK(gone_on[2].rows == learnt[2].rows + 1);
}

TEST_CASE("an import leaves alone what is newer, other or too much", "[baseline]") {
  World world;
  auto definition = Latency();
  const auto book = world.Open(definition);
  Grow(world, *book, 1000, 1500);
  auto old = All(*book);
  Grow(world, *book, 1505, 2000);
  const auto newer = All(*book);
  const Timestamp now = 2000 * 60'000;

  auto outcome = book->Import(old, {}, now);
  CHECK(outcome->taken == 0);
  CHECK(outcome->newer == 3);
  CHECK(All(*book)[0].state == newer[0].state);
  old[1].expression = "another";
  old[2].baseline = "unknown";
  outcome = book->Import(old, {}, now);
  CHECK(outcome->newer == 1);
  CHECK(outcome->differing == std::set<std::string>{"latency"});
  CHECK(outcome->unknown == std::set<std::string>{"unknown"});
  outcome = book->Import(old, {.force = true}, now);
  CHECK(outcome->taken == 2);
  CHECK(All(*book)[0].state == old[0].state);
  CHECK(All(*book)[2].state == newer[2].state);
  // Its last value lies in the future, or was learnt too long ago to be the normal.
  CHECK(book->Import(newer, {}, 1900 * 60'000)->misdated == 3);
  CHECK(book->Import(newer, {}, now + Timestamp{36} * 86'400'000)->misdated == 3);

  World small;
  definition.max_series = 2;
  const auto few = small.Open(definition);
  outcome = few->Import(newer, {}, now);
  CHECK(outcome->taken == 2);
  CHECK(outcome->over_budget == 1);
}
