// Alerts that vigia hands on to a real Alertmanager, as amtool sees them there.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

class Alertmanager {
 public:
  Alertmanager() {
    dir_.Write("am.yml", "route: { receiver: none }\nreceivers: [ { name: none } ]\n");
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "prometheus-alertmanager", "--config.file=" + (dir_.path() / "am.yml").string(),
        "--storage.path=" + (dir_.path() / "data").string(),
        "--cluster.listen-address=", "--web.listen-address=127.0.0.1:" + std::to_string(port_)});
  }

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // What `amtool alert` lists.
  json Alerts() const {
    const auto listed =
        RunProgram({"amtool", "--alertmanager.url=" + Url(), "alert", "query", "-o", "json"});
    return listed.exit_code == 0 ? json::parse(listed.output, nullptr, false) : json();
  }

  // Asks until that many alerts are listed, for at most 30 s.
  bool Await(std::size_t alerts) const {
    for (int i = 0; i < 150; ++i) {
      const auto listed = Alerts();
      if (listed.is_array() && listed.size() == alerts) return true;
      std::this_thread::sleep_for(200ms);
    }
    return false;
  }

 private:
  TempDir dir_;
  const int port_ = FreePort();
  std::unique_ptr<Process> process_;
};

}  // namespace

TEST_CASE("a real Alertmanager gets alerts and their end, be another one down", "[e2e]") {
  if (!HasProgram("prometheus-alertmanager") || !HasProgram("amtool")) {
    WARN("skipped: Alertmanager is not installed");
    return;
  }
  const Alertmanager alertmanager;
  REQUIRE(alertmanager.Await(0));
  const auto down = "http://127.0.0.1:" + std::to_string(FreePort());
  const std::string config = R"(
rules: []
alerting:
  route: { receiver: up, group_by: [alertname], group_wait: 0s, group_interval: 1s }
  receivers:
  - name: up
    alertmanager_configs: [ { urls: [ ')" +
                             down + "', '" + alertmanager.Url() + "' ] } ]\n";
  const Vigia vigia({.config = config});
  const auto post = [&](const json& alert) {
    return Ask(vigia.port(), {.method = "POST",
                              .path = "/api/v2/alerts",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = json::array({alert}).dump()})
        .status;
  };
  json alert{{"labels", {{"alertname", "Disk"}, {"host", "a"}, {"severity", "page"}}},
             {"annotations", {{"summary", "92 % \u201cfull\u201d"}}},
             {"generatorURL", "http://vigia.example/graph"}};
  REQUIRE(post(alert) == 200);
  REQUIRE(alertmanager.Await(1));
  const auto got = alertmanager.Alerts().at(0);
  CHECK(got["labels"] == alert["labels"]);
  CHECK(got["annotations"] == alert["annotations"]);
  CHECK(got["generatorURL"] == "http://vigia.example/graph");
  CHECK(got["status"]["state"] == "active");

  alert["startsAt"] = got["startsAt"];
  alert["endsAt"] = got["updatedAt"];
  REQUIRE(post(alert) == 200);
  CHECK(alertmanager.Await(0));
}

TEST_CASE("alerts of rules are pushed to all Alertmanagers, as a Prometheus does", "[e2e]") {
  if (!HasProgram("prometheus-alertmanager") || !HasProgram("amtool")) {
    WARN("skipped: Alertmanager is not installed");
    return;
  }
  const Alertmanager one;
  const Alertmanager other;
  REQUIRE(one.Await(0));
  REQUIRE(other.Await(0));
  HttpStub app;
  app.Answer("/metrics", {.body = "load 20\n"});
  const auto address = [](const Alertmanager& alertmanager) {
    return alertmanager.Url().substr(std::string("http://").size());
  };
  const std::string config = R"(
evaluation_interval: 1s
rules: [ rules.yml ]
external_labels: { site: madrid, replica: a }
collectors: { scrape: [ { name: app, url: ")" +
                             app.Url() + R"(", interval: 1s } ] }
alerting:
  alert_relabel_configs: [ { action: labeldrop, regex: replica } ]
  alertmanagers:
  - static_configs: [ { targets: [ ')" +
                             address(one) + "', '127.0.0.1:" + std::to_string(FreePort()) + "', '" +
                             address(other) + "' ] } ]\n";
  const Vigia vigia({.config = config,
                     .files = {{"rules.yml",
                                "groups: [ { name: g, rules: [ { alert: High, expr: load > 10, "
                                "labels: { severity: page } } ] } ]\n"}}});
  REQUIRE(one.Await(1));
  REQUIRE(other.Await(1));
  const auto got = one.Alerts().at(0);
  CHECK(got["labels"]["alertname"] == "High");
  CHECK(got["labels"]["site"] == "madrid");
  CHECK_FALSE(got["labels"].contains("replica"));
  const auto series = "vigia_alertmanager_up{alertmanager=\"" + one.Url() + "/api/v2/alerts\"}";
  CHECK(vigia.AwaitValue(series, "1"));
  const auto listed = json::parse(vigia.Get("/api/v1/alertmanagers").body);
  CHECK(listed["data"]["activeAlertmanagers"].size() == 3);
  CHECK(listed["data"]["activeAlertmanagers"][0]["url"] == one.Url() + "/api/v2/alerts");

  app.Answer("/metrics", {.body = "load 2\n"});
  CHECK(one.Await(0));
  CHECK(other.Await(0));
}

TEST_CASE("an Alertmanager that a file names later gets the alerts, too", "[e2e]") {
  HttpStub app;
  app.Answer("/metrics", {.body = "load 20\n"});
  HttpStub first;
  HttpStub second;
  for (auto* const stub : {&first, &second}) stub->Answer("/api/v2/alerts", {.status = 200});
  const auto list = [](std::vector<const HttpStub*> stubs) {
    json targets = json::array();
    for (const auto* stub : stubs) targets.push_back("127.0.0.1:" + std::to_string(stub->port()));
    return json::array({{{"targets", targets}}}).dump();
  };
  const TempDir discovered;
  discovered.Write("am.json", list({&first}));
  const Vigia vigia(
      {.config = "evaluation_interval: 1s\nrules: [ rules.yml ]\n"
                 "collectors: { scrape: [ { name: app, url: \"" +
                 app.Url() +
                 "\", interval: 1s } ] }\n"
                 "alerting: { alertmanagers: [ { file_sd_configs: [ { files: [ '" +
                 discovered.path().string() + "/*.json' ], refresh_interval: 1s } ] } ] }\n",
       .files = {{"rules.yml",
                  "groups: [ { name: g, rules: [ { alert: High, expr: load > 10 } ] } ]\n"}}});
  const auto heard = [](const HttpStub& stub) {
    for (int i = 0; i < 300 && stub.requests().empty(); ++i) std::this_thread::sleep_for(100ms);
    return !stub.requests().empty();
  };
  REQUIRE(heard(first));
  CHECK(second.requests().empty());
  discovered.Write("am.json", list({&first, &second}));
  CHECK(vigia.AwaitValue(
      "vigia_alertmanager_up{alertmanager=\"" + second.Url("/api/v2/alerts") + "\"}", "1"));
  // A reload in the middle of a write loses neither.
  discovered.Write("am.json", "[{\"targets\": [\"127.0.0.1:");
  REQUIRE(Ask(vigia.port(), {.method = "POST", .path = "/-/reload"}).status == 200);
  const auto listed = json::parse(vigia.Get("/api/v1/alertmanagers").body);
  CHECK(listed["data"]["activeAlertmanagers"].size() == 2);
  // The rule tells it of its end, if not of its minute's repeat before.
  app.Answer("/metrics", {.body = "load 2\n"});
  CHECK(heard(second));
}
