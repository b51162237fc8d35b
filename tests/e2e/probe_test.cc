// Endpoints as a user meets them: /metrics, /health and /probe of the running program, with a
// real PostgreSQL and Redis, and a real blackbox_exporter beside it.

#include <catch2/catch.hpp>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace vigia::test {
namespace {

using Json = nlohmann::json;

std::string Encoded(const std::string& text) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (const char c : text) {
    out << '%' << std::setw(2) << static_cast<int>(static_cast<unsigned char>(c));
  }
  return out.str();
}

std::string ProbePath(const std::string& target, const std::string& module = "http_2xx") {
  return "/probe?module=" + module + "&target=" + Encoded(target);
}

// "name type labels" of every series of a page.
std::set<std::string> Shapes(const std::string& page) {
  std::set<std::string> shapes;
  std::istringstream lines(page);
  std::string type;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) type = line.substr(7);
    if (line.empty() || line[0] == '#') continue;
    shapes.insert(type + " " + line.substr(0, line.find_last_of(' ')));
  }
  return shapes;
}

Json Health(const Vigia& vigia, int& status) {
  const auto answer = vigia.Get("/health");
  status = answer.status;
  return Json::parse(answer.body);
}

// Asks until the overall status is `wanted`.
Json AwaitHealth(const Vigia& vigia, const std::string& wanted, int& status) {
  Json health;
  for (int i = 0; i < 300; ++i) {
    health = Health(vigia, status);
    if (health["overall_status"] == wanted &&
        health.dump().find("not probed") == std::string::npos) {
      break;
    }
    RunProgram({"sleep", "0.1"});
  }
  return health;
}

}  // namespace

TEST_CASE("/health answers from the last probes", "[e2e]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  PostgresServer postgres;
  RedisServer redis;
  HttpStub api;
  api.Answer("/", {.body = "fine"});
  const Vigia vigia(
      {.config = "collectors:\n  probe:\n    interval: 1s\n    targets:\n"
                 "      - { name: db, timeout: 500ms, postgres: \"" +
                 postgres.dsn() + "\" }\n      - { name: cache, timeout: 500ms, redis: \"" +
                 redis.url() + "\" }\n      - { name: api, http: \"" + api.Url("/") + "\" }\n"});
  int status = 0;
  auto health = AwaitHealth(vigia, "healthy", status);
  INFO(health.dump());
  REQUIRE(status == 200);
  REQUIRE(health["database"]["status"] == "healthy");
  REQUIRE(health["cache"]["status"] == "healthy");
  REQUIRE(health["external_services"]["api"]["status"] == "healthy");
  REQUIRE(health["database"]["response_time"].get<double>() > 0);
  REQUIRE(health.contains("version"));

  redis.Freeze();
  api.Answer("/", {.status = 503});
  health = AwaitHealth(vigia, "unhealthy", status);
  for (int i = 0; i < 100 && health["cache"]["status"] == "healthy"; ++i) {
    RunProgram({"sleep", "0.1"});
    health = Health(vigia, status);
  }
  REQUIRE(status == 503);
  REQUIRE(health["database"]["status"] == "healthy");
  REQUIRE(health["cache"]["status"] == "unhealthy");
  REQUIRE(health["cache"]["message"] == "no answer in time");
  redis.Thaw();
  api.Answer("/", {.body = "fine"});
  health = AwaitHealth(vigia, "healthy", status);
  REQUIRE(status == 200);
}

TEST_CASE("/health says what is not configured, and no details beyond loopback", "[e2e]") {
  const Vigia alone({.config = "collectors: {}\n"});
  int status = 0;
  const auto health = Health(alone, status);
  REQUIRE(status == 200);
  for (const auto* part : {"database", "cache", "external_services"}) {
    REQUIRE(health[part]["status"] == "not_configured");
  }
  const Vigia open({.config = "collectors: {}\n", .flags = {"--listen", "0.0.0.0:0"}});
  const auto shown = Health(open, status);
  REQUIRE(status == 200);
  REQUIRE(shown.size() == 2);
  REQUIRE(shown["overall_status"] == "healthy");
  REQUIRE(shown.contains("timestamp"));
}

TEST_CASE("/probe probes what is allowed and nothing else", "[e2e]") {
  HttpStub allowed;
  HttpStub forbidden;
  allowed.Answer("/", {.body = "hello"});
  allowed.Answer("/away", {.status = 302, .headers = {{"Location", forbidden.Url("/")}}});
  forbidden.Answer("/", {.body = "secret"});
  const std::string port = std::to_string(allowed.port());
  const Vigia vigia(
      {.config = "collectors: {}\nprobe_endpoint: { targets: ['(http://)?127\\.0\\.0\\.1:" + port +
                 "(/.*)?'], config_file: blackbox.yml }\n",
       .files = {
           {"blackbox.yml",
            "modules:\n"
            "  http_2xx: { prober: http, timeout: 5s }\n"
            "  teapot: { prober: http, http: { valid_status_codes: [418] } }\n"
            "  tcp_connect: { prober: tcp }\n"
            "  quic: { prober: http, http: { enable_http3: true, enable_http2: false } }\n"}}});
  auto page = vigia.Get(ProbePath(allowed.Url("/"))).body;
  REQUIRE(FindValue(page, "probe_success") == "1");
  REQUIRE(FindValue(page, "probe_http_status_code") == "200");
  REQUIRE(FindValue(page, "probe_timeout_seconds") == "5");
  page = vigia.Get(ProbePath(allowed.Url("/"), "teapot")).body;
  REQUIRE(FindValue(page, "probe_success") == "0");
  page = vigia.Get(ProbePath("127.0.0.1:" + port, "tcp_connect")).body;
  REQUIRE(FindValue(page, "probe_success") == "1");
  page = vigia.Get(ProbePath("127.0.0.1:" + port)).body;
  REQUIRE(FindValue(page, "probe_success") == "1");

  REQUIRE(vigia.Get(ProbePath(forbidden.Url("/"))).status == 403);
  REQUIRE(vigia.Get(ProbePath(allowed.Url("/") + "\n")).status == 403);
  REQUIRE(vigia.Get("/probe?target=" + allowed.Url("/") + "%00x").status == 400);
  REQUIRE(vigia.Get(ProbePath("x\n" + allowed.Url("/"))).status == 403);
  page = vigia.Get(ProbePath(allowed.Url("/away"))).body;
  REQUIRE(FindValue(page, "probe_success") == "0");
  REQUIRE(forbidden.connections() == 0);
  REQUIRE(vigia.Get(ProbePath(allowed.Url("/"), "unknown")).status == 400);
  REQUIRE(vigia.Get(ProbePath(allowed.Url("/"), "quic")).body ==
          "vigia does not have HTTP/3: libcurl as Debian has it speaks no QUIC\n");
  REQUIRE(vigia.Get("/probe").status == 400);
  const Vigia closed({.config = "collectors: {}\n"});
  REQUIRE(closed.Get(ProbePath(allowed.Url("/"))).status == 403);
}

TEST_CASE("/probe asks for another host and tells what it did", "[e2e]") {
  HttpStub stub;
  stub.Answer("/", {.body = "hello"});
  const Vigia vigia(
      {.config = "collectors: {}\nprobe_endpoint: { targets: ['.*'], config_file: "
                 "blackbox.yml }\n",
       .files = {{"blackbox.yml",
                  "modules:\n"
                  "  http_2xx: { prober: http, http: { basic_auth: { username: me, "
                  "password: hunter2 } } }\n"
                  "  fixed: { prober: http, http: { headers: { host: a.example } } }\n"
                  "  tcp: { prober: tcp, tcp: { query_response: [ { send: \"GET / "
                  "HTTP/1.0\\r\\n\\r\" }, { expect: \"^HTTP\" } ] } }\n"}}});
  REQUIRE(FindValue(vigia.Get(ProbePath(stub.Url("/")) + "&hostname=shop.example").body,
                    "probe_success") == "1");
  REQUIRE(stub.requests().back().headers.at("host") == "shop.example");
  const auto refused = vigia.Get(ProbePath(stub.Url("/"), "fixed") + "&hostname=b.example");
  REQUIRE(refused.status == 400);
  REQUIRE(refused.body.find("'a.example'") != std::string::npos);
  REQUIRE(vigia.Get(ProbePath(stub.Url("/"), "fixed") + "&hostname=a.example").status == 200);

  const auto page = vigia.Get(ProbePath(stub.Url("/")) + "&debug=true").body;
  INFO(page);
  const auto log = page.find("Logs for the probe:\n");
  const auto metrics = page.find("\n\n\nMetrics that would have been returned:\n");
  const auto module = page.find("\n\n\nModule configuration:\n");
  REQUIRE(log == 0);
  REQUIRE((log < metrics && metrics < module && module != page.npos));
  REQUIRE(page.find("msg=\"the probe succeeded\"") < metrics);
  REQUIRE(page.find("\nprobe_success 1\n", metrics) < module);
  REQUIRE(page.find("  prober: http\n", module) != page.npos);
  REQUIRE(page.find("password: <secret>\n", module) != page.npos);
  REQUIRE(page.find("hunter2") == page.npos);
  REQUIRE(page.find("bWU6aHVudGVyMg") == page.npos);  // the same as it is sent

  const auto host = "127.0.0.1:" + std::to_string(stub.port());
  const auto lines = vigia.Get(ProbePath(host, "tcp") + "&debug=true").body;
  INFO(lines);
  REQUIRE(lines.find("msg=\"read a line\"") != lines.npos);
  const auto failed =
      vigia.Get(ProbePath("127.0.0.1:" + std::to_string(FreePort()), "tcp") + "&debug=true").body;
  REQUIRE(failed.find("msg=\"the probe failed\"") != failed.npos);
  REQUIRE(failed.find("reason=connect") != failed.npos);
}

TEST_CASE("/probe answers as blackbox_exporter does", "[e2e]") {
  const std::string program = "prometheus-blackbox-exporter";
  if (!HasProgram(program)) {
    WARN("SKIPPED: " << program << " is not installed");
    return;
  }
  HttpStub stub;
  stub.Answer("/",
              {.headers = {{"Last-Modified", "Tue, 15 Nov 1994 12:45:26 GMT"}}, .body = "hello"});
  stub.Answer("/down", {.status = 500, .body = "no"});
  const TempDir dir;
  const std::string modules =
      "modules:\n"
      "  http_2xx: { prober: http }\n"
      "  hello: { prober: http, http: { fail_if_body_not_matches_regexp: [goodbye] } }\n"
      "  tcp_connect: { prober: tcp }\n";
  dir.Write("blackbox.yml", modules);
  const int port = FreePort();
  const Process blackbox({program, "--config.file", dir.path() / "blackbox.yml",
                          "--web.listen-address", "127.0.0.1:" + std::to_string(port)});
  const Vigia vigia({.config = "collectors: {}\nprobe_endpoint: { targets: ['.*'], config_file: "
                               "blackbox.yml }\n",
                     .files = {{"blackbox.yml", modules}}});
  for (int i = 0; i < 100 && Get(port, "/-/healthy").status != 200; ++i) {
    RunProgram({"sleep", "0.1"});
  }
  const std::string host = "127.0.0.1:" + std::to_string(stub.port());
  for (const auto& [target, module] : std::vector<std::pair<std::string, std::string>>{
           {stub.Url("/"), "http_2xx"},
           {stub.Url("/down"), "http_2xx"},
           {stub.Url("/"), "hello"},
           {"http://127.0.0.1:" + std::to_string(FreePort()) + "/", "http_2xx"},
           {host, "tcp_connect"}}) {
    const auto theirs = Get(port, ProbePath(target, module)).body;
    const auto ours = vigia.Get(ProbePath(target, module)).body;
    INFO(target << " " << module << "\n" << theirs << "\n" << ours);
    const auto shapes = Shapes(ours);
    for (const auto& shape : Shapes(theirs)) {
      INFO(shape);
      REQUIRE(shapes.contains(shape));
    }
    for (const auto* series :
         {"probe_success", "probe_http_status_code", "probe_http_content_length",
          "probe_http_redirects", "probe_http_ssl", "probe_http_uncompressed_body_length",
          "probe_failed_due_to_regex", "probe_http_last_modified_timestamp_seconds"}) {
      INFO(series);
      const auto expected = FindValue(theirs, series);
      const auto found = FindValue(ours, series);
      REQUIRE(found.empty() == expected.empty());
      if (!expected.empty()) REQUIRE(std::stod(found) == Approx(std::stod(expected)));
    }
    const auto address = FindValue(theirs, "probe_ip_addr_hash");
    if (FindValue(ours, "probe_ip_protocol") == "4") {
      REQUIRE(std::stod(FindValue(ours, "probe_ip_addr_hash")) == Approx(std::stod(address)));
    }
  }
}

}  // namespace vigia::test
