// What @ names within subqueries, down to where Prometheus strays from its documentation. The
// answers for Prometheus 2 were checked against 2.42.

#include <catch2/catch.hpp>
#include <string>

#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

namespace vigia::promql::test {
namespace {

constexpr Timestamp kMinute = 60'000;

// The value of the only series in the answer after ten minutes, of x with a sample each minute
// that is the minute's number; "" if there is none.
std::string Answer(Semantics semantics, std::string_view query) {
  MemorySource source;
  for (int minute = 0; minute <= 20; ++minute) {
    source.Add(Labels{{"__name__", "x"}}, minute * kMinute, minute);
  }
  EngineOptions options;
  options.semantics = semantics;
  const auto answer = Engine(options).Instant(source, query, 10 * kMinute);
  REQUIRE(answer);
  const auto& vector = std::get<InstantVector>(answer->value);
  REQUIRE(vector.size() <= 1);
  return vector.empty() ? "" : std::to_string(static_cast<int>(vector[0].value));
}

}  // namespace

TEST_CASE("@ within a subquery names its own time", "[promql]") {
  for (const auto semantics : {Semantics::kPrometheus2, Semantics::kPrometheus3}) {
    CHECK(Answer(semantics, "max_over_time((x @ 300)[5m:1m])") == "5");
    CHECK(Answer(semantics, "max_over_time((x @ 300)[5m:1m] offset 1m)") == "5");
    CHECK(Answer(semantics, "max_over_time((x @ 300 offset 1m)[5m:1m] offset -3m)") == "4");
    CHECK(Answer(semantics, "max_over_time(x[3m:1m] @ 420 offset 1m)") == "6");
    CHECK(Answer(semantics, "max_over_time((x @ start())[5m:1m] @ 300)") == "10");
  }
}

TEST_CASE("a subquery that starts with what is around it moves @ by its offset", "[promql]") {
  // The first step: the window's begin, if a step lies there and (in Prometheus 2) counts.
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time((x @ 300)[1m:1m] offset -1m)") == "4");
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time((x @ 300)[2m:1m] offset -1m)") == "5");
  CHECK(Answer(Semantics::kPrometheus3, "max_over_time((x @ 300)[1m:1m] offset -1m)") == "5");
  CHECK(Answer(Semantics::kPrometheus3, "max_over_time((x @ 300)[2m:1m] offset -1m)") == "4");
}

TEST_CASE("subqueries in subqueries that start together add up their offsets", "[promql]") {
  CHECK(Answer(Semantics::kPrometheus2,
               "max_over_time(max_over_time((x @ 420)[1m:1m] offset -1m)[2m:1m] offset -2m)") ==
        "4");
  // The inner one starts elsewhere, and counts anew.
  CHECK(Answer(Semantics::kPrometheus2,
               "max_over_time(max_over_time((x @ 420)[1m:1m])[2m:1m] offset -2m)") == "7");
}

TEST_CASE("a subquery with @ that was moved has no results where they are looked for", "[promql]") {
  const std::string inner = "(max_over_time((x)[2m:1m] @ 480 offset -2m))";
  CHECK(Answer(Semantics::kPrometheus2, inner) == "10");
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time(" + inner + "[5m:1m] offset -5m)") == "");
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time(" + inner + "[5m:1m] offset -3m)") == "10");
}

TEST_CASE("a moved @ sees only the samples that were asked for", "[promql]") {
  // Samples from 0 to 5 minutes were asked for, and the time looked at lies before or behind.
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time((x @ 300)[10m:1m] offset -10m)") == "");
  CHECK(Answer(Semantics::kPrometheus2, "max_over_time((x @ 300)[4m:1m] offset -4m)") == "1");
}

TEST_CASE("timestamp() forgets the offset beside an @", "[promql]") {
  for (const auto semantics : {Semantics::kPrometheus2, Semantics::kPrometheus3}) {
    CHECK(Answer(semantics, "timestamp(x @ 300)") == "300");
    CHECK(Answer(semantics, "timestamp(x @ 300 offset 1m)") == "240");
    CHECK(Answer(semantics, "timestamp(x @ 600 offset 6m)") == "");
    CHECK(Answer(semantics, "timestamp(x offset 6m)") == "240");
  }
}

TEST_CASE("timestamp() of what is the same at all steps has all steps", "[promql]") {
  MemorySource source;
  source.Add(Labels{{"__name__", "x"}}, 0, 1);
  source.Add(Labels{{"__name__", "x"}}, kMinute, 2);
  EngineOptions options;
  options.semantics = Semantics::kPrometheus2;
  const auto answer = Engine(options).Range(source, "timestamp((rate(x[2m] @ 60)))", 0,
                                            20 * kMinute, Milliseconds(kMinute));
  REQUIRE(answer);
  REQUIRE(answer->value.size() == 1);
  CHECK(answer->value.SampleCount(0) == 21);
}

}  // namespace vigia::promql::test
