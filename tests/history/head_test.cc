#include "query/history/head.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace vigia::history {
namespace {

// A head beside a map that does the same in the simplest way.
struct Checked {
  Arena arena;
  SeriesHead head;
  std::map<Timestamp, double> in_head;  // what no file has
  std::map<Timestamp, double> all;

  void Append(Timestamp time, double value) {
    head.Append({time, value}, arena);
    in_head[time] = all[time] = value;
  }

  void Insert(const Columns& samples) {
    head.Insert(samples.times, samples.values, arena);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      in_head[samples.times[i]] = all[samples.times[i]] = samples.values[i];
    }
  }

  // As a query does that had to look into chunks or files.
  void Refill(Timestamp from) {
    const auto last = all.empty() ? 0 : all.rbegin()->first;
    if (all.empty() || head.Covers(from)) return head.NoteRead();
    if (!head.Meets(last, last)) return;
    Columns samples;
    for (auto at = all.lower_bound(from); at != all.end(); ++at) {
      samples.times.push_back(at->first);
      samples.values.push_back(at->second);
    }
    if (samples.size() == 0) return;
    head.Refill(from, samples.times, samples.values);
    ++(head.Covers(from) ? refilled : not_refilled);
  }
  int refilled = 0;
  int not_refilled = 0;

  void CheckRead(Timestamp from, Timestamp to) const {
    // Recent samples are complete, others only as far as no file has them.
    const auto& expected = head.Covers(from) ? all : in_head;
    Columns out{{-5}, {5}};
    REQUIRE(head.Read(from, to, out));
    std::size_t i = 1;
    for (auto at = expected.lower_bound(from); at != expected.end() && at->first <= to; ++at) {
      REQUIRE(i < out.size());
      REQUIRE(out.times[i] == at->first);
      REQUIRE(out.values[i++] == at->second);
    }
    REQUIRE(i == out.size());
  }
};

}  // namespace

TEST_CASE("a head gives back what was appended and inserted in any order", "[history]") {
  int refilled = 0;
  int not_refilled = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t below) { return static_cast<Timestamp>(random() % below); };
    Checked checked;
    Timestamp last = 1'000'000;
    for (int step = 0; step < 400; ++step) {
      const auto choice = random() % 20;
      if (choice < 15) {
        last += 1 + pick(choice == 0 ? 10'000'000'000 : 30'000);
        checked.Append(last, static_cast<double>(random() % 1000));
      } else if (choice < 18) {
        Columns late;
        Timestamp time = last - pick(900'000);
        for (auto n = 1 + random() % 5; n > 0; --n, time += 1 + pick(20'000)) {
          if (time >= last || checked.all.contains(time)) continue;
          late.times.push_back(time);
          late.values.push_back(static_cast<double>(random() % 1000));
        }
        checked.Insert(late);
      } else if (choice == 18 && random() % 4 == 0) {
        const auto* chain = checked.head.PackAll(checked.arena);
        Columns packed;
        REQUIRE(SeriesHead::ReadChain(chain, packed));
        REQUIRE(packed.size() == checked.in_head.size());
        std::map<Timestamp, double> newer;
        if (random() % 2 == 0) checked.Append(++last, 7), newer[last] = 7;
        if (chain) checked.head.Drop(chain);
        checked.in_head = newer;
        if (newer.empty() && random() % 2 == 0) checked.head.ForgetRecent();
      }
      if (seed % 3 != 0 && random() % 8 == 0) checked.Refill(last - pick(600'000));
      const Timestamp from = last - pick(2'000'000);
      checked.CheckRead(from, from + pick(2'000'000));
    }
    checked.CheckRead(std::numeric_limits<Timestamp>::min(), std::numeric_limits<Timestamp>::max());
    refilled += checked.refilled;
    not_refilled += checked.not_refilled;
  }
  CHECK(refilled > 100);
  CHECK(not_refilled > 100);
}

TEST_CASE("a head keeps open what is asked for and little else", "[history]") {
  Arena arena;
  SeriesHead head;
  Columns out;
  Timestamp time = 0;
  const auto append = [&](int count) {
    for (int i = 0; i < count; ++i, time += 15'000) head.Append({time, 1}, arena);
  };
  append(1000);
  const std::size_t unread = head.RecentBytes();
  REQUIRE(unread == 12 * SeriesHead::kUnread);
  REQUIRE_FALSE(head.Covers(time - 300'000));

  // A query of the last five minutes finds them in chunks, and leaves them here.
  REQUIRE(head.Read(time - 300'001, time, out));
  REQUIRE(out.size() == 20);
  REQUIRE(head.Meets(time, time - 15'000));
  head.Refill(time - 300'001, out.times, out.values);
  REQUIRE(head.Covers(time - 300'001));
  for (int i = 0; i < 100; ++i) {
    append(1);
    REQUIRE(head.Covers(time - 300'000));
    head.NoteRead();
  }

  // Nobody asks any more.
  append(100);
  REQUIRE(head.RecentBytes() <= unread);
  out.Clear();
  REQUIRE(head.Read(0, time, out));
  REQUIRE(out.size() == 1200);
}

TEST_CASE("of two readers that fill a head at once, the slower one changes nothing", "[history]") {
  Arena arena;
  SeriesHead head;
  for (Timestamp time = 0; time < 10'000; time += 10) head.Append({time, 1}, arena);
  Columns longer;
  Columns shorter;
  REQUIRE(head.Read(9'800, 10'000, longer));
  REQUIRE(head.Read(9'900, 10'000, shorter));
  head.Refill(9'800, longer.times, longer.values);
  head.Refill(9'900, shorter.times, shorter.values);
  for (const Timestamp from : {9'800, 9'900}) {
    Columns out;
    REQUIRE(head.Covers(from));
    REQUIRE(head.Read(from, 10'000, out));
    CHECK(out.times == (from == 9'800 ? longer.times : shorter.times));
  }
}

}  // namespace vigia::history
