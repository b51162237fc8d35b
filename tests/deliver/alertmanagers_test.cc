// Alerts on their way to Alertmanagers that take them, refuse them, or are gone for a while.

#include "alerting/deliver/alertmanagers.h"

#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/config/yaml.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using nlohmann::json;

namespace {

constexpr const char* kPath = "/api/v2/alerts";

Alert AlertOf(const std::string& instance, Timestamp ends_in = 240'000) {
  const auto now = SystemClock().Wall();
  return {.labels = {{"alertname", "Down"}, {"instance", instance}},
          .annotations = {{"summary", instance + " is down"}},
          .starts_at = now - 60'000,
          .ends_at = now + ends_in,
          .generator_url = "http://vigia.example/g"};
}

AlertmanagerOptions Target(const test::HttpStub& stub, Milliseconds timeout = 10s) {
  return {.url = stub.Url(kPath), .timeout = timeout, .fingerprint = "a"};
}

Relabeling Rules(const std::string& yaml) {
  config::Diagnostics diagnostics("test");
  auto rules = Relabeling::Read(config::ParseYaml(yaml, {}, diagnostics), "test", diagnostics);
  REQUIRE(diagnostics.ok());
  return rules;
}

// Polls what another thread is about to do, for at most 10 s.
bool Await(const std::function<bool()>& done) {
  for (int i = 0; i < 1000 && !done(); ++i) std::this_thread::sleep_for(10ms);
  return done();
}

bool AwaitSent(const Alertmanagers& alertmanagers, std::size_t lane, std::uint64_t alerts) {
  return Await([&] { return alertmanagers.Stats().at(lane).sent >= alerts; });
}

// The instances of the alerts in a request.
std::vector<std::string> Instances(const test::StubRequest& request) {
  std::vector<std::string> instances;
  for (const auto& alert : json::parse(request.body)) {
    instances.push_back(alert["labels"]["instance"]);
  }
  return instances;
}

}  // namespace

TEST_CASE("every Alertmanager gets every alert, one that hangs delays no other", "[deliver]") {
  test::HttpStub good;
  test::HttpStub hung;
  good.Answer(kPath, {.status = 200});
  hung.Answer(kPath, {.manner = test::StubAnswer::Manner::kHang});
  Alertmanagers alertmanagers(SystemClock());
  alertmanagers.Apply({.targets = {Target(hung), Target(good)}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(AwaitSent(alertmanagers, 1, 1));
  const auto body = json::parse(good.requests().at(0).body);
  REQUIRE(body.size() == 1);
  CHECK(body[0]["labels"] == json{{"alertname", "Down"}, {"instance", "a"}});
  CHECK(body[0]["annotations"] == json{{"summary", "a is down"}});
  CHECK(body[0]["generatorURL"] == "http://vigia.example/g");
  CHECK(body[0]["startsAt"] < body[0]["endsAt"]);
  CHECK(good.requests().at(0).headers.at("content-type") == "application/json");
  const auto begin = SystemClock().Now();
  alertmanagers.Stop();  // the one that hangs is given up
  CHECK(SystemClock().Now() - begin < 5s);
}

TEST_CASE("an Alertmanager that returns is told what is true then", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 503});
  ManualClock clock(SystemClock().Wall());
  Alertmanagers alertmanagers(clock);
  alertmanagers.Apply({.targets = {Target(stub)}});
  const auto fires = AlertOf("a");
  alertmanagers.Post(std::span(&fires, 1));
  REQUIRE(Await([&] { return alertmanagers.Stats()[0].failed == 1; }));
  CHECK(alertmanagers.Stats()[0].last_error == "status 503");
  CHECK(alertmanagers.Stats()[0].waiting == 1);
  CHECK_FALSE(alertmanagers.Stats()[0].up);

  const std::vector<Alert> later{AlertOf("b"), AlertOf("a", -1000)};
  alertmanagers.Post(later);
  CHECK(alertmanagers.Stats()[0].waiting == 2);
  stub.Answer(kPath, {.status = 200});
  clock.AwaitWaiters(1);
  CHECK(stub.requests().size() == 1);  // not before the pause is over
  clock.Advance(1s);
  REQUIRE(AwaitSent(alertmanagers, 0, 2));
  const auto request = stub.requests().at(1);
  CHECK(Instances(request) == std::vector<std::string>{"a", "b"});
  const auto alerts = json::parse(request.body);
  CHECK(alerts[0]["endsAt"] < alerts[1]["endsAt"]);
  CHECK(alertmanagers.Stats()[0].up);
}

TEST_CASE("an Alertmanager's Retry-After is obeyed, and pauses grow without it", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 429, .headers = {{"Retry-After", "7"}}});
  ManualClock clock;
  Alertmanagers alertmanagers(clock);
  alertmanagers.Apply({.targets = {Target(stub)}});
  const auto alert = AlertOf("a", 3'600'000);
  alertmanagers.Post(std::span(&alert, 1));
  const auto failures = [&](std::uint64_t count) {
    if (!Await([&] { return alertmanagers.Stats()[0].failed >= count; })) return false;
    clock.AwaitWaiters(1);
    return alertmanagers.Stats()[0].failed == count;
  };
  REQUIRE(failures(1));
  stub.Answer(kPath, {.status = 500});
  clock.Advance(6s);
  CHECK(failures(1));
  clock.Advance(1s);
  REQUIRE(failures(2));
  clock.Advance(1s);  // the second pause is two seconds
  CHECK(failures(2));
  stub.Answer(kPath, {.status = 503, .headers = {{"Retry-After", "86400"}}});
  clock.Advance(1s);
  REQUIRE(failures(3));
  stub.Answer(kPath, {.status = 200});
  clock.Advance(30s);  // no longer than any other pause
  CHECK(AwaitSent(alertmanagers, 0, 1));
}

TEST_CASE("what an Alertmanager refuses is not sent again", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 400, .body = "bad"});
  Alertmanagers alertmanagers(SystemClock());
  alertmanagers.Apply({.targets = {Target(stub)}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(Await([&] { return alertmanagers.Stats()[0].dropped == 1; }));
  CHECK(alertmanagers.Stats()[0].waiting == 0);
  CHECK(alertmanagers.Stats()[0].last_error == "status 400: bad");
  stub.Answer(kPath, {.status = 200});
  alertmanagers.Post(std::span(&alert, 1));
  CHECK(AwaitSent(alertmanagers, 0, 1));
  CHECK(stub.requests().size() == 2);
}

TEST_CASE("many alerts go in portions, and more than fit drop the oldest", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 503});
  ManualClock clock(SystemClock().Wall());
  Alertmanagers alertmanagers(clock);
  alertmanagers.Apply({.targets = {Target(stub)}});
  const auto first = AlertOf("first");
  alertmanagers.Post(std::span(&first, 1));
  REQUIRE(Await([&] { return alertmanagers.Stats()[0].failed == 1; }));
  std::vector<Alert> alerts;
  for (std::size_t i = 0; i < Alertmanagers::kCapacity; ++i) {
    alerts.push_back(AlertOf(std::to_string(i)));
  }
  alertmanagers.Post(alerts);
  CHECK(alertmanagers.Stats()[0].waiting == Alertmanagers::kCapacity);
  CHECK(alertmanagers.Stats()[0].dropped == 1);
  stub.Answer(kPath, {.status = 200});
  clock.AwaitWaiters(1);
  clock.Advance(1s);
  REQUIRE(AwaitSent(alertmanagers, 0, Alertmanagers::kCapacity));
  const auto requests = stub.requests();
  CHECK(requests.size() ==
        1 + (Alertmanagers::kCapacity + Alertmanagers::kBatch - 1) / Alertmanagers::kBatch);
  CHECK(Instances(requests.at(1)).size() == Alertmanagers::kBatch);
  CHECK(Instances(requests.at(1)).front() == "0");
}

TEST_CASE("alerts are relabelled for all Alertmanagers, then for each", "[deliver]") {
  test::HttpStub stub;
  test::HttpStub other;
  stub.Answer(kPath, {.status = 200});
  other.Answer(kPath, {.status = 200});
  auto narrow = Target(stub);
  narrow.relabeling = Rules("[{source_labels: [instance], regex: b, action: drop}]");
  Alertmanagers alertmanagers(SystemClock());
  alertmanagers.Apply({.targets = {narrow, Target(other)},
                       .relabeling = Rules("[{target_label: team, replacement: ops}]")});
  const std::vector<Alert> alerts{AlertOf("a"), AlertOf("b")};
  alertmanagers.Post(alerts);
  REQUIRE(AwaitSent(alertmanagers, 0, 1));
  REQUIRE(AwaitSent(alertmanagers, 1, 2));
  CHECK(Instances(stub.requests().at(0)) == std::vector<std::string>{"a"});
  CHECK(json::parse(stub.requests().at(0).body)[0]["labels"]["team"] == "ops");
}

TEST_CASE("a reload leaves alone the Alertmanagers that it does not change", "[deliver]") {
  test::HttpStub kept;
  test::HttpStub gone;
  kept.Answer(kPath, {.status = 503});
  gone.Answer(kPath, {.status = 200});
  ManualClock clock(SystemClock().Wall());
  Alertmanagers alertmanagers(clock);
  alertmanagers.Apply({.targets = {Target(gone), Target(kept)}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(AwaitSent(alertmanagers, 0, 1));
  REQUIRE(Await([&] { return alertmanagers.Stats()[1].failed == 1; }));
  alertmanagers.Apply({.targets = {Target(kept)}});
  REQUIRE(alertmanagers.Stats().size() == 1);
  CHECK(alertmanagers.Stats()[0].waiting == 1);
  alertmanagers.Apply({});
  alertmanagers.Post(std::span(&alert, 1));
  CHECK(alertmanagers.Stats().empty());
  CHECK(gone.requests().size() == 1);
}

TEST_CASE("requests are signed where keys of Amazon are given", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 200});
  auto target = Target(stub);
  target.aws = AwsOptions{
      .region = "eu-west-1", .access_key = "AKID", .secret_key = Secret::FromValue("s3cret")};
  Alertmanagers alertmanagers(SystemClock());
  alertmanagers.Apply({.targets = {target}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(AwaitSent(alertmanagers, 0, 1));
  const auto headers = stub.requests().at(0).headers;
  const auto scope =
      "AKID/" + headers.at("x-amz-date").substr(0, 8) + "/eu-west-1/aps/aws4_request";
  CHECK(headers.at("authorization").starts_with("AWS4-HMAC-SHA256 Credential=" + scope));
}

TEST_CASE("a token that never comes does not hold up the end", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/token", {.manner = test::StubAnswer::Manner::kHang});
  auto target = Target(stub, 60s);
  target.http.oauth2.client_id = "id";
  target.http.oauth2.token_url = stub.Url("/token");
  Alertmanagers alertmanagers(SystemClock());
  alertmanagers.Apply({.targets = {target}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(Await([&] { return !stub.requests().empty(); }));
  const auto begin = SystemClock().Now();
  alertmanagers.Stop();
  CHECK(SystemClock().Now() - begin < 10s);
}

TEST_CASE("what waits is sent before the end", "[deliver]") {
  test::HttpStub stub;
  stub.Answer(kPath, {.status = 503});
  ManualClock clock(SystemClock().Wall());
  Alertmanagers alertmanagers(clock);
  alertmanagers.Apply({.targets = {Target(stub)}});
  const auto alert = AlertOf("a");
  alertmanagers.Post(std::span(&alert, 1));
  REQUIRE(Await([&] { return alertmanagers.Stats()[0].failed == 1; }));
  stub.Answer(kPath, {.status = 200});
  alertmanagers.Stop();
  REQUIRE(stub.requests().size() == 2);
  CHECK(Instances(stub.requests().at(1)) == std::vector<std::string>{"a"});
}
