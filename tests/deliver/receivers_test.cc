// Receivers against servers that answer as the channels do, and their published limits.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alerting/deliver/answer.h"
#include "alerting/deliver/message.h"
#include "alerting/deliver/receiver.h"
#include "alerting/deliver/signature.h"
#include "core/config/yaml.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;

namespace {

constexpr Timestamp kNow = 1'700'000'000'000;

Notification Group(std::size_t alerts, std::size_t description = 40) {
  Notification group{.receiver = "team",
                     .group_key = "{}:{alertname=\"Down\"}",
                     .group_labels = {{"alertname", "Down"}},
                     .external_url = "http://vigia.example",
                     .reason = "first notification",
                     .delivery_id = "d-1",
                     .now = kNow};
  for (std::size_t i = 0; i < alerts; ++i) {
    const auto instance = "host" + std::to_string(i);
    const std::string text(description, 'x');
    group.alerts.push_back(
        {.labels = {{"alertname", "Down"},
                    {"instance", instance},
                    {"severity", i % 7 == 3 ? "critical" : "warning"}},
         .annotations = {{"summary", instance + " is down"}, {"description", text}},
         .starts_at = kNow - 60'000 - static_cast<Timestamp>(i),
         .ends_at = kNow + 60'000,
         .generator_url = "http://vigia.example/g"});
  }
  group.common_labels = CommonLabels(group.alerts);
  group.common_annotations = CommonAnnotations(group.alerts);
  return group;
}

// One receiver from YAML of a receiver of alertmanager.yml.
std::unique_ptr<Receiver> Make(const std::string& yaml) {
  config::Diagnostics diagnostics("alertmanager.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  const config::Node global;
  config::MapReader reader(node, diagnostics);
  auto made = ReadReceiver(reader, global, ".", nullptr, SystemClock());
  reader.Finish();
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  REQUIRE(made.size() == 1);
  return std::move(made.front());
}

Outcome Send(Receiver& receiver, const Notification& notification) {
  return receiver.Deliver(notification, Deadline::After(SystemClock(), 10s));
}

std::size_t Runes(const nlohmann::json& text) {
  return Size(text.get_ref<const std::string&>(), Unit::kRunes);
}

// What of a body is over the limits that its channel publishes; empty if nothing.
std::string Fault(const std::string& channel, const nlohmann::json& body, std::size_t bytes) {
  if (channel == "discord") {
    const auto& embed = body["embeds"][0];
    if (Runes(embed["title"]) > 256) return "title";
    if (Runes(embed["description"]) > 4096) return "description";
    return Runes(embed["title"]) + Runes(embed["description"]) > 6000 ? "embed" : "";
  }
  if (channel == "slack") return Runes(body["attachments"][0]["text"]) > 3000 ? "text" : "";
  if (channel == "telegram") return Runes(body["text"]) > 4096 ? "text" : "";
  if (channel == "msteamsv2") return bytes > 28 * 1024 ? "size" : "";
  if (channel == "pagerduty") {
    if (bytes > 512 * 1024) return "size";
    if (body["dedup_key"].get<std::string>().size() > 255) return "dedup_key";
    return Runes(body["payload"]["summary"]) > 1024 ? "summary" : "";
  }
  return "";
}

std::string Yaml(const std::string& channel, const std::string& url) {
  if (channel == "discord" || channel == "msteamsv2") {
    return channel + "_configs: [{webhook_url: '" + url + "', http_config: {}}]";
  }
  if (channel == "slack") {
    return "slack_configs: [{api_url: '" + url +
           "', text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}'}]";
  }
  if (channel == "telegram")
    return "telegram_configs: [{api_url: '" + url + "', bot_token: t, chat_id: 1}]";
  if (channel == "pagerduty") return "pagerduty_configs: [{url: '" + url + "', routing_key: k}]";
  return "webhook_configs: [{url: '" + url + "'}]";
}

}  // namespace

TEST_CASE("webhook sends Alertmanager's body, signed", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/hook", {.status = 200});
  auto receiver = Make("webhook_configs: [{url: '" + stub.Url("/hook") +
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
  for (const std::string channel :
       {"webhook", "slack", "pagerduty", "discord", "telegram", "msteamsv2"}) {
    test::HttpStub stub;
    const std::string path = channel == "telegram" ? "/x/bott/sendMessage" : "/x";
    stub.Answer(path, {.status = 200, .body = "ok"});
    auto receiver = Make(Yaml(channel, stub.Url("/x")));
    for (const std::size_t alerts : {1U, 50U, 500U}) {
      INFO(channel << " " << alerts);
      const auto outcome = Send(*receiver, Group(alerts, 200));
      INFO(outcome.message);
      REQUIRE(outcome.kind == Outcome::Kind::kDelivered);
      const auto body = stub.requests().back().body;
      const auto json = nlohmann::json::parse(body);
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
  for (const std::string channel :
       {"webhook", "slack", "pagerduty", "discord", "telegram", "msteamsv2"}) {
    INFO(channel);
    const std::string path = channel == "telegram" ? "/x/bott/sendMessage" : "/x";
    auto receiver = Make(Yaml(channel, stub.Url("/x")));
    const auto group = Group(1);
    stub.Answer(path, {.status = 429, .headers = {{"Retry-After", "7"}}});
    auto outcome = Send(*receiver, group);
    CHECK(outcome.kind == Outcome::Kind::kRetry);
    CHECK(outcome.retry_after == Milliseconds(7000));
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
  CHECK(Send(*Make(Yaml("discord", stub.Url("/x"))), Group(1)).retry_after == Milliseconds(1250));
  stub.Answer("/x/bott/sendMessage",
              {.status = 429, .body = R"({"parameters":{"retry_after":3}})"});
  CHECK(Send(*Make(Yaml("telegram", stub.Url("/x"))), Group(1)).retry_after == Milliseconds(3000));
  CHECK(ParseRetryAfter("Tue, 14 Nov 2023 22:13:50 GMT", kNow) == Milliseconds(30'000));
  CHECK(ParseRetryAfter("soon", kNow) == std::nullopt);
}

TEST_CASE("slack by a bot's token changes its message", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/api/chat.postMessage", {.body = R"({"ok":true,"channel":"C1","ts":"12.5"})"});
  stub.Answer("/api/chat.update", {.body = R"({"ok":true,"channel":"C1","ts":"12.5"})"});
  auto receiver = Make("slack_configs: [{api_url: '" + stub.Url("/api/chat.postMessage") +
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
}

TEST_CASE("a template that fails does not lose the alert", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {});
  auto receiver =
      Make("discord_configs: [{webhook_url: '" + stub.Url("/x") + "', message: '{{ .Nope }}'}]");
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
