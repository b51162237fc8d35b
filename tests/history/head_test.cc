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
      const Timestamp from = last - pick(2'000'000);
      checked.CheckRead(from, from + pick(2'000'000));
    }
    checked.CheckRead(std::numeric_limits<Timestamp>::min(), std::numeric_limits<Timestamp>::max());
  }
}

}  // namespace vigia::history
