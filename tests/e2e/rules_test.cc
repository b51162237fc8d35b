// Rules in the daemon, as a user meets them.

#include <csignal>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"

using namespace vigia::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kRules = R"(
groups:
  - name: g
    interval: 1s
    rules:
      - { record: "job:load:max", expr: max by (job) (load) }
      - alert: High
        expr: load > 10
        for: 2s
        labels: { severity: page }
        annotations: { summary: "{{ $labels.job }} is at {{ $value | humanize }}" }
      - { alert: HighMax, expr: "job:load:max > 10", keep_firing_for: 3s }
)";

std::string Config(const std::string& url) {
  return "evaluation_interval: 1s\nrules: [rules.yml]\n"
         "collectors:\n  scrape:\n    - { name: app, url: \"" +
         url + "\", interval: 1s }\n";
}

// Active alerts by name, with their state, "held" where they are.
std::set<std::string> Alerts(int port) {
  std::set<std::string> out;
  const auto json = nlohmann::json::parse(Get(port, "/api/v1/alerts").body);
  for (const auto& alert : json["data"]["alerts"]) {
    out.insert(alert["labels"]["alertname"].get<std::string>() + " " +
               alert["state"].get<std::string>() +
               (alert.value("vigia_held", false) ? " held" : ""));
  }
  return out;
}

// Waits, for at most 30 s, until these and no others are active.
bool AwaitAlerts(int port, const std::set<std::string>& wanted) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (Alerts(port) != wanted) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

std::string ActiveAt(int port) {
  const auto json = nlohmann::json::parse(Get(port, "/api/v1/alerts").body);
  return json["data"]["alerts"].at(0)["activeAt"];
}

// What a person sees of one server's alerts over time: for each alert its states, one after
// another.
class Watcher {
 public:
  explicit Watcher(int port) : port_(port) {}

  void Look() {
    const auto json = nlohmann::json::parse(Get(port_, "/api/v1/alerts").body, nullptr, false);
    if (!json.is_object()) return;
    std::map<std::string, std::string> now;
    for (auto alert : json["data"]["alerts"]) {
      now[alert["labels"].dump()] = alert["state"].get<std::string>() + " " +
                                    alert["value"].get<std::string>() + " " +
                                    alert["annotations"].dump();
    }
    for (auto& [labels, states] : seen_) {
      if (!now.contains(labels) && states.back() != "gone") states.push_back("gone");
    }
    for (const auto& [labels, state] : now) {
      auto& states = seen_[labels];
      if (states.empty() || states.back() != state) states.push_back(state);
    }
  }

  const std::map<std::string, std::vector<std::string>>& seen() const { return seen_; }

 private:
  const int port_;
  std::map<std::string, std::vector<std::string>> seen_;
};

}  // namespace

TEST_CASE("alerts of rules fire, are held while a source fails, and resolve", "[e2e]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "load 11\n"});
  const Vigia vigia({.config = Config(stub.Url("/metrics")), .files = {{"rules.yml", kRules}}});
  REQUIRE(AwaitAlerts(vigia.port(), {"High firing", "HighMax firing"}));
  const auto rules = vigia.Get("/api/v1/rules?type=alert&rule_name[]=High").body;
  CAPTURE(rules);
  CHECK(rules.find(R"("summary":"app is at 11")") != std::string::npos);
  CHECK(rules.find("job:load:max") == std::string::npos);

  stub.Answer("/metrics", {.status = 500});
  CHECK(AwaitAlerts(vigia.port(), {"High firing held", "HighMax firing held"}));
  CHECK(vigia.AwaitValue("vigia_alerts_held", "2"));

  stub.Answer("/metrics", {.body = "load 1\n"});
  CHECK(AwaitAlerts(vigia.port(), {}));
}

TEST_CASE("alerts are those of a real Prometheus with the same rules and data", "[e2e]") {
  if (!HasProgram("prometheus")) {
    WARN("SKIPPED: prometheus is not installed (scripts/install-packages test)");
    return;
  }
  HttpStub stub;
  stub.Answer("/metrics", {.body = "load 1\n"});
  const Vigia vigia({.config = Config(stub.Url("/metrics")), .files = {{"rules.yml", kRules}}});
  TempDir dir;
  const std::string target = stub.Url("").substr(std::string("http://").size());
  dir.Write("prometheus.yml",
            "global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n"
            "rule_files: [" +
                (vigia.dir().path() / "rules.yml").string() +
                "]\n"
                "scrape_configs: [ { job_name: app, static_configs: [ { targets: ['" +
                target + "'] } ] } ]\n");
  const int port = FreePort();
  Process prometheus({"prometheus", "--config.file=" + (dir.path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (dir.path() / "data").string(),
                      "--web.listen-address=127.0.0.1:" + std::to_string(port)});
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (Get(port, "/api/v1/query?query=load").body.find("\"1\"]") == std::string::npos) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(100ms);
  }

  Watcher ours(vigia.port());
  Watcher theirs(port);
  const auto watch_until = [&](std::size_t states) {
    const auto enough = [&](const Watcher& watcher) {
      std::size_t least = watcher.seen().size() < 2 ? 0 : states;
      for (const auto& [labels, seen] : watcher.seen()) least = std::min(least, seen.size());
      return least >= states;
    };
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!enough(ours) || !enough(theirs)) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      ours.Look();
      theirs.Look();
      std::this_thread::sleep_for(100ms);
    }
  };
  stub.Answer("/metrics", {.body = "load 1234.5\n"});
  watch_until(1);
  std::this_thread::sleep_for(4s);  // `for` is over on both sides
  ours.Look();
  theirs.Look();
  stub.Answer("/metrics", {.body = "load 1\n"});
  watch_until(2);
  // keep_firing_for ends within a few evaluations.
  const auto end = std::chrono::steady_clock::now() + 8s;
  while (std::chrono::steady_clock::now() < end) {
    ours.Look();
    theirs.Look();
    std::this_thread::sleep_for(100ms);
  }
  CHECK(ours.seen().size() == 2);
  CHECK(ours.seen() == theirs.seen());
}

TEST_CASE("rules that read nothing are marked", "[e2e]") {
  const Vigia vigia({.config = "collectors:\n  host: { interval: 200ms }\nrules: [rules.yml]\n",
                     .files = {{"rules.yml",
                                "groups:\n- name: g\n  interval: 1s\n  rules:\n"
                                "  - { alert: Reads, expr: node_load1 > 1e9 }\n"
                                "  - { alert: Half, expr: node_load1 > 1e9 or nothing_here > 1 }\n"
                                "  - { alert: Dead, expr: 'rate(nothing_here[5m]) > 1' }\n"
                                "  - { alert: Absent, expr: absent(node_load1) }\n"}}});
  REQUIRE(vigia.AwaitValue("vigia_collector_up{collector=\"host.load\",instance=\"host\"}", "1"));
  std::set<std::string> dead;
  const auto json = nlohmann::json::parse(vigia.Get("/api/v1/rules").body);
  for (const auto& rule : json["data"]["groups"][0]["rules"]) {
    if (rule.value("dead", false)) dead.insert(rule["name"]);
  }
  CHECK(dead == std::set<std::string>{"Dead"});
}

TEST_CASE("a group is evaluated right behind the readings that feed it", "[e2e]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "load 1\n"});
  const Vigia vigia(
      {.config = "rules: [rules.yml]\ncollectors:\n  scrape:\n    - { name: app, url: \"" +
                 stub.Url("/metrics") + "\", interval: 5s }\n",
       .files = {{"rules.yml",
                  "groups: [{name: g, interval: 5s, rules: [{alert: High, expr: load > 10}]}]"}}});
  REQUIRE(vigia.AwaitValue("vigia_alerts_held", "0"));
  // Unlocked, a reading would wait for 2.5 s on average.
  for (const int load : {1, 11, 1}) {
    stub.Answer("/metrics", {.body = "load " + std::to_string(load) + "\n"});
    const auto before = stub.requests().size();
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (stub.requests().size() == before) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(5ms);
    }
    const auto read = std::chrono::steady_clock::now();
    REQUIRE(AwaitAlerts(
        vigia.port(), load > 10 ? std::set<std::string>{"High firing"} : std::set<std::string>{}));
    CHECK(std::chrono::steady_clock::now() - read < 1s);
  }
}

TEST_CASE("alerts keep their beginning when vigia is killed", "[e2e]") {
  const TempDir kept;
  kept.Write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: vector(1), for: 1h}]}]\n");
  const Vigia::Options options{.config = "evaluation_interval: 1s\nrules: [" +
                                         (kept.path() / "rules.yml").string() +
                                         "]\ncollectors: {}\n",
                               .data_dir = (kept.path() / "data").string()};
  std::string began;
  {
    Vigia vigia(options);
    REQUIRE(AwaitAlerts(vigia.port(), {"A pending"}));
    began = ActiveAt(vigia.port());
    vigia.process().Signal(SIGKILL);
    REQUIRE(vigia.process().Wait() == 128 + SIGKILL);
  }
  const Vigia vigia(options);
  CHECK(ActiveAt(vigia.port()) == began);
  REQUIRE(vigia.AwaitValue("vigia_alerts{alertstate=\"pending\"}", "1"));
  CHECK(ActiveAt(vigia.port()) == began);
}

TEST_CASE("rules that are wrong stop the start, and a reload keeps the old ones", "[e2e]") {
  const Vigia vigia(
      {.config = "rules: [rules.yml]\ncollectors: {}\n",
       .files = {{"rules.yml", "groups: [{name: g, rules: [{alert: A, expr: up}]}]"}}});
  vigia.dir().Write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: 'up ='}]}]");
  CHECK(Ask(vigia.port(), {.method = "POST", .path = "/-/reload"}).status == 500);
  CHECK(vigia.Get("/api/v1/rules").body.find(R"("query":"up")") != std::string::npos);
}

TEST_CASE("vigia test rules, check and backtest speak of rules on the command line", "[e2e]") {
  TempDir dir;
  dir.Write("rules.yml",
            "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'rate(x_total[1m]) > 1'}\n"
            "  - {alert: B, expr: up}\n");
  const std::string rules = (dir.path() / "rules.yml").string();
  const auto check = RunProgram({VigiaProgram(), "check", rules});
  CHECK(check.exit_code == 3);
  CHECK(check.output == rules + ": ok\n" + rules +
                            ":5:22: B: the alert has no condition, so it fires as long as its "
                            "series exist\n");

  dir.Write("good_test.yml",
            "rule_files: [rules.yml]\ntests:\n- name: fires\n"
            "  input_series: [{series: x_total, values: '0+120x10'}]\n"
            "  alert_rule_test: [{eval_time: 5m, alertname: A, exp_alerts: []}]\n");
  const auto test =
      RunProgram({VigiaProgram(), "test", "rules", "--junit", (dir.path() / "junit.xml").string(),
                  (dir.path() / "good_test.yml").string()});
  CHECK(test.exit_code == 0);
  CHECK(dir.Read("junit.xml").find("<testcase name=\"fires\"") != std::string::npos);

  const Vigia vigia({.config = "rules: []\ncollectors: { host: { interval: 1s } }\n"});
  dir.Write("past.yml",
            "groups: [{name: g, interval: 1s, rules: [{alert: Load, expr: node_load1 >= 0}]}]\n");
  std::this_thread::sleep_for(2s);
  const auto past =
      RunProgram({VigiaProgram(), "backtest", (dir.path() / "past.yml").string(), "--since", "1m",
                  "--step", "1s", "--url", "http://127.0.0.1:" + std::to_string(vigia.port())});
  CAPTURE(past.output);
  CHECK(past.exit_code == 0);
  CHECK(past.output.find("{alertname=\"Load\"}  still firing") != std::string::npos);
  CHECK(past.output.find("1 incidents") != std::string::npos);
  // The default waits for the group's first 30 s.
  CHECK(past.output.find("messages:\n  log: none\n") != std::string::npos);
  dir.Write("am.yml",
            "route: {receiver: team, group_wait: 0s}\n"
            "receivers: [{name: team, log_configs: [{}]}, {name: other, log_configs: [{}]}]\n");
  const auto told =
      RunProgram({VigiaProgram(), "backtest", (dir.path() / "past.yml").string(), "--since", "1m",
                  "--step", "1s", "--url", "http://127.0.0.1:" + std::to_string(vigia.port()),
                  "--config", (dir.path() / "am.yml").string()});
  CAPTURE(told.output);
  CHECK(told.output.find("  team (log): 1 (1 first notification); at most 1 in a minute (") !=
        std::string::npos);
  CHECK(told.output.find("  other: none\n") != std::string::npos);
  dir.Write("am.yml", "route: {receiver: team, group_weight: 0s}\n");
  const auto wrong = RunProgram({VigiaProgram(), "backtest", (dir.path() / "past.yml").string(),
                                 "--config", (dir.path() / "am.yml").string()});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.output.find("am.yml:1:") != std::string::npos);
  const auto live = RunProgram({VigiaProgram(), "check", "--live", "--url",
                                "http://127.0.0.1:" + std::to_string(vigia.port()), rules});
  CHECK(live.output.find("A: x_total matches no series of the last day") != std::string::npos);
}

TEST_CASE("promtool and vigia agree on the bundled rules and their unit tests", "[e2e]") {
  if (!HasProgram("promtool")) {
    WARN("SKIPPED: promtool is not installed (scripts/install-packages test)");
    return;
  }
  std::vector<std::string> rules;
  std::vector<std::string> tests;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(VIGIA_SOURCE_DIR) + "/rules")) {
    const auto path = entry.path().string();
    if (path.ends_with("_test.yml")) {
      tests.push_back(path);
    } else if (path.ends_with(".yml")) {
      rules.push_back(path);
    }
  }
  REQUIRE(tests.size() == rules.size());
  const auto run = [](std::vector<std::string> command, const std::vector<std::string>& files) {
    command.insert(command.end(), files.begin(), files.end());
    const auto finished = RunProgram(command);
    INFO(finished.output);
    CHECK(finished.exit_code == 0);
  };
  run({"promtool", "check", "rules"}, rules);
  run({"promtool", "test", "rules"}, tests);
  run({VigiaProgram(), "check"}, rules);
  run({VigiaProgram(), "test", "rules"}, tests);
}

TEST_CASE("explain tells why an alert does not fire, waits, fires, and is held", "[e2e]") {
  HttpStub app;
  app.Answer("/metrics", {.body = "load 4\n"});
  const Vigia vigia({.config = Config(app.Url("/metrics")), .files = {{"rules.yml", kRules}}});
  const std::string url = "http://127.0.0.1:" + std::to_string(vigia.port());
  const auto verdict = [&](const std::string& alert) {
    const auto json = nlohmann::json::parse(vigia.Get("/api/vigia/v1/explain?alert=" + alert).body);
    return json["rules"].empty() ? "" : json["rules"][0]["verdict"].get<std::string>();
  };
  const auto await = [&](const std::string& alert, const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (verdict(alert).find(text) == std::string::npos) {
      INFO(verdict(alert));
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(50ms);
    }
    return true;
  };
  REQUIRE(await("High", "4 > 10 misses by 6"));
  const auto quiet = RunProgram({VigiaProgram(), "explain", "High", "--url", url});
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.output.find("High does not fire: load > 10 is false for the only series") == 0);
  CHECK(quiet.output.find("load > 10  for 2s") != std::string::npos);
  app.Answer("/metrics", {.body = "load 12\n"});
  REQUIRE(await("High", "does not fire yet"));
  REQUIRE(await("High", "fires: 1 alert"));
  const auto loud = RunProgram({VigiaProgram(), "explain", "High", "--url", url});
  CHECK(loud.output.find("12 > 10: true by 2") != std::string::npos);
  INFO(loud.output);
  CHECK(loud.output.find("is active") != std::string::npos);
  app.Answer("/metrics", {.status = 500});
  CHECK(await("High", "held as firing"));
  CHECK(verdict("Unheard").empty());
}
