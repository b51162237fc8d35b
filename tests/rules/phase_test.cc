#include "alerting/rules/phase.h"

#include <catch2/catch.hpp>

namespace vigia::alerting::rules {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = 1'700'000'000'000;
const InstanceId kHost{"host", "host"};
const InstanceId kDatabase{"postgres", "main"};

Timestamp Take(Phase& phase, Timestamp now) {
  std::uint64_t missed = 0;
  return phase.Take(now, missed);
}

}  // namespace

TEST_CASE("ticks are aligned to an offset that the key gives", "[rules]") {
  Phase phase("a.yml;g", 15s, kNow);
  const Timestamp first = phase.tick();
  CHECK(first > kNow);
  CHECK(first <= kNow + 15'000);
  // A restart changes nothing.
  CHECK((Phase("a.yml;g", 15s, kNow + 150'000).tick() - first) % 15'000 == 0);
  CHECK((Phase("b.yml;g", 15s, kNow).tick() - first) % 15'000 != 0);
  CHECK(phase.due() == first);
  CHECK(Take(phase, first + 3) == first);
  CHECK(phase.due() == first + 15'000);
}

TEST_CASE("ticks that an evaluation overran are counted and left out", "[rules]") {
  Phase phase("g", 10s, kNow);
  const Timestamp first = Take(phase, phase.tick());
  std::uint64_t missed = 0;
  // Less than an interval late: evaluated at once, nothing missed.
  CHECK(phase.Take(first + 19'000, missed) == first + 10'000);
  CHECK(missed == 0);
  CHECK(phase.Take(first + 55'000, missed) == first + 50'000);
  CHECK(missed == 3);
}

TEST_CASE("a group follows right behind the readings that feed it", "[rules]") {
  Phase phase("g", 15s, kNow);
  phase.SetFeeds({{kHost, 5s}, {kDatabase, 15s}});
  phase.OnReading(kHost, kNow);
  CHECK_FALSE(phase.locked());
  phase.OnReading(kDatabase, kNow + 100);
  CHECK(phase.locked());
  CHECK(phase.due() == kNow + 125);
  CHECK(Take(phase, kNow + 125) == kNow + 125);
  // Readings jitter, ticks do not.
  for (int i = 1; i < 5; ++i) {
    const Timestamp read = kNow + 100 + i * 15'000 + (i % 2 ? 15 : -15);
    phase.OnReading(kHost, read - 10);
    CHECK(phase.due() == kNow + 125 + i * 15'000 + 1000);
    phase.OnReading(kDatabase, read);
    CHECK(phase.due() == kNow + 125 + i * 15'000);
    CHECK(Take(phase, phase.due()) == kNow + 125 + i * 15'000);
  }
}

TEST_CASE("of collectors that run more often the reading for the tick counts", "[rules]") {
  Phase phase("g", 15s, kNow);
  phase.SetFeeds({{kHost, 5s}});
  phase.OnReading(kHost, kNow);
  CHECK(Take(phase, kNow + 25) == kNow + 25);
  phase.OnReading(kHost, kNow + 5'000);
  phase.OnReading(kHost, kNow + 10'000);
  CHECK(phase.due() == kNow + 15'025 + 1000);
  phase.OnReading(kHost, kNow + 15'001);
  CHECK(phase.due() == kNow + 15'025);
}

TEST_CASE("readings that do not come hold up a group for a second at most", "[rules]") {
  Phase phase("g", 15s, kNow);
  phase.SetFeeds({{kHost, 15s}});
  phase.OnReading(kHost, kNow);
  Take(phase, kNow + 25);
  CHECK(phase.due() == kNow + 15'025 + 1000);
  CHECK(Take(phase, kNow + 16'025) == kNow + 15'025);
  CHECK(Take(phase, kNow + 31'025) == kNow + 30'025);
  // Then it keeps its own time until they are back.
  CHECK_FALSE(phase.locked());
  CHECK(phase.due() == kNow + 45'025);
  phase.OnReading(kHost, kNow + 34'000);
  CHECK(phase.due() == kNow + 34'025);
}

TEST_CASE("ticks move with readings that come at another time for good", "[rules]") {
  Phase later("g", 15s, kNow);
  later.SetFeeds({{kHost, 15s}});
  later.OnReading(kHost, kNow);
  Take(later, kNow + 25);
  later.OnReading(kHost, kNow + 15'500);
  CHECK(Take(later, kNow + 15'525) == kNow + 15'525);

  Phase earlier("g", 15s, kNow);
  earlier.SetFeeds({{kHost, 15s}});
  earlier.OnReading(kHost, kNow);
  Take(earlier, kNow + 25);
  for (int i = 1; i <= 3; ++i) {
    earlier.OnReading(kHost, kNow + i * 15'000 - 4'000);
    const Timestamp shift = i < 3 ? 25 : -3'975;
    CHECK(Take(earlier, earlier.due()) == kNow + i * 15'000 + shift);
  }
}

TEST_CASE("a wall clock that is set starts the ticks anew", "[rules]") {
  Phase phase("g", 15s, kNow);
  Take(phase, phase.tick());
  phase.Check(kNow - 3'600'000);
  CHECK(phase.tick() > kNow - 3'600'000);
  CHECK(phase.tick() <= kNow - 3'600'000 + 15'000);
}

}  // namespace vigia::alerting::rules
