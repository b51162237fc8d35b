// The same alerts and silences, at the same time, to a real Alertmanager and to vigia: whom each
// tells, about how many alerts, in which order.

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

using SteadyClock = std::chrono::steady_clock;

// "RECEIVER" lines become integrations: webhooks for Alertmanager, the log for vigia.
const std::string kConfig = R"(
route:
  receiver: team
  group_by: [s, alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 5s
  routes:
  - { matchers: [ s="together" ], group_by: [s] }
  - { matchers: [ s="continue" ], receiver: first, continue: true, repeat_interval: 1h }
  - { matchers: [ s="continue" ], receiver: second, repeat_interval: 1h }
  - { match_re: { s: "qui.t" }, receiver: quiet, repeat_interval: 1h }
  - { matchers: [ s="muted" ], mute_time_intervals: [ always ] }
  - { matchers: [ s="inactive" ], active_time_intervals: [ long_ago ] }
  - { matchers: [ s="active" ], active_time_intervals: [ always ], repeat_interval: 1h }
  - { matchers: [ s="each" ], group_by: ['...'], repeat_interval: 1h }
  - matchers: [ s=~"again|gone|flap|inhibit|silence" ]
    repeat_interval: 1h
inhibit_rules:
- { source_matchers: [ severity="page" ], target_matchers: [ severity="warning" ], equal: [ host ] }
time_intervals:
- { name: always, time_intervals: [ {} ] }
- { name: long_ago, time_intervals: [ { years: ['1990'] } ] }
receivers:
- { name: team, RECEIVER }
- { name: first, RECEIVER }
- { name: second, RECEIVER }
- { name: quiet, QUIET }
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string Now() {
  return RunProgram({"date", "-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"}).output.substr(0, 24);
}

json Alert(std::map<std::string, std::string> labels, bool ended) {
  json alert{{"labels", labels}};
  if (ended) alert["endsAt"] = Now();
  return alert;
}

// A post of alerts at a time after the start.
struct Act {
  std::chrono::milliseconds at;
  std::map<std::string, std::string> labels;
  bool ended = false;
};

const std::vector<Act> kStory{
    {0ms, {{"s", "together"}, {"alertname", "A"}}},
    {0ms, {{"s", "repeat"}, {"alertname", "A"}}},
    {0ms, {{"s", "flap"}, {"alertname", "A"}}},
    {0ms, {{"s", "gone"}, {"alertname", "A"}}},
    {0ms, {{"s", "inhibit"}, {"alertname", "Down"}, {"host", "a"}, {"severity", "page"}}},
    {0ms, {{"s", "inhibit"}, {"alertname", "Slow"}, {"host", "a"}, {"severity", "warning"}}},
    {0ms, {{"s", "inhibit"}, {"alertname", "Slow"}, {"host", "b"}, {"severity", "warning"}}},
    {0ms, {{"s", "silence"}, {"alertname", "A"}}},
    {0ms, {{"s", "continue"}, {"alertname", "A"}}},
    {0ms, {{"s", "quiet"}, {"alertname", "A"}}},
    {0ms, {{"s", "muted"}, {"alertname", "A"}}},
    {0ms, {{"s", "inactive"}, {"alertname", "A"}}},
    {0ms, {{"s", "active"}, {"alertname", "A"}}},
    {0ms, {{"s", "each"}, {"alertname", "A"}}},
    {0ms, {{"s", "each"}, {"alertname", "A"}, {"host", "b"}}},
    {0ms, {{"s", "again"}, {"alertname", "A"}}},
    {400ms, {{"s", "gone"}, {"alertname", "A"}}, true},
    {1700ms, {{"s", "flap"}, {"alertname", "A"}}, true},
    {2000ms, {{"s", "together"}, {"alertname", "B"}}},
    {2000ms, {{"s", "quiet"}, {"alertname", "A"}}, true},
    {2000ms, {{"s", "again"}, {"alertname", "A"}}, true},
    {2200ms, {{"s", "flap"}, {"alertname", "A"}}},
    {4000ms, {{"s", "together"}, {"alertname", "A"}}, true},
    {4000ms, {{"s", "inhibit"}, {"alertname", "Down"}, {"host", "a"}, {"severity", "page"}}, true},
    {6000ms, {{"s", "together"}, {"alertname", "B"}}, true},
    {6000ms, {{"s", "quiet"}, {"alertname", "A"}}},
    {6000ms, {{"s", "again"}, {"alertname", "A"}}},
};

// One side of the comparison.
struct Side {
  int port;
  std::string silence;
};

HttpAnswer Send(const Side& side, const std::string& path, const json& body) {
  return Ask(side.port, {.method = "POST",
                         .path = path,
                         .headers = {{"Content-Type", "application/json"}},
                         .body = body.dump()});
}

void Play(std::vector<Side>& sides) {
  for (auto& side : sides) {
    const json silence{{"matchers", {{{"name", "s"}, {"value", "silence"}, {"isRegex", false}}}},
                       {"createdBy", "test"},
                       {"comment", "test"},
                       {"startsAt", "2020-01-01T00:00:00Z"},
                       {"endsAt", "2090-01-01T00:00:00Z"}};
    const auto answer = Send(side, "/api/v2/silences", silence);
    REQUIRE(answer.status == 200);
    side.silence = json::parse(answer.body)["silenceID"];
  }
  const auto start = SteadyClock::now();
  std::size_t next = 0;
  bool expired = false;
  while (next < kStory.size() || !expired) {
    const auto at = next < kStory.size() ? kStory[next].at : 4000ms;
    if (!expired && at >= 4000ms) {
      std::this_thread::sleep_until(start + 4000ms);
      for (const auto& side : sides) {
        REQUIRE(Ask(side.port, {.method = "DELETE", .path = "/api/v2/silence/" + side.silence})
                    .status == 200);
      }
      expired = true;
    }
    std::this_thread::sleep_until(start + at);
    json batch = json::array();
    for (; next < kStory.size() && kStory[next].at == at; ++next) {
      batch.push_back(Alert(kStory[next].labels, kStory[next].ended));
    }
    for (const auto& side : sides) REQUIRE(Send(side, "/api/v2/alerts", batch).status == 200);
  }
  std::this_thread::sleep_until(start + 8s);
}

// Receiver and group, then "firing/resolved" of each notification in order.
using Story = std::map<std::string, std::string>;

Story OfAlertmanager(const HttpStub& sink) {
  Story story;
  for (const auto& request : sink.requests()) {
    const auto body = json::parse(request.body);
    int firing = 0;
    int resolved = 0;
    for (const auto& alert : body["alerts"]) ++(alert["status"] == "firing" ? firing : resolved);
    story[body["receiver"].get<std::string>() + " " + body["groupKey"].get<std::string>()] +=
        std::to_string(firing) + "/" + std::to_string(resolved) + " ";
  }
  return story;
}

Story OfVigia(const Vigia& vigia) {
  Story story;
  auto events = json::parse(
      vigia.Get("/api/vigia/v1/events?limit=10000&type=notification.queued").body)["events"];
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const auto& details = (*event)["details"];
    story[details["receiver"].get<std::string>() + " " + details["group"].get<std::string>()] +=
        details["firing"].get<std::string>() + "/" + details["resolved"].get<std::string>() + " ";
  }
  return story;
}

std::string Text(const Story& story) {
  std::string text;
  for (const auto& [group, told] : story) text += group + ": " + told + "\n";
  return text;
}

}  // namespace

TEST_CASE("vigia tells what a real Alertmanager tells", "[e2e]") {
  if (!HasProgram("prometheus-alertmanager")) {
    WARN("skipped: prometheus-alertmanager is not installed");
    return;
  }
  HttpStub sink;
  sink.Answer("/hook", {.body = "ok"});
  const auto hook = "webhook_configs: [ { url: '" + sink.Url("/hook") + "'";
  const TempDir dir;
  dir.Write("am.yml", Replaced(Replaced(kConfig, "RECEIVER", hook + " } ]"), "QUIET",
                               hook + ", send_resolved: false } ]"));
  const int port = FreePort();
  Process alertmanager(
      {"prometheus-alertmanager", "--config.file=" + (dir.path() / "am.yml").string(),
       "--storage.path=" + (dir.path() / "data").string(),
       "--cluster.listen-address=", "--web.listen-address=127.0.0.1:" + std::to_string(port)});
  const Vigia vigia(
      {.config = "rules: []\nalerting: { config_file: am.yml, early_flush: false }\n",
       .files = {{"am.yml", Replaced(Replaced(kConfig, "RECEIVER", "log_configs: [ {} ]"), "QUIET",
                                     "log_configs: [ { send_resolved: false } ]")}}});
  for (int i = 0; i < 100 && Get(port, "/-/ready").status != 200; ++i) {
    std::this_thread::sleep_for(100ms);
  }
  std::vector<Side> sides{{port, {}}, {vigia.port(), {}}};
  Play(sides);
  const auto expected = OfAlertmanager(sink);
  CHECK(expected.size() >= 10);
  CHECK(Text(OfVigia(vigia)) == Text(expected));
}
