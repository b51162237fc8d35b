// What single channels do beyond their limits: updates, closings, rate limits, shapes.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alerting/deliver/signature.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using test::Group;
using test::MakeReceiver;
using test::Runes;
using test::Send;
using test::Yaml;

TEST_CASE("slack by a bot's token changes its message", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/api/chat.postMessage", {.body = R"({"ok":true,"channel":"C1","ts":"12.5"})"});
  stub.Answer("/api/chat.update", {.body = R"({"ok":true,"channel":"C1","ts":"12.5"})"});
  auto receiver = MakeReceiver("slack_configs: [{api_url: '" + stub.Url("/api/chat.postMessage") +
                               "', app_token: xoxb, channel: '#ops', update_message: true}]");
  auto group = Group(1);
  const auto first = Send(*receiver, group);
  REQUIRE(first.handle == "C1 12.5");
  group.handle = first.handle;
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  CHECK(stub.requests().back().target == "/api/chat.update");
  CHECK(nlohmann::json::parse(stub.requests().back().body)["ts"] == "12.5");
  stub.Answer("/api/chat.update", {.body = R"({"ok":false,"error":"channel_not_found"})"});
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRejected);
  // Somebody has deleted it: it is posted anew.
  stub.Answer("/api/chat.update", {.body = R"({"ok":false,"error":"message_not_found"})"});
  CHECK(Send(*receiver, group).handle == "C1 12.5");
  CHECK(stub.requests().back().target == "/api/chat.postMessage");
  // What comes after the resolve is a message of its own.
  stub.Answer("/api/chat.update", {.body = R"({"ok":true,"channel":"C1","ts":"12.5"})"});
  auto resolving = MakeReceiver("slack_configs: [{api_url: '" + stub.Url("/api/chat.postMessage") +
                                "', app_token: xoxb, channel: '#ops', update_message: true, "
                                "send_resolved: true}]");
  group.alerts[0].ends_at = group.now - 1;
  const auto last = Send(*resolving, group);
  CHECK(last.kind == Outcome::Kind::kDelivered);
  CHECK(last.handle.empty());
}

TEST_CASE("slack's Web API is not believed for its status", "[deliver]") {
  test::HttpStub stub;
  const std::string path = "/api/chat.postMessage";
  auto receiver = MakeReceiver("slack_configs: [{api_url: '" + stub.Url(path) +
                               "', channel: c, http_config: {authorization: {credentials: t}}}]");
  const auto answer = [&](const std::string& body) {
    stub.Answer(path, {.status = 200, .body = body});
    return Send(*receiver, Group(1)).kind;
  };
  CHECK(answer(R"({"ok":true})") == Outcome::Kind::kDelivered);
  CHECK(answer(R"({"ok":false,"error":"invalid_auth"})") == Outcome::Kind::kRejected);
  CHECK(answer(R"({"ok":false,"error":"ratelimited"})") == Outcome::Kind::kRetry);
  CHECK(answer("<html>a proxy's page") == Outcome::Kind::kRetry);
  CHECK(stub.requests().back().headers.at("authorization") == "Bearer t");
}

TEST_CASE("telegram tells as plain text what it cannot read as markup", "[deliver]") {
  test::HttpStub stub;
  stub.Decide("/x/bott/sendMessage", [](const test::StubRequest& request) -> test::StubAnswer {
    if (!nlohmann::json::parse(request.body).contains("parse_mode")) return {.status = 200};
    return {.status = 400,
            .body = R"({"ok":false,"description":"Bad Request: can't parse entities"})"};
  });
  auto receiver = MakeReceiver("telegram_configs: [{api_url: '" + stub.Url("/x") +
                               "', bot_token: t, chat_id: 1, message: '<b>{{ .Status }}'}]");
  REQUIRE(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  CHECK(nlohmann::json::parse(stub.requests().back().body)["text"] == "<b>firing");
}

TEST_CASE("opsgenie closes what it has opened, and changes its words", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x/v2/alerts", {.status = 202});
  auto receiver = MakeReceiver("opsgenie_configs: [{api_url: '" + stub.Url("/x") +
                               "', api_key: k, update_alerts: true, priority: P1, tags: 'a, b', "
                               "responders: [{name: ops, type: team}]}]");
  auto group = Group(1);
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRejected);  // no way to change it: 404
  const auto opened = nlohmann::json::parse(stub.requests().at(0).body);
  const auto alias = opened["alias"].get<std::string>();
  // The alias that an Alertmanager gives: vigia closes what its predecessor has opened.
  CHECK(alias == "af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e");
  CHECK(opened["priority"] == "P1");
  CHECK(opened["tags"] == nlohmann::json({"a", "b"}));
  CHECK(opened["responders"][0]["name"] == "ops");
  CHECK(stub.requests().at(0).headers.at("authorization") == "GenieKey k");
  const std::string base = "/x/v2/alerts/" + alias;
  for (const char* const what : {"/message", "/description", "/close"}) {
    stub.Answer(base + what + "?identifierType=alias", {.status = 202});
    stub.Answer(base + what, {.status = 202});
  }
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  CHECK(stub.requests().back().method == "PUT");
  group.alerts[0].ends_at = group.now - 1;
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  CHECK(stub.requests().back().target.starts_with(base + "/close"));
}

TEST_CASE("an Alertmanager that takes the alerts is enough", "[deliver]") {
  test::HttpStub good;
  test::HttpStub bad;
  good.Answer("/api/v2/alerts", {.status = 200});
  bad.Answer("/api/v2/alerts", {.status = 500});
  auto receiver = MakeReceiver("alertmanager_configs: [{urls: ['" + bad.Url("") + "', '" +
                               good.Url("/") + "']}]");
  CHECK(Send(*receiver, Group(3)).kind == Outcome::Kind::kDelivered);
  const auto body = nlohmann::json::parse(good.requests().back().body);
  REQUIRE(body.size() == 3);
  CHECK(body[0]["startsAt"] < body[0]["endsAt"]);
  good.Answer("/api/v2/alerts", {.status = 400});
  CHECK(Send(*receiver, Group(3)).kind == Outcome::Kind::kRetry);
  bad.Answer("/api/v2/alerts", {.status = 400});
  CHECK(Send(*receiver, Group(3)).kind == Outcome::Kind::kRejected);
}

TEST_CASE("sentry's own rate limits are obeyed", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x/api/7/envelope/",
              {.status = 429,
               .headers = {{"X-Sentry-Rate-Limits", "9:transaction, 42.5:error;default:org"}}});
  const auto outcome = Send(*MakeReceiver(Yaml("sentry", stub.Url("/x"))), Group(1));
  CHECK(outcome.kind == Outcome::Kind::kRetry);
  CHECK(outcome.retry_after == Milliseconds(42'500));
}

TEST_CASE("sentry is asked nothing while it limits, also after a 200", "[deliver]") {
  test::HttpStub stub;
  const std::string path = "/x/api/7/envelope/";
  stub.Answer(path, {.status = 200, .headers = {{"X-Sentry-Rate-Limits", "60:error:key"}}});
  auto receiver = MakeReceiver(Yaml("sentry", stub.Url("/x")));
  CHECK(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  const auto outcome = Send(*receiver, Group(1));
  CHECK(outcome.kind == Outcome::Kind::kRetry);
  CHECK(outcome.retry_after > Milliseconds(50'000));
  CHECK(outcome.retry_after <= Milliseconds(60'000));
  CHECK(stub.requests().size() == 1);
  // Other things are limited: errors are not.
  stub.Answer(path, {.status = 200, .headers = {{"X-Sentry-Rate-Limits", "60:transaction:key"}}});
  receiver = MakeReceiver(Yaml("sentry", stub.Url("/x")));
  CHECK(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  CHECK(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  // A 429 that says nothing: a minute.
  stub.Answer(path, {.status = 429});
  CHECK(Send(*receiver, Group(1)).retry_after == Milliseconds(60'000));
}

TEST_CASE("sentry gets an envelope, with tags that it takes", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x/api/7/envelope/", {.status = 200});
  auto receiver = MakeReceiver(
      "sentry_configs: [{dsn: '" +
      std::string(stub.Url("/x")).insert(stub.Url("/x").find("://") + 3, "key@") +
      "/7', environment: 'pro duction/1', release: \"web@{{ .GroupLabels.alertname }}\", "
      "tags: {team: \"a\\nb\"}}]");
  auto group = Group(1);
  group.common_labels = {{"alertname", "Down"}, {"a_label_with_a_name_beyond_32_bytes", "x"}};
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  const auto request = stub.requests().back();
  CHECK(request.headers.at("x-sentry-auth") ==
        "Sentry sentry_version=7, sentry_client=vigia, sentry_key=key");
  std::istringstream lines(request.body);
  std::string header;
  std::string item;
  std::string event;
  std::getline(lines, header);
  std::getline(lines, item);
  std::getline(lines, event);
  CHECK(nlohmann::json::parse(header).contains("sent_at"));
  CHECK(nlohmann::json::parse(item)["length"] == event.size());
  const auto json = nlohmann::json::parse(event);
  CHECK(json["event_id"] == nlohmann::json::parse(header)["event_id"]);
  CHECK(json["environment"] == "pro-duction-1");
  CHECK(json["release"] == "web@Down");
  CHECK(json["level"] == "warning");
  CHECK(json["fingerprint"] == nlohmann::json({"vigia", group.group_key}));
  CHECK(json["tags"] ==
        nlohmann::json({{"status", "firing"}, {"team", "a b"}, {"alertname", "Down"}}));
}

TEST_CASE("opsgenie's teams, tags and details fit its limits", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x/v2/alerts", {.status = 202});
  std::string tags;
  for (int i = 0; i < 30; ++i) tags += "tag" + std::to_string(i) + ",";
  auto receiver = MakeReceiver(
      "opsgenie_configs: [{api_url: '" + stub.Url("/x") + "', api_key: k, tags: '" + tags +
      "', details: {a: '{{ range .Alerts }}{{ .Labels.instance }} {{ end }}', b: '" +
      std::string(5000, 'b') +
      "'}, responders: [{name: 'ops, web', type: teams}, "
      "{username: '{{ .CommonLabels.nobody }}', type: user}]}]");
  REQUIRE(Send(*receiver, Group(500)).kind == Outcome::Kind::kDelivered);
  const auto body = nlohmann::json::parse(stub.requests().back().body);
  CHECK(body["tags"].size() == 20);
  CHECK(body["responders"] == nlohmann::json::parse(R"([{"name":"ops","type":"team"},
                                                        {"name":"web","type":"team"}])"));
  std::size_t details = 0;
  for (const auto& [name, value] : body["details"].items()) details += name.size() + Runes(value);
  CHECK(details <= 8000);
  CHECK(Runes(body["details"]["b"]) > 3000);
}

TEST_CASE("values of any shape are templates throughout", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {});
  auto webhook = MakeReceiver("webhook_configs: [{url: '" + stub.Url("/{{ .CommonLabels.path }}") +
                              "', payload: {text: '{{ .Status }}', count: 3, on: true, none: null, "
                              "quoted: '3', list: [a, '{{ len .Alerts }}'], "
                              "labels: '{{ .CommonLabels | toJson }}'}}]");
  auto group = Group(1);
  group.common_labels = {{"path", "x"}};
  REQUIRE(Send(*webhook, group).kind == Outcome::Kind::kDelivered);
  CHECK(nlohmann::json::parse(stub.requests().back().body) == nlohmann::json::parse(R"({
    "text": "firing", "count": 3, "on": true, "none": null, "quoted": "3", "list": ["a", "1"],
    "labels": {"path": "x"}})"));

  auto pager = MakeReceiver("pagerduty_configs: [{url: '" + stub.Url("/x") +
                            "', routing_key: '{{ .CommonLabels.path }}-key', timeout: 0s, "
                            "details: {runbook: {url: 'http://r/{{ .CommonLabels.path }}'}}}]");
  REQUIRE(Send(*pager, group).kind == Outcome::Kind::kDelivered);
  const auto event = nlohmann::json::parse(stub.requests().back().body);
  CHECK(event["routing_key"] == "x-key");
  CHECK(event["payload"]["custom_details"]["runbook"]["url"] == "http://r/x");
  CHECK(event["payload"]["custom_details"]["num_firing"] == "1");
}

TEST_CASE("an event with many long details stays below PagerDuty's 512 KB", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {.status = 202});
  std::string details;
  for (int i = 0; i < 60; ++i) {
    details += "d" + std::to_string(i) +
               ": '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}', ";
  }
  auto receiver = MakeReceiver("pagerduty_configs: [{url: '" + stub.Url("/x") +
                               "', routing_key: k, details: {" + details + "}}]");
  REQUIRE(Send(*receiver, Group(50, 2000)).kind == Outcome::Kind::kDelivered);
  CHECK(stub.requests().back().body.size() <= 512'000);
}

TEST_CASE("slack's actions ask before they act", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {.body = "ok"});
  auto receiver = MakeReceiver("slack_configs: [{api_url: '" + stub.Url("/x") +
                               "', actions: [{type: button, text: Go, name: go, value: '1', "
                               "confirm: {text: 'Really {{ .Status }}?', ok_text: Yes}}, "
                               "{type: button, text: See, url: 'http://s', name: dropped}]}]");
  REQUIRE(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  const auto body = nlohmann::json::parse(stub.requests().back().body);
  CHECK(body["attachments"][0]["actions"] == nlohmann::json::parse(R"([
    {"type": "button", "text": "Go", "name": "go", "value": "1",
     "confirm": {"text": "Really firing?", "ok_text": "Yes"}},
    {"type": "button", "text": "See", "url": "http://s"}])"));
}
