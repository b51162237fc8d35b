// Amazon SNS: forms, signatures, and where keys come from.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "alerting/deliver/receiver.h"
#include "alerting/deliver/signature.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using nlohmann::json;
using test::Group;
using test::MakeReceiver;
using test::Send;
using test::StubRequest;
using test::To;
using test::Yaml;
using Kind = Outcome::Kind;

namespace {

std::string Lines(std::initializer_list<std::string> lines) {
  std::string out;
  for (const auto& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

// The Authorization of a request to the root of a server, computed as AWS documents Signature
// Version 4.
std::string SigV4(const StubRequest& request, const std::string& region, const std::string& service,
                  const std::string& key, const std::string& secret) {
  const auto& headers = request.headers;
  const auto given = headers.at("authorization");
  const auto begin = given.find("SignedHeaders=") + 14;
  const auto names = given.substr(begin, given.find(',', begin) - begin);
  std::string canonical = request.method + "\n" + request.target + "\n\n";
  for (std::size_t at = 0; at < names.size();) {
    const auto end = std::min(names.find(';', at), names.size());
    const auto name = names.substr(at, end - at);
    canonical += name + ":" + headers.at(name) + "\n";
    at = end + 1;
  }
  canonical += "\n" + names + "\n" + Hex(Sha256(request.body));
  const auto time = headers.at("x-amz-date");
  const auto scope = time.substr(0, 8) + "/" + region + "/" + service + "/aws4_request";
  auto signing = HmacSha256("AWS4" + secret, time.substr(0, 8));
  for (const auto& part : {region, service, std::string("aws4_request")}) {
    signing = HmacSha256(signing, part);
  }
  const auto to_sign = Lines({"AWS4-HMAC-SHA256", time, scope, Hex(Sha256(canonical))});
  return "AWS4-HMAC-SHA256 Credential=" + key + "/" + scope + ", SignedHeaders=" + names +
         ", Signature=" + Hex(HmacSha256(signing, to_sign));
}

}  // namespace

TEST_CASE("SNS gets a signed form", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/", {.body = "<PublishResponse/>"});
  auto receiver = MakeReceiver(
      "sns_configs: [{api_url: '" + stub.Url("") +
      "', sigv4: {region: eu-west-1, access_key: AKID, secret_key: s3cret}, topic_arn: "
      "'arn:aws:sns:eu-west-1:1:ops.fifo', subject: \"{{ .Status }}\\nnow ñ & =\", message: 'a+b & "
      "{{ .Status }} ñ', attributes: {sev: '{{ .CommonLabels.severity }}', none: ''}}]");
  auto group = Group(1);
  const auto outcome = Send(*receiver, group);
  INFO(outcome.message);
  REQUIRE(outcome.kind == Kind::kDelivered);
  const auto request = stub.requests().at(0);
  CHECK(request.headers.at("authorization") ==
        SigV4(request, "eu-west-1", "sns", "AKID", "s3cret"));
  CHECK(request.headers.at("content-type") == "application/x-www-form-urlencoded");
  const auto form = test::BodyOf("sns", request.body);
  const auto group_id = Hex(Sha256(group.group_key));
  CHECK(form == json({{"Action", "Publish"},
                      {"Version", "2010-03-31"},
                      {"TopicArn", "arn:aws:sns:eu-west-1:1:ops.fifo"},
                      {"MessageGroupId", group_id},
                      {"MessageDeduplicationId", Hex(Sha256("d-1" + group.group_key))},
                      {"Subject", "firing now ñ & ="},
                      {"Message", "a+b & firing ñ"},
                      {"MessageAttributes.entry.1.Name", "sev"},
                      {"MessageAttributes.entry.1.Value.DataType", "String"},
                      {"MessageAttributes.entry.1.Value.StringValue", "warning"}}));
}

TEST_CASE("text messages and topics have limits of their own", "[deliver]") {
  const auto form = [](const std::string& place, std::size_t alerts) {
    test::HttpStub stub;
    stub.Answer("/", {});
    auto receiver =
        MakeReceiver("sns_configs: [{api_url: '" + stub.Url("") +
                     "', sigv4: {region: r, access_key: a, secret_key: b}, " + place + "}]");
    REQUIRE(Send(*receiver, Group(alerts, 900)).kind == Kind::kDelivered);
    return test::BodyOf("sns", stub.requests().at(0).body);
  };
  const auto sms = form("phone_number: '+34600000000'", 50);
  CHECK(sms["PhoneNumber"] == "+34600000000");
  CHECK(test::Runes(sms["Message"]) <= 1600);
  CHECK(sms["MessageAttributes.entry.1.Name"] == "truncated");
  const auto topic = form("topic_arn: 'arn:aws:sns:r:1:t'", 500);
  CHECK(topic["Message"].get<std::string>().size() > 200'000);
  CHECK(topic["Message"].get<std::string>().size() <= 256 * 1024);
  CHECK(topic["MessageAttributes.entry.1.Value.StringValue"] == "true");
  CHECK_FALSE(form("target_arn: 'arn:aws:sns:r:1:endpoint/a'", 1)
                  .contains("MessageAttributes.entry.1.Name"));
}

TEST_CASE("what SNS answers decides between retry and rejection", "[deliver]") {
  const auto answered = [](int status, const std::string& code) {
    test::HttpStub stub;
    stub.Answer("/x", {.status = status,
                       .body = "<ErrorResponse><Error><Code>" + code + "</Code></Error>"});
    return Send(*MakeReceiver(Yaml("sns", stub.Url("/x"))), Group(1)).kind;
  };
  CHECK(answered(400, "Throttling") == Kind::kRetry);
  CHECK(answered(400, "ThrottledException") == Kind::kRetry);
  CHECK(answered(403, "ExpiredToken") == Kind::kRetry);
  CHECK(answered(403, "SignatureDoesNotMatch") == Kind::kRejected);
  CHECK(answered(404, "NotFound") == Kind::kRejected);
  CHECK(answered(503, "ServiceUnavailable") == Kind::kRetry);
}

TEST_CASE("keys for SNS come from the environment, from a profile, or from a role", "[deliver]") {
  test::TempDir dir;
  dir.Write("credentials",
            "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = d\n"
            "# [ops]\n[ops]\naws_access_key_id=OPS\n aws_secret_access_key = o \n"
            "aws_session_token = t/+=\n[other]\naws_access_key_id=OTHER\n");
  const auto file = (dir.path() / "credentials").string();
  test::HttpStub stub;
  stub.Answer("/", {});
  stub.Answer("/sts",
              {.body = "<AssumeRoleResponse><Credentials><AccessKeyId>LENT</AccessKeyId>"
                       "<SecretAccessKey>l</SecretAccessKey><SessionToken>s/+=</SessionToken>"
                       "</Credentials></AssumeRoleResponse>"});
  const auto receiver = [&](const std::string& sigv4) {
    return MakeReceiver("sns_configs: [{api_url: '" + stub.Url("") + "', sigv4: {" + sigv4 +
                        "}, topic_arn: 'arn:aws:sns:eu-west-1:1:t'}]");
  };
  const auto authorization = [&] { return stub.requests().back().headers.at("authorization"); };
  const auto correct = [&](const std::string& key, const std::string& secret) {
    const auto request = stub.requests().back();
    return authorization() == SigV4(request, "eu-west-1", "sns", key, secret);
  };
  for (const char* const name : {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION"})
    ::unsetenv(name);
  ::setenv("AWS_SHARED_CREDENTIALS_FILE", file.c_str(), 1);

  REQUIRE(Send(*receiver(""), Group(1)).kind == Kind::kDelivered);
  CHECK(correct("DEFAULT", "d"));
  REQUIRE(Send(*receiver("profile: ops"), Group(1)).kind == Kind::kDelivered);
  CHECK(correct("OPS", "o"));
  CHECK(stub.requests().back().headers.at("x-amz-security-token") == "t/+=");
  const auto none = Send(*receiver("profile: other"), Group(1));
  CHECK(none.kind == Kind::kRetry);  // the file may be mended
  CHECK(none.message.find("no keys") != std::string::npos);

  ::setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
  REQUIRE(Send(*receiver(""), Group(1)).kind == Kind::kDelivered);
  CHECK(correct("ENV", "e"));

  const auto role = receiver(
      "access_key: OWN, secret_key: w, role_arn: 'arn:aws:iam::1:role/a b', "
      "sts_url: '" +
      stub.Url("/sts") + "'");
  REQUIRE(Send(*role, Group(1)).kind == Kind::kDelivered);
  CHECK(correct("LENT", "l"));
  CHECK(stub.requests().back().headers.at("x-amz-security-token") == "s/+=");
  REQUIRE(Send(*role, Group(1)).kind == Kind::kDelivered);
  const auto asked = To(stub, "/sts");
  REQUIRE(asked.size() == 1);  // the keys are lent for an hour
  CHECK(asked[0].headers.at("authorization") == SigV4(asked[0], "eu-west-1", "sts", "OWN", "w"));
  CHECK(test::BodyOf("sns", asked[0].body)["RoleArn"] == "arn:aws:iam::1:role/a b");
  for (const char* const name :
       {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE"}) {
    ::unsetenv(name);
  }
}
