// Chats that answer 200 to what they refuse, or ask for tokens.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alerting/deliver/receiver.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using nlohmann::json;
using test::Group;
using test::MakeReceiver;
using test::Resolved;
using test::Send;
using test::StubAnswer;
using test::StubRequest;
using test::To;
using test::Yaml;
using Kind = Outcome::Kind;

TEST_CASE("Teams' connectors are not believed for their status", "[deliver]") {
  test::HttpStub stub;
  auto receiver = MakeReceiver(Yaml("msteams", stub.Url("/x")));
  stub.Answer("/x", {.body = "1"});
  REQUIRE(Send(*receiver, Group(2)).kind == Kind::kDelivered);
  const auto card = json::parse(stub.requests().back().body);
  CHECK(card["@type"] == "MessageCard");
  CHECK(card["@context"] == "http://schema.org/extensions");
  CHECK(card["themeColor"] == "8C1A1A");
  CHECK(card["title"] == "[FIRING:2] Down (warning)");
  CHECK(card["summary"] == card["title"]);
  CHECK(card["text"].get<std::string>().starts_with("**host1 is down**"));
  CHECK(card["potentialAction"][0]["targets"][0]["uri"] ==
        "http://vigia.example/#/alerts?receiver=team");
  const std::string failed =
      "Webhook message delivery failed with error: Microsoft Teams endpoint "
      "returned HTTP error ";
  stub.Answer("/x", {.body = failed + "429 with ContextId tcid=0"});
  CHECK(Send(*receiver, Group(1)).kind == Kind::kRetry);
  stub.Answer("/x", {.body = failed + "413 with ContextId tcid=0"});
  CHECK(Send(*receiver, Group(1)).kind == Kind::kRejected);
  stub.Answer("/x", {.body = "1"});
  REQUIRE(Send(*receiver, Resolved()).kind == Kind::kDelivered);
  CHECK(json::parse(stub.requests().back().body)["themeColor"] == "2DC72D");
}

TEST_CASE("rocket.chat gets all of Alertmanager's keys, and is believed for its body",
          "[deliver]") {
  const std::string path = "/api/v1/chat.postMessage";
  test::HttpStub stub;
  stub.Answer(path, {.body = R"({"success":true})"});
  auto receiver = MakeReceiver(
      "rocketchat_configs: [{api_url: '" + stub.Url("") +
      "', token: s3cret, token_id: u1, channel: '#{{ .CommonLabels.alertname }}', emoji: ':fire:', "
      "icon_url: 'http://i', title: '{{ .Status }}', title_link: 'http://t', image_url: "
      "'http://a', "
      "thumb_url: 'http://b', text: '@all {{ .Status }} {{ range .Alerts }}{{ "
      ".Annotations.summary }}{{ end }}', short_fields: true, link_names: true, "
      "fields: [{title: a, value: b}, {title: c, value: d, short: false}], "
      "actions: [{type: x, text: Runbook, url: 'http://r', msg: m}]}]");
  auto group = Group(1);
  group.alerts[0].annotations = {{"summary", "tell @all"}};
  REQUIRE(Send(*receiver, group).kind == Kind::kDelivered);
  const auto request = stub.requests().back();
  CHECK(request.headers.at("x-auth-token") == "s3cret");
  CHECK(request.headers.at("x-user-id") == "u1");
  const auto body = json::parse(request.body);
  CHECK(body["channel"] == "#Down");
  CHECK(body["emoji"] == ":fire:");
  CHECK(body["avatar"] == "http://i");
  const auto& attachment = body["attachments"][0];
  CHECK(attachment["color"] == "red");
  CHECK(attachment["title"] == "firing");
  CHECK(attachment["title_link"] == "http://t");
  CHECK(attachment["text"] == "@all firing tell @\u200Ball");  // of the template, not of a value
  CHECK(attachment["fields"] == json::parse(R"([{"title":"a","value":"b","short":true},
                                                {"title":"c","value":"d","short":false}])"));
  CHECK(attachment["actions"] ==
        json::parse(R"([{"type":"button","text":"Runbook","url":"http://r","msg":"m"}])"));

  stub.Answer(path, {.body = R"({"success":false,"error":"error-invalid-channel"})"});
  const auto refused = Send(*receiver, group);
  CHECK(refused.kind == Kind::kRejected);
  CHECK(refused.message == "error-invalid-channel");
  stub.Answer(path, {.body = "<html>"});
  CHECK(Send(*receiver, group).kind == Kind::kRetry);
  const auto reset = std::to_string(SystemClock().Wall() + 33'000);
  stub.Answer(path, {.status = 429, .headers = {{"X-RateLimit-Reset", reset}}});
  const auto limited = Send(*receiver, group);
  CHECK(limited.kind == Kind::kRetry);
  REQUIRE(limited.retry_after);
  CHECK(*limited.retry_after > 25s);
  CHECK(*limited.retry_after <= 33s);
  // As in Alertmanager, ends are told only where they are asked for.
  CHECK(Send(*receiver, Resolved()).message == "only resolved alerts, which are not wanted");
}

TEST_CASE("wechat's token is fetched once, and again when it is refused", "[deliver]") {
  test::HttpStub stub;
  int tokens = 0;
  stub.Decide("/cgi-bin/gettoken", [&](const StubRequest&) {
    return StubAnswer{.body = R"({"errcode":0,"errmsg":"ok","access_token":"t)" +
                              std::to_string(++tokens) + R"(","expires_in":7200})"};
  });
  std::string good = "t1";
  stub.Decide("/cgi-bin/message/send", [&](const StubRequest& request) {
    const bool known = request.target.ends_with("access_token=" + good);
    return StubAnswer{.body = known ? R"({"errcode":0,"errmsg":"ok","invaliduser":"x"})"
                                    : R"({"errcode":42001,"errmsg":"access_token expired"})"};
  });
  auto receiver =
      MakeReceiver("wechat_configs: [{api_url: '" + stub.Url("/cgi-bin/") +
                   "', api_secret: 's3 cret', corp_id: c1, to_party: '2', to_tag: ops, "
                   "agent_id: '1000002', message_type: markdown, message: '**{{ .Status "
                   "}}**'}]");
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  const auto fetched = To(stub, "/cgi-bin/gettoken");
  REQUIRE(fetched.size() == 1);
  CHECK(fetched[0].method == "GET");
  CHECK(fetched[0].target == "/cgi-bin/gettoken?corpid=c1&corpsecret=s3+cret");
  CHECK(json::parse(To(stub, "/cgi-bin/message/send").at(0).body) ==
        json::parse(R"({"toparty":"2","totag":"ops","agentid":"1000002","msgtype":"markdown",
                        "safe":"0","markdown":{"content":"**firing**"}})"));

  good = "t2";
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(tokens == 2);
  good = "none";
  const auto refused = Send(*receiver, Group(1));
  CHECK(refused.kind == Kind::kRetry);
  CHECK(refused.message == "errcode 42001: access_token expired");
  CHECK(tokens == 3);  // the second attempt's was refused, too
}

TEST_CASE("what wechat answers decides between retry and rejection", "[deliver]") {
  const auto outcome = [](const std::string& token, const std::string& sent) {
    test::HttpStub stub;
    stub.Answer("/x/gettoken", {.body = token});
    stub.Answer("/x/message/send", {.body = sent});
    return Send(*MakeReceiver(Yaml("wechat", stub.Url("/x"))), Group(1));
  };
  const std::string token = R"({"errcode":0,"access_token":"t","expires_in":7200})";
  CHECK(outcome(token, R"({"errcode":-1,"errmsg":"system busy"})").kind == Kind::kRetry);
  CHECK(outcome(token, R"({"errcode":45009,"errmsg":"api freq out of limit"})").kind ==
        Kind::kRetry);
  CHECK(outcome(token, R"({"errcode":81013,"errmsg":"user & party & tag all invalid"})").kind ==
        Kind::kRejected);
  CHECK(outcome(token, "<html>").kind == Kind::kRetry);
  const auto wrong = outcome(R"({"errcode":40001,"errmsg":"invalid credential"})", "");
  CHECK(wrong.kind == Kind::kRejected);
  CHECK(wrong.message == "gettoken: errcode 40001: invalid credential");
  CHECK(outcome(R"({"errcode":-1,"errmsg":"busy"})", "").kind == Kind::kRetry);
  CHECK(outcome(R"({"errcode":0})", "").kind == Kind::kRejected);
}

TEST_CASE("incident.io gets Alertmanager's body with as many alerts as fit", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/x", {.status = 202, .body = R"({"status":"success"})"});
  auto receiver = MakeReceiver(Yaml("incidentio", stub.Url("/x")));
  REQUIRE(Send(*receiver, Group(500, 2000)).kind == Kind::kDelivered);
  const auto request = stub.requests().back();
  CHECK(request.headers.at("authorization") == "Bearer t");
  CHECK(request.body.size() <= 512 * 1024);
  const auto body = json::parse(request.body);
  CHECK(body["alerts"].size() == 125);
  CHECK(body["truncatedAlerts"] == 375);
  CHECK(body["version"] == "1");
  CHECK(body["groupKey"] == Group(1).group_key);
  CHECK(body["alerts"][0]["labels"]["severity"] == "critical");
}
