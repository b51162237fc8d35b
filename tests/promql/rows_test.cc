// What rows are made of must not depend on how: on threads, or on the series that came before.

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "core/number.h"
#include "query/promql/engine.h"
#include "query/promql/eval/rows.h"
#include "query/promql/memory_source.h"

namespace vigia::promql::test {
namespace {

constexpr Timestamp kHour = 3'600'000;
constexpr std::int64_t kInterval = 15'000;

// Two hours of counters with resets. Every third has its samples at other times, every fifth has
// gaps, some have infinite values.
MemorySource Counters(int count) {
  MemorySource source;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(100 + i);
    const Labels labels{{"__name__", "x_total"}, {"i", number}, {"group", number.substr(2)}};
    for (int sample = 0; sample < 480; ++sample) {
      if (i % 5 == 4 && sample % 7 == 3) continue;
      const Timestamp time = sample * kInterval + (i % 3 == 2 ? 7'000 + i : 0);
      double value = std::floor((sample % 97) * (1.1 + i)) + 0.1 * i;
      if (i % 11 == 10 && sample == 240) value = kInfinity;
      source.Add(labels, time, value);
    }
  }
  return source;
}

// Per series the bits of its values, and the times.
using Bits = std::map<std::string, std::vector<std::pair<Timestamp, std::uint64_t>>>;

Bits Answer(const SeriesSource& source, const std::string& query, Semantics semantics,
            unsigned threads) {
  EngineOptions options;
  options.semantics = semantics;
  options.threads = threads;
  const auto answer =
      Engine(options).Range(source, query, kHour, 2 * kHour, Milliseconds(kInterval));
  REQUIRE(answer);
  Bits bits;
  for (std::size_t i = 0; i < answer->value.size(); ++i) {
    auto& series = bits[answer->value.labels(i).ToString()];
    answer->value.ForEachSample(i, [&](Timestamp time, double value) {
      series.emplace_back(time, std::isnan(value) ? 0 : std::bit_cast<std::uint64_t>(value));
    });
  }
  return bits;
}

const std::vector<std::string> kFunctions{
    "rate(x_total%[5m])",   "increase(x_total%[1m])",       "delta(x_total%[10m])",
    "deriv(x_total%[30m])", "sum_over_time(x_total%[20m])", "predict_linear(x_total%[1h], 3600)",
};

std::string With(std::string query, const std::string& matchers) {
  return query.replace(query.find('%'), 1, matchers);
}

}  // namespace

TEST_CASE("answers do not depend on the number of threads", "[promql][concurrent]") {
  const auto source = Counters(240);
  std::vector<std::string> queries{"x_total", "count by (group) (x_total)"};
  for (const auto& function : kFunctions) {
    queries.push_back(With(function, ""));
    queries.push_back("sum by (group) (" + With(function, "") + ")");
  }
  for (const auto& query : queries) {
    INFO(query);
    const auto alone = Answer(source, query, Semantics::kPrometheus3, 1);
    CHECK_FALSE(alone.empty());
    CHECK(alone == Answer(source, query, Semantics::kPrometheus3, 4));
  }
}

TEST_CASE("a series has the same values alone as among others", "[promql]") {
  const auto source = Counters(40);
  for (const auto semantics : {Semantics::kPrometheus2, Semantics::kPrometheus3}) {
    for (const auto& function : kFunctions) {
      INFO(function);
      const auto together = Answer(source, With(function, ""), semantics, 1);
      CHECK(together.size() == 40);
      for (int i = 100; i < 140; ++i) {
        const auto matcher = "{i=\"" + std::to_string(i) + "\"}";
        const auto alone = Answer(source, With(function, matcher), semantics, 1);
        REQUIRE(alone.size() == 1);
        CHECK(together.at(alone.begin()->first) == alone.begin()->second);
      }
    }
  }
}

TEST_CASE("an aggregation folds to what its rows say", "[promql]") {
  const auto source = Counters(60);
  for (const std::string op : {"sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"}) {
    INFO(op);
    const auto streamed =
        Answer(source, op + " by (group) (rate(x_total[5m]))", Semantics::kPrometheus3, 1);
    // Multiplied, rows are kept before they are folded.
    const auto kept =
        Answer(source, op + " by (group) (rate(x_total[5m]) * 1)", Semantics::kPrometheus3, 1);
    CHECK(streamed.size() == 10);
    CHECK(streamed == kept);
  }
}

TEST_CASE("a group whose series have no sample is none", "[promql]") {
  MemorySource source;
  source.Add(Labels{{"__name__", "x_total"}, {"group", "a"}}, kHour, 1);
  source.Add(Labels{{"__name__", "x_total"}, {"group", "b"}}, 2 * kHour, 1);
  const auto bits =
      Answer(source, "absent(sum by (group) (x_total offset 30m))", Semantics::kPrometheus3, 1);
  CHECK(bits.size() == 1);
  CHECK(Answer(source, "sum by (group) (x_total)", Semantics::kPrometheus3, 1).size() == 2);
  CHECK(Answer(source, "sum by (group) (x_total offset -3h)", Semantics::kPrometheus3, 1).empty());
}

TEST_CASE("few rows are made ahead of one that takes long", "[promql]") {
  const MemorySource source;
  Annotations annotations("");
  Context context(source, Context::Settings{}, Steps{},
                  Limits{.deadline = Deadline::After(SystemClock(), 1min)}, annotations);
  RowCollector rows(kChunkCells);  // a row is a chunk
  RowQueue queue(200, kChunkCells, rows);
  auto slow = queue.Next(context);
  for (int i = 0; i < 64; ++i) queue.Done(queue.Next(context));

  auto next = std::async(std::launch::async, [&] { return queue.Next(context); });
  CHECK(next.wait_for(50ms) == std::future_status::timeout);
  queue.Done(std::move(slow));
  slow = next.get();
  REQUIRE(slow);
  CHECK(slow->begin == 65);

  // A query that ends lets go of who waits.
  for (int i = 0; i < 64; ++i) queue.Done(queue.Next(context));
  next = std::async(std::launch::async, [&] { return queue.Next(context); });
  CHECK(next.wait_for(50ms) == std::future_status::timeout);
  context.Abort({QueryError::Kind::kCanceled, "enough"});
  CHECK_FALSE(next.get());
}

}  // namespace vigia::promql::test
