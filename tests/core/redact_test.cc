#include "core/redact.h"

#include <catch2/catch.hpp>

using vigia::IsSecretName;
using vigia::Redact;

TEST_CASE("passwords in URLs are hidden", "[log]") {
  REQUIRE(Redact("postgresql://user:pw@host/db") == "postgresql://user:***@host/db");
  REQUIRE(Redact("redis://:pw@host:6379/0") == "redis://:***@host:6379/0");
  REQUIRE(Redact("http://u:p%40w@h/x and rediss://a:b@c") ==
          "http://u:***@h/x and rediss://a:***@c");
  REQUIRE(Redact("amqp://u:p@ss@host") == "amqp://u:***@host");
  REQUIRE(Redact("postgres://u:p/w?x@host/db") == "postgres://u:***@host/db");
  REQUIRE(Redact("get \"https://u:pw@h\": refused") == "get \"https://u:***@h\": refused");
  REQUIRE(Redact("postgresql://user:pw@/db?host=/run") == "postgresql://user:***@/db?host=/run");
}

TEST_CASE("URLs without a password stay", "[log]") {
  for (const auto* text :
       {"http://127.0.0.1:9845/metrics", "postgresql://user@host/db", "http://h:80/a@b",
        "http://[::1]:80/", "http://", "a://b:", "://@:", "https://h/x?y=z#w"}) {
    REQUIRE(Redact(text) == text);
  }
}

TEST_CASE("passwords in connection strings are hidden", "[log]") {
  REQUIRE(Redact("host=h password=pw user=u") == "host=h password=*** user=u");
  REQUIRE(Redact("host=h password='p w\\' x' user=u") == "host=h password='***' user=u");
  REQUIRE(Redact("password = pw dbname=d") == "password = *** dbname=d");
  REQUIRE(Redact("PGPASSWORD=pw psql") == "PGPASSWORD=*** psql");
  REQUIRE(Redact("sslpassword=pw") == "sslpassword=***");
  REQUIRE(Redact("postgresql:///db?password=pw&user=u") == "postgresql:///db?password=***&user=u");
  REQUIRE(Redact("password='never closed") == "password='***");
  REQUIRE(Redact("password=") == "password=");
  REQUIRE(Redact("password_file=/run/secrets/pg") == "password_file=/run/secrets/pg");
}

TEST_CASE("secrets in JSON and YAML and forms are hidden", "[log]") {
  REQUIRE(Redact(R"({"user":"u","password":"p\"w","x":1})") ==
          R"({"user":"u","password":"***","x":1})");
  REQUIRE(Redact(R"(body={\"api_key\": \"abc\"})") == R"(body={\"api_key\": \"***\"})");
  REQUIRE(Redact("client_secret: abc\nname: x") == "client_secret: ***\nname: x");
  REQUIRE(Redact("X-Api-Key: abc") == "X-Api-Key: ***");
  REQUIRE(Redact("?access_token=abc&x=1") == "?access_token=***&x=1");
  REQUIRE(Redact("\"token\": \"abc\"") == "\"token\": \"***\"");
  REQUIRE(Redact("routing_key=R0UT3 ok") == "routing_key=*** ok");
}

TEST_CASE("headers that authenticate are hidden", "[log]") {
  REQUIRE(Redact("Authorization: Basic dXNlcjpwdw==\r\nHost: h") ==
          "Authorization: ***\r\nHost: h");
  REQUIRE(Redact("authorization=Bearer abc") == "authorization=***");
  REQUIRE(Redact(R"({"Authorization":"Bearer abc","a":1})") == R"({"Authorization":"***","a":1})");
  REQUIRE(Redact("Proxy-Authorization: Digest u=\"x\"") == "Proxy-Authorization: ***\"x\"");
  REQUIRE(Redact("Set-Cookie: sessionid=abc; HttpOnly") == "Set-Cookie: ***");
  REQUIRE(Redact("sent Bearer eyJhbGciOiJIUzI1NiJ9.e30.x to h") == "sent Bearer *** to h");
}

TEST_CASE("passwords in SQL are hidden", "[log]") {
  REQUIRE(Redact("ALTER ROLE app PASSWORD 'pw' VALID UNTIL 'x'") ==
          "ALTER ROLE app PASSWORD '***' VALID UNTIL 'x'");
}

TEST_CASE("webhook URLs are hidden", "[log]") {
  REQUIRE(Redact("post https://hooks.slack.com/services/T0/B0/xyz: 404") ==
          "post https://hooks.slack.com/*** 404");
  REQUIRE(Redact("https://discord.com/api/webhooks/1/abc") ==
          "https://discord.com/api/webhooks/***");
  REQUIRE(Redact("https://api.telegram.org/bot1:abc/sendMessage") ==
          "https://api.telegram.org/bot***");
}

TEST_CASE("prose about secrets stays", "[log]") {
  for (const auto* text : {"password authentication failed for user \"app\"", "unexpected token: x",
                           "basic auth failed", "no password supplied", "tokens=5",
                           "secrets_total 3", "bearer token missing", ""}) {
    REQUIRE(Redact(text) == text);
  }
}

TEST_CASE("names of secrets are recognised however they are spelt", "[log]") {
  for (const auto* name : {"password", "PGPASSWORD", "redis_password", "client-secret", "apiKey",
                           "X-Auth-Token", "private_key", "aws.secret.key"}) {
    REQUIRE(IsSecretName(name));
  }
  for (const auto* name : {"password_file", "user", "", "key", "tokens", "secretary"}) {
    REQUIRE_FALSE(IsSecretName(name));
  }
}

TEST_CASE("hiding takes linear time", "[log]") {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "a://b:c@d password=x ";
  REQUIRE(Redact(text).size() == text.size() + 20'000 * 4);
  REQUIRE(Redact(std::string(200'000, ':')) == std::string(200'000, ':'));
  std::string unspaced;
  for (int i = 0; i < 20'000; ++i) unspaced += "a://b:c/cookie:";
  REQUIRE(Redact(unspaced).size() < 100);
  REQUIRE(Redact(std::string(200'000, '"')) == std::string(200'000, '"'));
}
