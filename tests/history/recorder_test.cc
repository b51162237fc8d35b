#include "query/history/recorder.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/batch.h"
#include "tests/history/support.h"

namespace vigia::history {
namespace {

constexpr Metric kQueue{"queue", "Waiting.", MetricType::kGauge};
constexpr Metric kUp{"up", "Whether it answers.", MetricType::kGauge};
const InstanceId kInstance{"redis", "main"};

struct Recorded : Fixture {
  Recorder recorder{*history};
  Batch batch;
  Timestamp now = start;

  void Publish(const std::vector<std::pair<std::string, double>>& queues) {
    for (const auto& [name, value] : queues) batch.Add(kQueue, {{"name", name}}, value);
    recorder.Publish(kInstance, batch.Finish(Next()));
  }

  void Withdraw(bool with_last_words) {
    if (with_last_words) batch.OnFailure().Add(kUp, 0);
    const Timestamp time = Next();
    recorder.Withdraw(kInstance, time, batch.FinishFailure(time));
  }

  Timestamp Next() {
    clock.Advance(1s);
    return now += 1000;
  }

  // "1 2 gone - unknown": one word for each second, '-' for no sample.
  std::string Line(const Labels& labels) {
    const auto read = Read(labels);
    std::string line;
    std::size_t i = 0;
    for (Timestamp time = start + 1000; time <= now; time += 1000) {
      if (!line.empty()) line += ' ';
      if (i == read.size() || read.times[i] != time) {
        line += '-';
        continue;
      }
      const double value = read.values[i++];
      line += IsGone(value)      ? "gone"
              : IsUnknown(value) ? "unknown"
                                 : std::to_string(static_cast<int>(value));
    }
    return line;
  }
  std::string Queue(const char* name) {
    return Line(Labels{{"__name__", "queue"}, {"name", name}});
  }
};

}  // namespace

TEST_CASE("a recorder stores every value of every reading", "[history]") {
  Recorded recorded;
  for (int i = 0; i < 5; ++i) {
    recorded.Publish({{"a", i}, {"b", 10 + i}});
  }
  REQUIRE(recorded.Queue("a") == "0 1 2 3 4");
  REQUIRE(recorded.Queue("b") == "10 11 12 13 14");
}

TEST_CASE("a series that a reading no longer lists is gone once", "[history]") {
  Recorded recorded;
  recorded.Publish({{"a", 1}, {"b", 1}});
  recorded.Publish({{"a", 2}});
  recorded.Publish({{"a", 3}});
  recorded.Publish({{"b", 4}, {"a", 4}});
  recorded.Publish({});
  REQUIRE(recorded.Queue("a") == "1 2 3 4 gone");
  REQUIRE(recorded.Queue("b") == "1 gone - 4 gone");
}

TEST_CASE("series of a failed run are unknown until the next reading", "[history]") {
  Recorded recorded;
  recorded.Publish({{"a", 1}, {"b", 1}});
  recorded.Withdraw(false);
  recorded.Withdraw(true);
  recorded.Withdraw(true);
  recorded.Publish({{"a", 5}});
  REQUIRE(recorded.Queue("a") == "1 unknown unknown unknown 5");
  REQUIRE(recorded.Queue("b") == "1 unknown unknown unknown gone");
  REQUIRE(recorded.Line(Labels{{"__name__", "up"}}) == "- - 0 0 gone");
}

TEST_CASE("series that a reading withholds are unknown until one answers for them", "[history]") {
  Recorded recorded;
  recorded.Publish({{"a", 1}, {"b", 1}, {"c", 1}});
  recorded.batch.Withhold(kQueue, {"name", "b"});
  recorded.Publish({{"a", 2}});
  recorded.batch.Withhold(kQueue, {"name", "b"});
  recorded.Publish({{"a", 3}});
  recorded.Withdraw(false);
  recorded.batch.Withhold(kQueue);
  recorded.Publish({{"c", 5}});
  recorded.Publish({{"b", 6}});
  REQUIRE(recorded.Queue("a") == "1 2 3 unknown unknown gone");
  REQUIRE(recorded.Queue("b") == "1 unknown unknown unknown unknown 6");
  REQUIRE(recorded.Queue("c") == "1 gone - - 5 gone");
}

TEST_CASE("last words stand in the place of the marker for series that readings have too",
          "[history]") {
  Recorded recorded;
  const auto publish = [&](double value) {
    recorded.batch.Add(kUp, 1);
    recorded.Publish({{"a", value}});
  };
  publish(1);
  recorded.Withdraw(true);
  recorded.Withdraw(false);
  publish(4);
  REQUIRE(recorded.Queue("a") == "1 unknown unknown 4");
  REQUIRE(recorded.Line(Labels{{"__name__", "up"}}) == "1 0 unknown 1");
}

TEST_CASE("times that the source gave are kept", "[history]") {
  Recorded recorded;
  recorded.batch.AddAt(kQueue, {}, 7, recorded.start - 60'000);
  recorded.recorder.Publish(kInstance, recorded.batch.Finish(recorded.Next()));
  REQUIRE(recorded.Read(Labels{{"__name__", "queue"}}).times ==
          std::vector<Timestamp>{recorded.start - 60'000});
}

TEST_CASE("a series refused for a limit is recorded once there is room", "[history]") {
  Fixture fixture({.retention = 10min, .max_series = 1, .block_length = 1min});
  Recorder recorder(*fixture);
  Batch batch;
  fixture.Append(Labels{{"__name__", "other"}}, fixture.start, 1);
  const auto publish = [&] {
    batch.Add(kUp, 1);
    recorder.Publish(kInstance, batch.Finish(fixture.clock.Wall()));
  };
  publish();
  REQUIRE(fixture.Read(Labels{{"__name__", "up"}}).size() == 0);
  REQUIRE(fixture->stats().samples_over_series == 1);
  // The other series ages out although nothing newer could be stored.
  for (int i = 0; i < 4; ++i) {
    fixture.clock.Advance(10min);
    fixture->Maintain();
    publish();
  }
  REQUIRE(fixture.Select({}) == std::vector<std::string>{"up"});
}

}  // namespace vigia::history
