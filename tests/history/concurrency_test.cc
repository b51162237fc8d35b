#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "query/history/recorder.h"
#include "tests/history/support.h"

namespace vigia::history {

TEST_CASE("appending, selecting, following and deleting at the same time", "[history]") {
  Fixture fixture({.retention = 30min, .block_length = 2min});
  constexpr int kRounds = 150;
  constexpr int kSeries = 40;
  std::atomic<int> round = 0;
  std::atomic<bool> done = false;

  // One that fell behind by more than retention would write what is too old.
  constexpr int kAhead = 40;
  std::array<std::atomic<int>, 2> written{};
  const auto write = [&](const char* writer, int self) {
    const auto& other = written[static_cast<std::size_t>(1 - self)];
    for (int i = 0; i < kRounds; ++i) {
      written[static_cast<std::size_t>(self)] = i;
      while (i > other + kAhead) std::this_thread::yield();
      std::vector<SeriesSink::Entry> entries;
      for (int j = 0; j < kSeries; ++j) {
        const bool churn = j % 8 == 0;
        entries.push_back({Labels{{"__name__", "m"},
                                  {"writer", writer},
                                  {"j", std::to_string(j)},
                                  {"pod", churn ? std::to_string(i / 20) : ""}},
                           {fixture.start + i * 15'000, static_cast<double>(i)}});
      }
      const auto outcome = fixture->Append(entries);
      if (!outcome || outcome->stored != entries.size()) std::abort();
      round = i;
    }
  };
  std::thread maintainer([&] {
    for (int last = 0; !done;) {
      for (const int now = round; last < now; ++last) fixture.clock.Advance(15s);
      fixture->Maintain();
      static_cast<void>(fixture->stats());
      std::this_thread::yield();
    }
  });
  std::thread reader([&] {
    while (!done) {
      const auto selected =
          fixture->Select(std::vector<Matcher>{{Matcher::Op::kRegex, "j", "1.*|2|3"}}, kAllTime);
      for (const auto& series : *selected) {
        Columns columns;
        if (!series->Read(kAllTime.from, kAllTime.to, columns)) std::abort();
        for (std::size_t i = 1; i < columns.size(); ++i) {
          if (columns.times[i] <= columns.times[i - 1]) std::abort();
        }
      }
    }
  });
  std::thread follower([&] {
    const auto journal = fixture->Follow({});
    while (!done) static_cast<void>(journal->Next(1000));
  });
  fixture.clock.Advance(1h);
  std::thread one(write, "one", 0);
  std::thread two(write, "two", 1);
  one.join();
  two.join();
  done = true;
  maintainer.join();
  reader.join();
  follower.join();

  // The last samples of the series that ran to the end are all there.
  const auto content = fixture.ReadAll();
  std::size_t complete = 0;
  for (const auto& [name, samples] : content) {
    complete += samples.back().first == fixture.start + (kRounds - 1) * 15'000;
  }
  REQUIRE(complete == 2 * kSeries);
}

TEST_CASE("the thread flushes within half a second of its clock and ends with the history",
          "[history]") {
  Fixture fixture;
  fixture->Start();
  fixture.clock.AwaitWaiters(1);
  fixture.Append(Labels{{"__name__", "m"}}, fixture.start, 1);
  REQUIRE(fixture->stats().journal_bytes == 0);
  fixture.clock.Advance(500ms);
  fixture.clock.AwaitWaiters(1);
  while (fixture->stats().journal_bytes == 0) std::this_thread::yield();
  fixture.Close();
  fixture.Reopen();
  REQUIRE(fixture.Read(Labels{{"__name__", "m"}}).size() == 1);
}

}  // namespace vigia::history
