#include "exporter/http/gate.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/http/stand.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::TempDir;

namespace {

int Admit(Gate& gate, const std::string& authorization, const std::string& client = "10.0.0.1") {
  Request request;
  request.remote_address = client;
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  const auto refusal = gate.Admit(request);
  return refusal ? refusal->status : 200;
}

void WriteUser(const TempDir& dir, const std::string& name, const std::string& password) {
  dir.Write("web.yml", "basic_auth_users:\n  " + name + ": " + Bcrypt(password) + "\n");
}

}  // namespace

TEST_CASE("users are let in with their password only", "[http]") {
  const TempDir dir;
  WriteUser(dir, "alice", "wonder");
  ManualClock clock;
  const auto gate = OpenGate(dir, clock);
  CHECK(Admit(*gate, "") == 401);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);  // remembered
  CHECK(Admit(*gate, BasicAuth("alice:wrong")) == 401);
  CHECK(Admit(*gate, BasicAuth("bob:wonder")) == 401);
  CHECK(Admit(*gate, BasicAuth(std::string("alice:wonder\0x", 14))) == 401);
  CHECK(Admit(*gate, "Basic !!!!") == 401);
  CHECK(Admit(*gate, "Basic") == 401);
  CHECK(Admit(*gate, "Bearer x") == 401);
}

TEST_CASE("bcrypt hashes of all three kinds are understood", "[http]") {
  const TempDir dir;
  std::string hash = Bcrypt("wonder");
  hash[2] = GENERATE('a', 'b', 'y');
  dir.Write("web.yml", "basic_auth_users: { alice: " + hash + " }\n");
  ManualClock clock;
  const auto gate = OpenGate(dir, clock);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);
  CHECK(Admit(*gate, BasicAuth("alice:wander")) == 401);
}

TEST_CASE("a flood of wrong passwords does not keep anybody else out", "[http]") {
  const TempDir dir;
  WriteUser(dir, "alice", "wonder");
  ManualClock clock;
  const auto gate = OpenGate(dir, clock);
  REQUIRE(Admit(*gate, BasicAuth("alice:wonder"), "10.0.0.2") == 200);
  std::atomic<bool> stop = false;
  std::atomic<int> busy = 0;
  std::vector<std::thread> attackers;
  for (int i = 0; i < 16; ++i) {
    attackers.emplace_back([&] {
      while (!stop) busy += Admit(*gate, BasicAuth("bob:wonder"), "10.0.0.66") == 429;
    });
  }
  // Who was let in before passes at once; who was not has a place of its own.
  CHECK(Admit(*gate, BasicAuth("alice:wonder"), "10.0.0.2") == 200);
  CHECK(Admit(*gate, BasicAuth("alice:wrong"), "10.0.0.3") == 401);
  while (busy == 0) std::this_thread::yield();
  stop = true;
  for (auto& attacker : attackers) attacker.join();
}

TEST_CASE("a client over its rate is told when to come back", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "");
  ManualClock clock;
  const auto gate = OpenGate(dir, clock, {.client_rate = {0.5, 2}});
  CHECK(Admit(*gate, "") == 200);
  CHECK(Admit(*gate, "") == 200);
  Request request;
  request.remote_address = "10.0.0.1";
  const auto refusal = gate->Admit(request);
  REQUIRE(refusal);
  CHECK(refusal->status == 429);
  CHECK(refusal->headers.back() == std::pair<std::string, std::string>("retry-after", "2"));
  CHECK(Admit(*gate, "", "10.0.0.2") == 200);  // another client
  for (int i = 0; i < 10; ++i) CHECK(Admit(*gate, "", "127.0.0.1") == 200);
  clock.Advance(2s);
  CHECK(Admit(*gate, "") == 200);
  CHECK(Admit(*gate, "") == 429);
}

TEST_CASE("the rate limit of web.yml holds for all clients together", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "rate_limit: { interval: 500ms, burst: 2 }\n");
  ManualClock clock;
  const auto gate = OpenGate(dir, clock);
  CHECK(Admit(*gate, "", "10.0.0.1") == 200);
  CHECK(Admit(*gate, "", "127.0.0.1") == 200);
  CHECK(Admit(*gate, "", "10.0.0.3") == 429);
  // Read again without a change to the limit: it goes on counting.
  dir.Write("web.yml", "rate_limit: { interval: 0.5s, burst: 2 }\n# the same\n");
  clock.Advance(1s);
  CHECK(Admit(*gate, "") == 200);
  CHECK(Admit(*gate, "") == 200);
  CHECK(Admit(*gate, "") == 429);
}

TEST_CASE("many addresses do not grow the table of clients", "[http]") {
  ManualClock clock;
  ClientLimiter limiter({1, 1}, clock, 16);
  for (std::uint32_t address = 1; address < 10'000; ++address) {
    CHECK(limiter.Take(address) == Wait(0));
  }
  CHECK(limiter.Take(9'999) > Wait(0));
}

TEST_CASE("the web configuration is read again when it changes and kept when it breaks", "[http]") {
  const TempDir dir;
  WriteUser(dir, "alice", "wonder");
  ManualClock clock;
  std::vector<std::string> reports;
  const auto gate =
      OpenGate(dir, clock, {.report = [&](std::string_view text) { reports.emplace_back(text); }});
  dir.Write("web.yml", "basic_auth_users: [broken\n");
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);
  clock.Advance(1s);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);
  clock.Advance(1s);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 200);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].find("web.yml:") != std::string::npos);

  WriteUser(dir, "bob", "wonder");
  clock.Advance(1s);
  CHECK(Admit(*gate, BasicAuth("alice:wonder")) == 401);
  CHECK(Admit(*gate, BasicAuth("bob:wonder")) == 200);
  CHECK(reports.size() == 1);
}

TEST_CASE("a web configuration that is missing or broken stops the start", "[http]") {
  const TempDir dir;
  auto gate = Gate::Open(SystemClock(), {.web_config = dir.path() / "web.yml"});
  REQUIRE(!gate);
  CHECK(gate.error().code() == ErrorCode::kInvalid);
  CHECK(gate.error().message().find("No such file") != std::string::npos);
}

TEST_CASE("security headers stand on every answer and web.yml can change them", "[http]") {
  const TempDir dir;
  dir.Write("web.yml",
            "http_server_config:\n"
            "  headers:\n"
            "    X-Frame-Options: sameorigin\n"
            "    Strict-Transport-Security: max-age=3600\n"
            "    Content-Security-Policy: ''\n");
  ManualClock clock;
  CHECK(OpenGate(dir, clock)->HeaderLines() ==
        "Referrer-Policy: no-referrer\r\n"
        "Strict-Transport-Security: max-age=3600\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: sameorigin\r\n");
  auto bare = Gate::Open(clock, {});
  REQUIRE(bare);
  CHECK((*bare)->HeaderLines() ==
        "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: DENY\r\n");
}
