#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

namespace vigia::promql::test {
namespace {

constexpr Timestamp kMinute = 60'000;

// `count` series x{i="..."} with a sample each minute from 0 to `minutes`.
MemorySource Numbered(int count, int minutes) {
  MemorySource source;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const Labels labels{{"__name__", "x"}, {"i", number}};
    for (int minute = 0; minute <= minutes; ++minute) {
      source.Add(labels, minute * kMinute, i + minute);
    }
  }
  return source;
}

EngineOptions WithMaxSamples(std::size_t max) {
  EngineOptions options;
  options.max_samples = max;
  return options;
}

const QueryError kTooMany{
    QueryError::Kind::kExecution,
    "query processing would load too many samples into memory in query execution"};

}  // namespace

TEST_CASE("an instant query answers by type", "[promql]") {
  const auto source = Numbered(2, 5);
  const Engine engine(EngineOptions{});

  const auto vector = engine.Instant(source, "x", kMinute);
  REQUIRE(vector);
  const auto& samples = std::get<InstantVector>(vector->value);
  REQUIRE(samples.size() == 2);
  CHECK(samples[1].labels.ToString() == "x{i=\"1\"}");
  CHECK(samples[1].time == kMinute);
  CHECK(samples[1].value == 2);
  CHECK(vector->stats.samples_read == 2);

  CHECK(std::get<ScalarValue>(engine.Instant(source, "1 + 2", 7)->value).value == 3);
  CHECK(std::get<StringValue>(engine.Instant(source, "\"a\"", 7)->value).value == "a");
  const auto matrix = engine.Instant(source, "x[2m]", 5 * kMinute);
  CHECK(std::get<Matrix>(matrix->value).size() == 2);
  CHECK(std::get<Matrix>(matrix->value).SampleCount(0) == 2);
}

TEST_CASE("a range query answers with series sorted by labels", "[promql]") {
  const auto source = Numbered(3, 5);
  const Engine engine(EngineOptions{});
  const auto answer = engine.Range(source, "x > 1", 0, 2 * kMinute, Milliseconds(kMinute));
  REQUIRE(answer);
  std::string text;
  for (std::size_t i = 0; i < answer->value.size(); ++i) {
    text += answer->value.labels(i).ToString();
    answer->value.ForEachSample(i, [&](Timestamp time, double value) {
      text += " " + std::to_string(time / kMinute) + ":" + std::to_string(static_cast<int>(value));
    });
    text += "\n";
  }
  CHECK(text ==
        "x{i=\"0\"} 2:2\n"
        "x{i=\"1\"} 1:2 2:3\n"
        "x{i=\"2\"} 0:2 1:3 2:4\n");
}

TEST_CASE("a range query of what is no vector, or without steps, is bad data", "[promql]") {
  const MemorySource source;
  const Engine engine(EngineOptions{});
  const auto error = [&](std::string_view query, Timestamp start, Timestamp end, int step) {
    const auto answer = engine.Range(source, query, start, end, Milliseconds(step));
    REQUIRE(!answer);
    CHECK(answer.error().kind == QueryError::Kind::kBadData);
    return answer.error().message;
  };
  CHECK(error("x[5m]", 0, 1, 1) ==
        "invalid expression type \"range vector\" for range query, must be Scalar or instant "
        "Vector");
  CHECK(error("\"a\"", 0, 1, 1) ==
        "invalid expression type \"string\" for range query, must be Scalar or instant Vector");
  CHECK(error("x", 0, 1, 0) == "step must be positive");
  CHECK(error("x", 1, 0, 1) == "end timestamp must not be before start time");
}

TEST_CASE("a query over the samples limit fails", "[promql]") {
  const auto source = Numbered(10, 60);
  const auto answer = [&](std::size_t max, std::string_view query) {
    return Engine(WithMaxSamples(max)).Instant(source, query, 60 * kMinute);
  };
  CHECK(answer(10, "x"));
  CHECK(answer(9, "x").error() == kTooMany);
  CHECK(answer(30, "sum(rate(x[15m]))"));
  CHECK(answer(14, "sum(rate(x[15m]))").error() == kTooMany);
  CHECK(answer(100, "x[30m]").error() == kTooMany);
  CHECK(Engine(WithMaxSamples(100))
            .Range(source, "x", 0, 60 * kMinute, Milliseconds(kMinute))
            .error() == kTooMany);
}

TEST_CASE("billions of steps are refused before any work is done", "[promql]") {
  const auto source = Numbered(1, 1);
  const Engine engine(EngineOptions{});
  CHECK(engine.Instant(source, "sum_over_time(x[100y:1s])", 0).error() == kTooMany);
  CHECK(engine.Instant(source, "x[100y:1ms]", 0).error() == kTooMany);
  CHECK(engine
            .Range(source, "x", -9'000'000'000'000'000'000, 9'000'000'000'000'000'000,
                   Milliseconds(1))
            .error() == kTooMany);
  CHECK(engine.Instant(source, "x @ 9e15 offset -290y", 0));
}

TEST_CASE("times as far away as can be are answered, and find nothing", "[promql]") {
  const auto source = Numbered(1, 1);
  constexpr auto kLast = std::numeric_limits<Timestamp>::max();
  constexpr auto kFirst = std::numeric_limits<Timestamp>::min();
  for (const auto semantics : {Semantics::kPrometheus2, Semantics::kPrometheus3}) {
    EngineOptions options;
    options.semantics = semantics;
    const Engine engine(options);
    for (const auto* query : {"x", "x offset -292y", "x offset 292y", "x @ -9e15", "rate(x[292y])",
                              "max_over_time((x @ 9e15 offset -292y)[5m:1m] offset -292y)",
                              "max_over_time((x @ -9e15 offset 292y)[5m:1m] offset 292y)",
                              "max_over_time((x @ end())[5m:1m] @ start() offset -292y)"}) {
      INFO(query);
      for (const auto time : {kFirst, kLast, kLast / 2, kFirst / 2 - 1}) {
        const auto answer = engine.Instant(source, query, time);
        REQUIRE(answer);
        CHECK(std::get<InstantVector>(answer->value).empty());
      }
      const auto range = engine.Range(source, query, kFirst, kLast, Milliseconds(kLast / 100));
      if (range) {
        CHECK(range->value.size() == 0);
      } else {
        CHECK(range.error() == kTooMany);  // steps of a subquery
      }
    }
    CHECK(std::get<ScalarValue>(engine.Instant(source, "time()", kLast)->value).value ==
          1152921504606846.976);
  }
}

TEST_CASE("the deepest expressions that are parsed are evaluated without harm", "[promql]") {
  const auto source = Numbered(2, 1);
  const Engine engine(EngineOptions{});
  const auto repeated = [](std::string_view text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  const auto range = [&](const std::string& query) {
    return engine.Range(source, query, 0, kMinute, Milliseconds(kMinute)).has_value();
  };
  CHECK(range(repeated("x + ", 990) + "x"));
  CHECK(range(repeated("x or ", 990) + "x"));
  CHECK(range(repeated("abs(", 900) + "x" + repeated(")", 900)));
  CHECK(range(repeated("sum(", 900) + "x" + repeated(")", 900)));
  CHECK(range(repeated("(", 900) + "x" + repeated(")", 900)));
  CHECK(range(repeated("2 ^ ", 900) + "1"));
  CHECK(range(repeated("-", 900) + "x"));
  CHECK(range(repeated("max_over_time(", 400) + "x" + repeated("[1s:1s])", 400)));
}

TEST_CASE("series that take turns on one side of a join are one partner", "[promql]") {
  MemorySource source;
  const int restarts = 200;
  for (int i = 0; i < restarts; ++i) {
    const std::string version = std::to_string(i);
    const Labels build{{"__name__", "build"}, {"job", "a"}, {"version", version}};
    source.Add(build, i * kMinute, 1);
    source.Add(build, (i + 1) * kMinute, GoneMarker());
    const std::string number = std::to_string(i);
    source.Add({{"__name__", "x"}, {"job", "a"}, {"i", number}}, 0, i);
  }
  EngineOptions options = WithMaxSamples(200'000);
  options.lookback = std::chrono::hours(24);
  const Engine engine(options);
  const auto answer = engine.Range(source, "x * on (job) group_left build", 0,
                                   (restarts - 1) * kMinute, Milliseconds(kMinute));
  REQUIRE(answer);
  CHECK(answer->value.size() == restarts);
  CHECK(answer->value.SampleCount(0) == restarts);
  const auto labelled = engine.Instant(source, "x * on (job) group_left (version) build", 0);
  REQUIRE(labelled);
  CHECK(std::get<InstantVector>(labelled->value).at(0).labels.Get("version") == "0");
}

TEST_CASE("a query ends at its deadline", "[promql]") {
  // Time passes whenever somebody looks at the clock.
  class RushingClock final : public Clock {
   public:
    Timestamp Wall() const override { return 0; }
    Instant Now() const override { return Instant(std::chrono::seconds(++seconds_)); }
    bool WaitUntil(std::unique_lock<std::mutex>&, std::condition_variable_any&, std::stop_token,
                   Instant, const std::function<bool()>& ready) override {
      return ready();
    }

   private:
    mutable std::atomic<int> seconds_ = 0;
  };
  RushingClock clock;
  const auto source = Numbered(200, 1);
  EngineOptions options;
  options.clock = &clock;
  options.timeout = std::chrono::seconds(4);
  const QueryError timeout{QueryError::Kind::kTimeout, "query timed out in expression evaluation"};
  CHECK(Engine(options).Instant(source, "sum(x) + sum(x)", 0).error() == timeout);
  options.timeout = std::chrono::hours(1);
  CHECK(Engine(options).Instant(source, "sum(x) + sum(x)", 0));
  QueryOptions query;
  query.timeout = std::chrono::seconds(2);
  CHECK(Engine(options).Instant(source, "sum(x) + sum(x)", 0, query).error() == timeout);
}

TEST_CASE("a query ends when its client has gone", "[promql]") {
  const auto source = Numbered(2, 1);
  std::stop_source stop;
  QueryOptions options;
  options.stop = stop.get_token();
  const Engine engine(EngineOptions{});
  CHECK(engine.Instant(source, "sum(x)", 0, options));
  stop.request_stop();
  CHECK(engine.Instant(source, "sum(x)", 0, options).error() ==
        QueryError{QueryError::Kind::kCanceled, "query was canceled in expression evaluation"});
}

TEST_CASE("the look-back is the engine's unless the query has one", "[promql]") {
  const auto source = Numbered(1, 0);
  const Engine engine(EngineOptions{});
  const auto count = [&](Timestamp time, QueryOptions options) {
    return std::get<InstantVector>(engine.Instant(source, "x", time, options)->value).size();
  };
  CHECK(count(4 * kMinute, {}) == 1);
  CHECK(count(6 * kMinute, {}) == 0);
  QueryOptions options;
  options.lookback = std::chrono::minutes(10);
  CHECK(count(6 * kMinute, options) == 1);
}

TEST_CASE("both stale markers end a series", "[promql]") {
  MemorySource source;
  const Labels labels{{"__name__", "x"}};
  source.Add(labels, 0, 1);
  source.Add(labels, kMinute, GoneMarker());
  source.Add(labels, 2 * kMinute, 2);
  source.Add(labels, 3 * kMinute, UnknownMarker());
  const Engine engine(EngineOptions{});
  const auto answer = engine.Range(source, "x", 0, 3 * kMinute, Milliseconds(kMinute));
  REQUIRE(answer);
  CHECK(answer->value.SampleCount(0) == 2);
  const auto sum = engine.Instant(source, "sum_over_time(x[10m])", 4 * kMinute);
  CHECK(std::get<InstantVector>(sum->value).at(0).value == 3);
}

TEST_CASE("one parsed query is evaluated by many threads with one result", "[promql]") {
  const auto source = Numbered(300, 60);
  EngineOptions options;
  options.threads = 4;
  const Engine engine(options);
  const auto query = engine.Parse("sum(rate(x[5m])) + count(x) + max_over_time(sum(x)[10m:1m])");
  REQUIRE(query);
  const auto run = [&] {
    const auto answer = engine.Range(source, **query, 0, 60 * kMinute, Milliseconds(kMinute / 4));
    std::vector<double> values;
    if (answer) {
      answer->value.ForEachSample(0, [&](Timestamp, double value) { values.push_back(value); });
    }
    return values;
  };
  EngineOptions single;
  const auto alone =
      Engine(single).Range(source, **query, 0, 60 * kMinute, Milliseconds(kMinute / 4));
  std::vector<double> expected;
  alone->value.ForEachSample(0, [&](Timestamp, double value) { expected.push_back(value); });
  std::vector<std::vector<double>> results(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = run(); });
  }
  REQUIRE(expected.size() > 200);
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("an error of the storage is told apart from one of the query", "[promql]") {
  class Broken final : public SeriesSource {
   public:
    Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(std::span<const Matcher>,
                                                                    TimeRange) const override {
      return Fail(ErrorCode::kCorrupt, "chunk 7: bad checksum");
    }
    Result<std::vector<std::string>> LabelNames(std::span<const Matcher>,
                                                TimeRange) const override {
      return std::vector<std::string>();
    }
    Result<std::vector<std::string>> LabelValues(std::string_view, std::span<const Matcher>,
                                                 TimeRange) const override {
      return std::vector<std::string>();
    }
  };
  CHECK(Engine(EngineOptions{}).Instant(Broken(), "x", 0).error() ==
        QueryError{QueryError::Kind::kInternal, "expanding series: chunk 7: bad checksum"});
}

TEST_CASE("the dot of Prometheus 3 matches line breaks", "[promql]") {
  MemorySource source;
  source.Add({{"__name__", "x"}, {"text", "one\ntwo"}}, 0, 1);
  const auto count = [&](Semantics semantics) {
    EngineOptions options;
    options.semantics = semantics;
    const auto answer = Engine(options).Instant(source, "x{text=~\"one.two\"}", 0);
    return std::get<InstantVector>(answer->value).size();
  };
  CHECK(count(Semantics::kPrometheus3) == 1);
  CHECK(count(Semantics::kPrometheus2) == 0);
}

}  // namespace vigia::promql::test
