// The main job, from a source that breaks to the message in the chat: real PostgreSQL and Redis,
// the bundled rules with shorter times, a webhook that takes what it is sent.

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace vigia::test {
namespace {

using namespace std::chrono_literals;

// A bundled rule file that fires and is evaluated at once.
std::string Impatient(const std::string& name) {
  std::ifstream file(std::string(VIGIA_SOURCE_DIR) + "/rules/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  auto rules = std::regex_replace(text.str(), std::regex("for: [0-9a-z]+"), "for: 0s");
  return std::regex_replace(rules, std::regex("(  - name: [a-z]+\n)"), "$1    interval: 1s\n");
}

// The first message that `fits`, within 30 s; null if none came.
nlohmann::json AwaitMessage(const HttpStub& chat,
                            const std::function<bool(const nlohmann::json&)>& fits,
                            std::map<std::string, std::string>* headers = nullptr) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < until) {
    for (const auto& request : chat.requests()) {
      const auto message = nlohmann::json::parse(request.body);
      if (!fits(message)) continue;
      if (headers) *headers = request.headers;
      return message;
    }
    std::this_thread::sleep_for(50ms);
  }
  return nullptr;
}

auto About(const std::string& alert, const std::string& status) {
  return [=](const nlohmann::json& message) {
    return message.at("status") == status &&
           message.at("commonLabels").value("alertname", "") == alert;
  };
}

}  // namespace

TEST_CASE("a source that breaks is told to the chat, and so is its return", "[e2e]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  PostgresServer postgres;
  RedisServer redis;
  HttpStub chat;
  chat.Answer("/hook", {});
  const Vigia vigia({.config = "collectors:\n"
                               "  postgres: { dsn: \"" +
                               postgres.dsn() +
                               "\", interval: 1s }\n"
                               "  redis: { url: \"" +
                               redis.url() +
                               "\", interval: 1s }\n"
                               "rules: [ redis.yml, postgres.yml ]\n"
                               "alerting:\n"
                               "  route: { receiver: chat, group_by: [alertname], group_wait: 0s, "
                               "group_interval: 1s }\n"
                               "  receivers: [ { name: chat, webhook_configs: [ { url: \"" +
                               chat.Url("/hook") + "\" } ] } ]\n",
                     .files = {{"redis.yml", Impatient("redis.yml")},
                               {"postgres.yml", Impatient("postgres.yml")}}});
  REQUIRE(vigia.AwaitValue("redis_up", "1"));
  REQUIRE(vigia.AwaitValue("pg_up", "1"));

  redis.Stop();
  std::map<std::string, std::string> headers;
  const auto told = AwaitMessage(chat, About("RedisDown", "firing"), &headers);
  REQUIRE(told.is_object());
  REQUIRE(told.at("version") == "4");
  REQUIRE(told.at("receiver") == "chat");
  REQUIRE(told.at("alerts").at(0).at("annotations").at("summary") == "Redis does not answer.");
  REQUIRE_FALSE(headers["idempotency-key"].empty());

  redis.Start();
  REQUIRE(AwaitMessage(chat, About("RedisDown", "resolved")).is_object());

  postgres.Stop();
  REQUIRE(AwaitMessage(chat, About("PostgresDown", "firing")).is_object());
  postgres.Start();
  REQUIRE(AwaitMessage(chat, About("PostgresDown", "resolved")).is_object());
}

}  // namespace vigia::test
