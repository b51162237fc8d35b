// Mails, as a server gets them.

#include <catch2/catch.hpp>

#include "alerting/deliver/mail.h"
#include "alerting/deliver/receiver.h"
#include "core/base64.h"
#include "tests/deliver/groups.h"
#include "tests/deliver/smtp_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using test::Group;
using test::MakeReceiver;
using test::Send;

namespace {

std::string Yaml(int port, const std::string& more = {}) {
  return "email_configs: [{to: 'ops@example.org, \"On call, night\" <night@example.org>', "
         "from: 'vigia <vigia@example.org>', smarthost: '127.0.0.1:" +
         std::to_string(port) + "', require_tls: false" + more + "}]";
}

std::string Header(const std::string& data, const std::string& name) {
  const auto at = data.find("\r\n" + name + ": ");
  if (at == data.npos) return {};
  const auto begin = at + name.size() + 4;
  return data.substr(begin, data.find("\r\n", begin) - begin);
}

// Without the soft line breaks of quoted-printable.
std::string Unfolded(std::string data) {
  for (auto at = data.find("=\r\n"); at != data.npos; at = data.find("=\r\n", at)) {
    data.erase(at, 3);
  }
  return data;
}

}  // namespace

TEST_CASE("a mail has both parts and reaches all who are named", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(
      Yaml(server.port(), ", auth_username: me, auth_password: secret, hello: vigia.example.org"));
  auto group = Group(2);
  group.alerts[0].annotations = {{"summary", "Größe über 90 % <b>"}, {"description", ".\n..dots"}};
  const auto outcome = Send(*receiver, group);
  INFO(outcome.message);
  REQUIRE(outcome.kind == Outcome::Kind::kDelivered);
  REQUIRE(server.faults().empty());
  const auto mails = server.mails();
  REQUIRE(mails.size() == 1);
  const auto& mail = mails.front();
  CHECK(mail.user == std::string("\0me\0secret", 10));
  CHECK(mail.from == "vigia@example.org");
  CHECK(mail.to == std::vector<std::string>{"ops@example.org", "night@example.org"});
  const auto data = "\r\n" + mail.data;
  CHECK(Header(data, "From") == "vigia <vigia@example.org>");
  CHECK(Header(data, "To") == "ops@example.org, \"On call, night\" <night@example.org>");
  CHECK(Header(data, "Subject").find("Down") != std::string::npos);
  CHECK(Header(data, "Date") == "Tue, 14 Nov 2023 22:13:20 +0000");
  CHECK(Header(data, "Message-ID").ends_with("@example.org>"));
  CHECK(Header(data, "References") == Header(data, "In-Reply-To"));
  CHECK(Header(data, "References") != Header(data, "Message-ID"));
  CHECK(data.find("multipart/alternative") != data.npos);
  CHECK(data.find("Content-Type: text/plain; charset=UTF-8") != data.npos);
  CHECK(data.find("Content-Type: text/html; charset=UTF-8") != data.npos);
  CHECK(data.find("=0A") == data.npos);  // lines end as those of a mail
  // Quoted-printable, and escaped where it is HTML.
  CHECK(data.find("Gr=C3=B6=C3=9Fe =C3=BCber 90 % <b>") != data.npos);
  CHECK(data.find("90 % &lt;b&gt;") != data.npos);
}

TEST_CASE("mails of a group are a thread, and each its own message", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(Yaml(server.port(), ", send_resolved: true"));
  auto group = Group(1);
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  group.delivery_id = "d-2";
  group.alerts[0].ends_at = group.now - 1;
  REQUIRE(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  const auto mails = server.mails();
  REQUIRE(mails.size() == 2);
  const auto first = "\r\n" + mails[0].data;
  const auto second = "\r\n" + mails[1].data;
  CHECK(Header(first, "References") == Header(second, "References"));
  CHECK(Header(first, "Message-ID") != Header(second, "Message-ID"));
  CHECK(Header(second, "Subject").find("RESOLVED") != std::string::npos);
}

TEST_CASE("replies of a mail server decide what becomes of a mail", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(Yaml(server.port()));
  const auto group = Group(1);
  server.Answer("RCPT TO:<night@example.org>", "550 no such user");
  auto outcome = Send(*receiver, group);
  CHECK(outcome.kind == Outcome::Kind::kDelivered);  // the other is told
  CHECK(outcome.message == "not to night@example.org: 550 no such user");
  server.Answer("RCPT TO:<ops@example.org>", "550 no such user");
  outcome = Send(*receiver, group);
  CHECK(outcome.kind == Outcome::Kind::kRejected);
  CHECK(outcome.message.find("550") != std::string::npos);
  server.Answer("RCPT TO:<ops@example.org>", "450 mailbox busy");
  server.Answer("RCPT TO:<night@example.org>", "450 mailbox busy");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
  server.Answer("RCPT TO:", "250 ok");
  server.Answer("RCPT TO:<ops@example.org>", "250 ok");
  server.Answer("RCPT TO:<night@example.org>", "250 ok");
  server.Answer("end of data", "554 looks like spam");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRejected);
  server.Answer("end of data", "451 later");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
  server.Answer("connect", "421 too busy");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
  CHECK(server.mails().size() == 1);
}

TEST_CASE("an address that is put off gets its mail later, the others no second one", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(Yaml(server.port()));
  const auto group = Group(1);
  server.Answer("RCPT TO:<ops@example.org>", "450 greylisted");
  const auto outcome = Send(*receiver, group);
  CHECK(outcome.kind == Outcome::Kind::kRetry);
  CHECK(outcome.message == "not to ops@example.org: 450 greylisted");
  // Still put off, then a fault of another kind: what is left stays known.
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
  server.Answer("RCPT TO:<ops@example.org>", "250 ok");
  server.Answer("end of data", "451 later");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kRetry);
  server.Answer("end of data", "250 queued");
  CHECK(Send(*receiver, group).kind == Outcome::Kind::kDelivered);
  const auto mails = server.mails();
  REQUIRE(mails.size() == 2);
  CHECK(mails[0].to == std::vector<std::string>{"night@example.org"});
  CHECK(mails[1].to == std::vector<std::string>{"ops@example.org"});
  CHECK(Header("\r\n" + mails[0].data, "Message-ID") ==
        Header("\r\n" + mails[1].data, "Message-ID"));
}

TEST_CASE("of addresses put off and unknown ones the first are tried again", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(Yaml(server.port()));
  server.Answer("RCPT TO:<ops@example.org>", "450 greylisted");
  server.Answer("RCPT TO:<night@example.org>", "550 no such user");
  CHECK(Send(*receiver, Group(1)).kind == Outcome::Kind::kRetry);
  server.Answer("RCPT TO:<ops@example.org>", "250 ok");
  CHECK(Send(*receiver, Group(1)).kind == Outcome::Kind::kDelivered);
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].to == std::vector<std::string>{"ops@example.org"});
}

TEST_CASE("headers of one's own replace vigia's, and threads are as they are asked for",
          "[deliver]") {
  test::SmtpStub server;
  auto group = Group(1);
  group.alerts[0].ends_at += 10 * 86'400'000LL;
  const auto sent = [&](const std::string& more) {
    const auto before = server.mails().size();
    REQUIRE(Send(*MakeReceiver(Yaml(server.port(), more)), group).kind ==
            Outcome::Kind::kDelivered);
    REQUIRE(server.mails().size() == before + 1);
    return "\r\n" + server.mails().back().data;
  };
  const auto own = sent(", headers: {message-id: <mine@example.org>, Cc: 'Ann <ann@example.org>'}");
  CHECK(own.find("Message-ID:") == own.npos);
  CHECK(Header(own, "message-id") == "<mine@example.org>");
  CHECK(Header(own, "Cc") == "Ann <ann@example.org>");
  CHECK(Header(sent(", threading: {enabled: false}"), "References").empty());
  const std::string daily = ", threading: {enabled: true, thread_by_date: daily}";
  const auto today = Header(sent(daily), "References");
  group.now += 3'600'000;
  CHECK(Header(sent(daily), "References") == today);
  group.now += 86'400'000;
  CHECK(Header(sent(daily), "References") != today);
}

TEST_CASE("no mail goes out in clear where TLS is required", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(
      "email_configs: [{to: a@example.org, from: b@example.org, smarthost: '127.0.0.1:" +
      std::to_string(server.port()) + "'}]");
  CHECK(Send(*receiver, Group(1)).kind != Outcome::Kind::kDelivered);
  CHECK(server.mails().empty());
}

TEST_CASE("large groups are cut to what people read", "[deliver]") {
  test::SmtpStub server;
  auto receiver = MakeReceiver(Yaml(server.port()));
  for (const std::size_t alerts : {1U, 50U, 500U}) {
    REQUIRE(Send(*receiver, Group(alerts, 2000)).kind == Outcome::Kind::kDelivered);
  }
  REQUIRE(server.faults().empty());
  REQUIRE(server.mails().back().data.size() < 2'000'000);
  CHECK(Unfolded(server.mails().back().data).find("more alerts") != std::string::npos);
}

TEST_CASE("headers are encoded and cannot be smuggled", "[deliver]") {
  CHECK(EncodeHeader("plain") == "plain");
  CHECK(EncodeHeader("a\r\nBcc: x@y") == "a Bcc: x@y");
  CHECK(EncodeHeader("Größe") == "=?UTF-8?B?R3LDtsOfZQ==?=");
  // Divided between characters, never within one.
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "ü";
  std::string decoded;
  std::string rest = EncodeHeader(umlauts);
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find("\r\n "));
    REQUIRE(word.size() <= 75);
    const auto part = *DecodeBase64(word.substr(10, word.size() - 12));
    REQUIRE(part.size() % 2 == 0);
    decoded += part;
    rest.erase(0, std::min(rest.size(), word.size() + 3));
  }
  CHECK(decoded == umlauts);
  CHECK(ParseAddresses("A <a@b.c>, d@e.f") == std::vector<std::string>{"a@b.c", "d@e.f"});
  CHECK(ParseAddresses("A <a@b.c>, nobody").empty());
  std::string many = "a@example.org";
  for (int i = 0; i < 100; ++i) many += ", somebody" + std::to_string(i) + "@example.org";
  auto folded = EncodeAddresses(many);
  for (std::size_t begin = 0, end = 0; end != folded.npos; begin = end + 2) {
    end = folded.find("\r\n", begin);
    CHECK(std::min(end, folded.size()) - begin <= 78);
  }
  for (auto at = folded.find("\r\n"); at != folded.npos; at = folded.find("\r\n")) {
    folded.erase(at, 2);
  }
  CHECK(folded == many);
}
