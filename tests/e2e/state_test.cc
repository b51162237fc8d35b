// The state file under the real daemon: locked by another program, or damaged.

#include <signal.h>
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
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
      - { alert: High, expr: load > 10 }
      - { alert: Risk, expr: vigia_state_writable == 0 }
)";

// The rules stand beside the data: alerts are known by the file of their rule.
std::string Config(const std::string& url, const TempDir& data) {
  data.Write("rules.yml", kRules);
  return "rules: [ " + (data.path() / "rules.yml").string() +
         " ]\nalerting:\n  route: { receiver: team, group_by: ['...'], group_wait: "
         "0s }\n"
         "  receivers: [ { name: team, log_configs: [ {} ] } ]\n"
         "collectors:\n  scrape:\n    - { name: app, url: \"" +
         url + "\", interval: 1s }\n";
}

// Another program that holds the write lock of the state file.
class Locker {
 public:
  explicit Locker(const std::filesystem::path& path) {
    REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK);
    sqlite3_busy_timeout(handle_, 10'000);
    REQUIRE(sqlite3_exec(handle_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~Locker() { sqlite3_close(handle_); }
  Locker(const Locker&) = delete;
  Locker& operator=(const Locker&) = delete;

 private:
  sqlite3* handle_ = nullptr;
};

bool Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + 40s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

// When the alert began; empty while there is none.
std::string FiringSince(const Vigia& vigia, const std::string& name) {
  const auto alerts = nlohmann::json::parse(vigia.Get("/api/v1/alerts").body)["data"]["alerts"];
  for (const auto& alert : alerts) {
    if (alert["labels"]["alertname"] == name && alert["state"] == "firing") {
      return alert["activeAt"];
    }
  }
  return {};
}

}  // namespace

TEST_CASE("a locked state file stops no alert, is told, and gets what it is owed", "[e2e]") {
  HttpStub app;
  app.Answer("/metrics", {.body = "load 1\n"});
  const TempDir data;
  const auto start = [&] {
    return std::make_unique<Vigia>(Vigia::Options{.config = Config(app.Url("/metrics"), data),
                                                  .data_dir = data.path().string()});
  };
  auto vigia = start();
  REQUIRE(vigia->AwaitValue("vigia_state_writable", "1"));
  REQUIRE(vigia->Get("/-/ready").body == "vigia is ready\n");
  std::string since;
  {
    const Locker locker(data.path() / "vigia.db");
    app.Answer("/metrics", {.body = "load 11\n"});
    REQUIRE(vigia->process().AwaitOutput("alert=High"));
    since = FiringSince(*vigia, "High");
    REQUIRE(!since.empty());
    REQUIRE(vigia->AwaitValue("vigia_state_writable", "0"));
    REQUIRE(vigia->AwaitValue("vigia_state_waiting_alerts", "2"));
    const auto ready = vigia->Get("/-/ready");
    CHECK(ready.status == 200);
    CHECK(ready.body ==
          "vigia is ready\nat risk: state file cannot be written: database is locked\n");
    REQUIRE(vigia->process().AwaitOutput("alert=Risk"));
  }
  REQUIRE(vigia->AwaitValue("vigia_state_writable", "1"));
  REQUIRE(vigia->AwaitValue("vigia_state_waiting_alerts", "0"));
  REQUIRE(Eventually([&] { return vigia->Get("/-/ready").body == "vigia is ready\n"; }));
  // The dispatcher writes what it missed within half a minute.
  REQUIRE(vigia->AwaitValue("vigia_routing_state_at_risk", "0"));

  vigia->process().Signal(SIGKILL);
  vigia.reset();
  vigia = start();
  REQUIRE(Eventually([&] { return !FiringSince(*vigia, "High").empty(); }));
  CHECK(FiringSince(*vigia, "High") == since);
  std::this_thread::sleep_for(3s);
  CHECK(vigia->process().Output().find("alert=High") == std::string::npos);  // told before
}

TEST_CASE("a damaged state file is kept aside, and alerting goes on with a new one", "[e2e]") {
  HttpStub app;
  app.Answer("/metrics", {.body = "load 11\n"});
  const TempDir data;
  data.Write("vigia.db", "no database: " + std::string(8192, 'x'));
  const Vigia vigia(
      {.config = Config(app.Url("/metrics"), data), .data_dir = data.path().string()});
  REQUIRE(vigia.AwaitValue("vigia_state_corrupt_files_total", "1"));
  CHECK(vigia.Value("vigia_state_writable") == "1");
  REQUIRE(Eventually([&] { return !FiringSince(vigia, "High").empty(); }));
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data.path())) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("vigia.db.corrupt-")) continue;
    ++kept;
    CHECK(std::filesystem::file_size(entry.path()) == 8205);
  }
  CHECK(kept == 1);
}
