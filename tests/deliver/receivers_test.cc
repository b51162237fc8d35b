// Receivers against servers that answer as the channels do, and their published limits.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alerting/deliver/answer.h"
#include "alerting/deliver/message.h"
#include "alerting/deliver/receiver.h"
#include "alerting/deliver/signature.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using test::Fault;
using test::Group;
using test::kNow;
using test::MakeReceiver;
using test::PathOf;
using test::Runes;
using test::Send;
using test::Yaml;

TEST_CASE("webhook sends Alertmanager's body, signed", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/hook", {.status = 200});
  auto receiver = MakeReceiver("webhook_configs: [{url: '" + stub.Url("/hook") +
                               "', signing_key: new, previous_signing_key: old}]");
  auto group = Group(1, 2);
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  const auto request = stub.requests().at(0);
  REQUIRE(
      request.body ==
      R"({"receiver":"team","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","instance":"host0","severity":"warning"},"annotations":{"description":"xx","summary":"host0 is down"},"startsAt":"2023-11-14T22:12:20Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://vigia.example/g","fingerprint":")" +
          nlohmann::json::parse(request.body)["alerts"][0]["fingerprint"].get<std::string>() +
          R"("}],"groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down","instance":"host0","severity":"warning"},"commonAnnotations":{"description":"xx","summary":"host0 is down"},"externalURL":"http://vigia.example","version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0,"notification_reason":"first notification"})"
          "\n");
  const auto& headers = request.headers;
  CHECK(headers.at("webhook-id") == "d-1");
  CHECK(headers.at("x-signature-256") == "sha256=" + Hex(HmacSha256("new", request.body)));
  const auto signatures = headers.at("webhook-signature");
  CHECK(signatures.find(" v1,") != std::string::npos);
}

TEST_CASE("signatures are those of GitHub's published example", "[deliver]") {
  CHECK(Hex(HmacSha256("It's a Secret to Everybody", "Hello, World!")) ==
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST_CASE("every channel's limits hold for groups of 1, 50 and 500 alerts", "[deliver]") {
  for (const std::string channel : test::kChannels) {
    test::HttpStub stub;
    const std::string path = PathOf(channel);
    test::AnswerBeside(channel, stub);
    stub.Answer(path, {.status = 200, .body = test::TakenBody(channel)});
    auto receiver = MakeReceiver(Yaml(channel, stub.Url("/x")));
    for (const std::size_t alerts : {1U, 50U, 500U}) {
      INFO(channel << " " << alerts);
      const auto outcome = Send(*receiver, Group(alerts, 200));
      INFO(outcome.message);
      REQUIRE(outcome.kind == Outcome::Kind::kDelivered);
      const auto body = stub.requests().back().body;
      const auto json = test::BodyOf(channel, body);
      CHECK(Fault(channel, json, body.size()) == "");
    }
    // The most severe first, of those the oldest, the rest counted.
    if (channel == "discord") {
      const auto body = nlohmann::json::parse(stub.requests().back().body);
      const auto text = body["embeds"][0]["description"].get<std::string>();
      CHECK(text.starts_with("Firing:\nhost493 is down\n"));
      CHECK(text.find("more alerts") != std::string::npos);
    }
  }
}

TEST_CASE("answers decide between retry and rejection, and waits are obeyed", "[deliver]") {
  test::HttpStub stub;
  for (const std::string channel : test::kChannels) {
    INFO(channel);
    const std::string path = PathOf(channel);
    test::AnswerBeside(channel, stub);
    auto receiver = MakeReceiver(Yaml(channel, stub.Url("/x")));
    const auto group = Group(1);
    stub.Answer(path, {.status = 429, .headers = {{"Retry-After", "7"}}});
    auto outcome = Send(*receiver, group);
    CHECK(outcome.kind == Outcome::Kind::kRetry);
    CHECK(outcome.retry_after == Milliseconds(7000));
    receiver = MakeReceiver(Yaml(channel, stub.Url("/x")));  // one that has not been told to wait
    stub.Answer(path, {.status = 500, .body = "<html>garbage"});
    CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
    stub.Answer(path, {.status = 400, .body = "invalid_payload"});
    outcome = Send(*receiver, group);
    CHECK(outcome.kind == Outcome::Kind::kRejected);
    CHECK(outcome.message == "status 400: invalid_payload");
    stub.Answer(path, {.manner = test::StubAnswer::Manner::kHang});
    CHECK(receiver->Deliver(group, Deadline::After(SystemClock(), 100ms)).kind ==
          Outcome::Kind::kRetry);
  }
}

TEST_CASE("waits in the body of an answer are obeyed", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {.status = 429, .body = R"({"retry_after": 1.25})"});
  CHECK(Send(*MakeReceiver(Yaml("discord", stub.Url("/x"))), Group(1)).retry_after ==
        Milliseconds(1250));
  stub.Answer("/x/bott/sendMessage",
              {.status = 429, .body = R"({"parameters":{"retry_after":3}})"});
  CHECK(Send(*MakeReceiver(Yaml("telegram", stub.Url("/x"))), Group(1)).retry_after ==
        Milliseconds(3000));
  CHECK(ParseRetryAfter("Tue, 14 Nov 2023 22:13:50 GMT", kNow) == Milliseconds(30'000));
  CHECK(ParseRetryAfter("soon", kNow) == std::nullopt);
}

TEST_CASE("a template that fails does not lose the alert", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {});
  auto receiver = MakeReceiver("discord_configs: [{webhook_url: '" + stub.Url("/x") +
                               "', message: '{{ .Nope }}'}]");
  REQUIRE(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  const auto body = nlohmann::json::parse(stub.requests().back().body);
  const auto text = body["embeds"][0]["description"].get<std::string>();
  CHECK(text.find("can't evaluate field Nope in type *template.Data") != std::string::npos);
  CHECK(text.find("host0 is down") != std::string::npos);
}

TEST_CASE("values are escaped for their channel", "[deliver]") {
  CHECK(EscapeSlack("a < b & <!channel> <https://x|y>") ==
        "a &lt; b &amp; &lt;!channel&gt; <https://x|y>");
  CHECK(EscapeMentions("hi @here") == "hi @\u200Bhere");
  CHECK(Cut("ñañaña", {4}) == "ñañ…");
  CHECK(Cut("ñañaña", {6, Unit::kBytes}) == "ña…");
}

TEST_CASE("mattermost takes all keys of Alertmanager's", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {.status = 200, .body = "ok"});
  auto receiver = MakeReceiver(
      "mattermost_configs: [{webhook_url: '" + stub.Url("/x") +
      "', type: custom_a, footer: f, props: {card: '{{ .Receiver }}'}, fields: [{title: t, value: "
      "v, short: true}], priority: {priority: urgent, requested_ack: true, "
      "persistent_notifications: true}, attachments: [{title: second, text: '{{ range .Alerts "
      "}}{{ .Annotations.description }}{{ end }}', author_name: n}]}]");
  REQUIRE(Send(*receiver, Group(500, 200)).kind == Outcome::Kind::kDelivered);
  const auto body = nlohmann::json::parse(stub.requests().back().body);
  CHECK(body["type"] == "custom_a");
  CHECK(body["username"] == "vigia");
  CHECK(body["props"]["card"] == "team");
  CHECK(body["priority"] == nlohmann::json::parse(R"({"priority":"urgent","requested_ack":true,
                                                      "persistent_notifications":true})"));
  REQUIRE(body["attachments"].size() == 2);
  const auto& first = body["attachments"][0];
  CHECK(first["footer"] == "f");
  CHECK(first["color"] == "#c62828");
  CHECK(first["fields"][0]["short"] == true);
  CHECK(body["attachments"][1]["author_name"] == "n");
  CHECK(Runes(first["text"]) + Runes(body["attachments"][1]["text"]) <= 13'000);
}

TEST_CASE("chats list the alerts without a template of one's own, within their limits",
          "[deliver]") {
  for (const std::string channel : {"mattermost", "googlechat"}) {
    test::HttpStub stub;
    stub.Answer("/x", {.status = 200, .body = "{}"});
    auto receiver = MakeReceiver(channel + "_configs: [{webhook_url: '" + stub.Url("/x") + "'}]");
    // The oldest of the most severe stands first.
    const std::map<std::size_t, std::string> firsts{{1, "host0"}, {50, "host45"}, {500, "host493"}};
    for (const auto& [alerts, first] : firsts) {
      INFO(channel << " " << alerts);
      const auto outcome = Send(*receiver, Group(alerts, 300));
      INFO(outcome.message);
      REQUIRE(outcome.kind == Outcome::Kind::kDelivered);
      const auto raw = stub.requests().back().body;
      const auto body = nlohmann::json::parse(raw);
      CHECK(Fault(channel, body, raw.size()) == "");
      const std::string text =
          channel == "mattermost" ? body["attachments"][0]["text"] : body["text"];
      CHECK(text.find("Firing:\n" + first + " is down\n") != std::string::npos);
      CHECK((text.find("more alerts") != std::string::npos) == (alerts > 1));
    }
  }
}

TEST_CASE("an Alertmanager that hangs takes no time from the others", "[deliver]") {
  test::HttpStub good;
  test::HttpStub hung;
  good.Answer("/api/v2/alerts", {.status = 200});
  hung.Answer("/api/v2/alerts", {.manner = test::StubAnswer::Manner::kHang});
  auto receiver = MakeReceiver("alertmanager_configs: [{urls: ['" + hung.Url("") + "', '" +
                               good.Url("") + "'], timeout: 300ms}]");
  const auto outcome = Send(*receiver, Group(1));
  CHECK(outcome.kind == Outcome::Kind::kDelivered);
  CHECK(outcome.message.starts_with("1 of 2 did not take them: "));
  CHECK(good.requests().size() == 1);
}

TEST_CASE("a proxy is asked where http_config names one", "[deliver]") {
  test::HttpStub proxy;
  proxy.Answer("http://nowhere.example/hook", {.status = 200});
  auto receiver = MakeReceiver(
      "webhook_configs: [{url: 'http://nowhere.example/hook', http_config: {proxy_url: '" +
      proxy.Url("") + "'}}]");
  const auto outcome = Send(*receiver, Group(1));
  INFO(outcome.message);
  CHECK(outcome.kind == Outcome::Kind::kDelivered);
  CHECK(proxy.requests().at(0).target == "http://nowhere.example/hook");
}

TEST_CASE("what is rendered for people holds no secrets", "[deliver]") {
  for (const std::string yaml :
       {"pagerduty_configs: [{routing_key: s3cret}]",
        "pushover_configs: [{token: s3cret, user_key: s3cret}]",
        "telegram_configs: [{bot_token: s3cret, chat_id: 1}]",
        "victorops_configs: [{api_key: s3cret, routing_key: r}]",
        "opsgenie_configs: [{api_key: s3cret}]",
        "sentry_configs: [{dsn: 'https://s3cret@sentry.example/1'}]",
        "ntfy_configs: [{topic: t, token: s3cret}]",
        "rocketchat_configs: [{token: s3cret, token_id: s3cret}]",
        "wechat_configs: [{api_secret: s3cret, corp_id: c}]",
        "msteams_configs: [{webhook_url: 'https://teams.example/s3cret'}]",
        "incidentio_configs: [{url: 'https://i.example/s3cret', alert_source_token: s3cret}]",
        "jira_configs: [{api_url: 'https://j.example/rest/api/2', project: P, issue_type: B, "
        "http_config: {basic_auth: {username: u, password: s3cret}}}]",
        "sns_configs: [{sigv4: {region: r, access_key: a, secret_key: s3cret}, topic_arn: t}]",
        "slack_configs: [{api_url: 'https://hooks.slack.example/s3cret'}]"}) {
    const auto text = MakeReceiver(yaml)->Render(Group(1));
    REQUIRE(text);
    INFO(*text);
    CHECK(text->find("s3cret") == std::string::npos);
    CHECK(text->find("Down") != std::string::npos);
  }
}

TEST_CASE("a secret of a few letters hides no more than itself", "[deliver]") {
  const auto push =
      MakeReceiver("pushover_configs: [{token: o, user_key: user, title: 'Down now'}]")
          ->Render(Group(1));
  REQUIRE(push);
  INFO(*push);
  CHECK(push->find(R"({"token":"***","user":"***","title":"Down now",)") != std::string::npos);
  const auto page = MakeReceiver("pagerduty_configs: [{routing_key: e}]")->Render(Group(1));
  REQUIRE(page);
  INFO(*page);
  CHECK(page->find(R"("routing_key":"***")") != std::string::npos);
  CHECK(page->find(R"("event_action":"trigger")") != std::string::npos);
}

TEST_CASE("forms are rendered as lines", "[deliver]") {
  const auto text = MakeReceiver(
                        "sns_configs: [{sigv4: {region: eu-west-1}, topic_arn: "
                        "'arn:aws:sns:eu-west-1:1:t', subject: "
                        "'50 % & {{ .Status }}', message: a+b}]")
                        ->Render(Group(1));
  REQUIRE(text);
  CHECK(*text ==
        "POST https://sns.eu-west-1.amazonaws.com/...\n"
        "Content-Type: application/x-www-form-urlencoded\nUser-Agent: vigia\n\n"
        "Action=Publish\nVersion=2010-03-31\nTopicArn=arn:aws:sns:eu-west-1:1:t\n"
        "Subject=50 % & firing\nMessage=a+b\n");
}
