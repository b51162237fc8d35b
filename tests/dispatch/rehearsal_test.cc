#include "alerting/dispatch/rehearsal.h"

#include <catch2/catch.hpp>

#include "tests/dispatch/bench.h"

namespace vigia::alerting::dispatch {
namespace {

// 2023-11-14T22:00:00Z
constexpr Timestamp kStart = 1'699'999'200'000;
constexpr Timestamp kMinute = 60'000;

constexpr const char* kConfig = R"(
route: { receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h,
         routes: [ { matchers: [ severity="night" ], receiver: night, mute_time_intervals: [ dark ] } ] }
time_intervals: [ { name: dark, time_intervals: [ { times: [ { start_time: "22:00", end_time: "23:00" } ] } ] } ]
inhibit_rules: [ { source_matchers: [ alertname="Down" ], target_matchers: [ alertname="Slow" ] } ]
receivers: [ { name: team, log_configs: [ {} ] }, { name: night, log_configs: [ {} ] } ]
)";

// The same alert as long as it lasts, told again each minute as rules do.
void Last(Rehearsal& rehearsal, const Labels& labels, Timestamp from, Timestamp to) {
  for (Timestamp time = from; time <= to; time += kMinute) {
    rehearsal.AdvanceTo(kStart + time);
    rehearsal.Post(
        std::vector<Alert>{{.labels = labels,
                            .starts_at = kStart + from,
                            .ends_at = kStart + (time == to ? to : time + 4 * kMinute)}});
  }
}

// "minute receiver reason firing/resolved" per message.
std::string Text(const Rehearsal& rehearsal) {
  std::string out;
  for (const auto& one : rehearsal.messages()) {
    out += std::to_string((one.time - kStart) / 1000) + "s " + one.receiver + " " + one.reason +
           " " + std::to_string(one.firing) + "/" + std::to_string(one.resolved) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a rehearsal tells what was told: groups, repeats and ends at their times",
          "[dispatch]") {
  Rehearsal rehearsal(test::PlanOf(kConfig), {}, kStart);
  Last(rehearsal, Labels({{"alertname", "High"}, {"host", "a"}}), 0, 150 * kMinute);
  rehearsal.AdvanceTo(kStart + 200 * kMinute);
  CHECK(Text(rehearsal) ==
        "30s team first notification 1/0\n"
        "3630s team repeat interval elapsed 1/0\n"
        "7230s team repeat interval elapsed 1/0\n"
        "9030s team all alerts resolved 0/1\n");
  const auto counts = CountMessages(rehearsal.messages());
  REQUIRE(counts.size() == 1);
  CHECK(counts.begin()->second.messages == 4);
  CHECK(counts.begin()->second.by_reason.at("repeat interval elapsed") == 2);
  CHECK(counts.begin()->second.in_minute.messages == 1);
  CHECK(counts.begin()->second.in_hour.messages == 2);
  CHECK(counts.begin()->second.in_hour.from == kStart + 7'230'000);
}

TEST_CASE("a rehearsal keeps back what is inhibited, and tells the end of mute times",
          "[dispatch]") {
  Rehearsal rehearsal(test::PlanOf(kConfig), {}, kStart);
  const Labels night({{"alertname", "Night"}, {"severity", "night"}});
  for (Timestamp time = 0; time <= 90 * kMinute; time += kMinute) {
    rehearsal.AdvanceTo(kStart + time);
    const Timestamp until = kStart + time + 4 * kMinute;
    rehearsal.Post(std::vector<Alert>{
        {.labels = Labels({{"alertname", "Down"}}), .starts_at = kStart, .ends_at = until},
        {.labels = Labels({{"alertname", "Slow"}}), .starts_at = kStart, .ends_at = until},
        {.labels = night, .starts_at = kStart, .ends_at = until}});
  }
  CHECK(Text(rehearsal) ==
        "30s team first notification 1/0\n"
        "3630s team repeat interval elapsed 1/0\n"
        "3630s night first notification 1/0\n");
  CHECK(rehearsal.held_back().inhibited == 1);
  CHECK(rehearsal.held_back().muted == 1);
}

TEST_CASE("bursts are the most messages in any minute and in any hour", "[dispatch]") {
  std::vector<Rehearsal::Message> messages;
  for (const int second : {0, 59, 60, 61, 4000}) {
    messages.push_back({.time = kStart + second * 1000, .receiver = "a", .kind = "log"});
  }
  const auto counts = CountMessages(messages);
  const auto& count = counts.at({"a", "log"});
  CHECK(count.in_minute.messages == 3);
  CHECK(count.in_minute.from == kStart + 59'000);
  CHECK(count.in_hour.messages == 4);
  CHECK(count.in_hour.from == kStart);
}

}  // namespace vigia::alerting::dispatch
