#include "exporter/config/config.h"

#include <catch2/catch.hpp>
#include <charconv>
#include <random>

#include "core/config/yaml.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::exporter;
using vigia::test::TempDir;

namespace {

constexpr std::string_view kWhole = R"(# Every key that the daemon itself reads.
listen: [127.0.0.1:9845, "0.0.0.0:9846"]
web_config: web.yml
data_dir: /var/lib/vigia
external_labels: { site: madrid, owner: "equipo ñ" }
log:
  level: warn
  format: json
  file: logs/vigia.log
  max_size: 10MiB
  keep: 3
http:
  workers: 64
  request_timeout: 3s
  keep_alive_timeout: 10s
  rate_limit: { rate: 20.5, burst: 40 }
scrape_wait: 250ms
target_label: always
collectors:
  host:
    interval: 5s
    labels: { rack: 'a''1' }
  redis:
    - { name: cache, url: "redis://127.0.0.1:6379/0", interval: 10s, timeout: 2s }
    - name: queue
      url: redis://${REDIS_USER:-app}:${REDIS_PASSWORD}@127.0.0.1:6380
      max_series: 500
)";

std::optional<std::string> Lookup(const std::string& name) {
  if (name == "REDIS_PASSWORD") return "hunter2";
  return std::nullopt;
}

Config Parse(std::string_view text, config::Diagnostics& diagnostics) {
  return ParseConfig(text, "/etc/vigia", Lookup, diagnostics);
}

std::string Faults(std::string_view text) {
  config::Diagnostics diagnostics("vigia.yml");
  Parse(text, diagnostics);
  return diagnostics.ToString();
}

Config Good(std::string_view text) {
  config::Diagnostics diagnostics("vigia.yml");
  auto config = Parse(text, diagnostics);
  REQUIRE(diagnostics.ToString() == "");
  return config;
}

const collectors::Instance& InstanceOf(const Config& config, std::string_view collector,
                                       std::string_view name) {
  for (const auto& instance : config.collectors) {
    if (instance.id.collector == collector && instance.id.name == name) return instance;
  }
  FAIL("no instance " << collector << " " << name);
  return config.collectors.front();
}

}  // namespace

TEST_CASE("every key of the daemon is read", "[config]") {
  const auto config = Good(kWhole);
  REQUIRE(config.listen == std::vector<std::string>{"127.0.0.1:9845", "0.0.0.0:9846"});
  REQUIRE(config.web_config == "/etc/vigia/web.yml");
  REQUIRE(config.data_dir == "/var/lib/vigia");
  REQUIRE(config.external_labels ==
          std::map<std::string, std::string>{{"owner", "equipo ñ"}, {"site", "madrid"}});
  REQUIRE(config.log.level == log::Level::kWarn);
  REQUIRE(config.log.format == log::Format::kJson);
  REQUIRE(config.log.file == "/etc/vigia/logs/vigia.log");
  REQUIRE(config.log.max_size == 10 * 1024 * 1024);
  REQUIRE(config.log.keep == 3);
  REQUIRE(config.http.workers == 64);
  REQUIRE(config.http.request_timeout == Milliseconds(3000));
  REQUIRE(config.http.keep_alive_timeout == Milliseconds(10'000));
  REQUIRE(config.http.rate == 20.5);
  REQUIRE(config.http.burst == 40);
  REQUIRE(config.scrape_wait == Milliseconds(250));

  const auto& cache = InstanceOf(config, "redis", "cache");
  REQUIRE(cache.interval == Milliseconds(10'000));
  REQUIRE(cache.timeout == Milliseconds(2000));
  REQUIRE(cache.max_series == 10'000);
  REQUIRE(cache.constant_labels.ToString() == "{target=\"cache\"}");
  REQUIRE(InstanceOf(config, "redis", "queue").max_series == 500);
  REQUIRE(InstanceOf(config, "host.load", "host").constant_labels.ToString() ==
          "{rack=\"a'1\", target=\"host\"}");
}

TEST_CASE("without a configuration this host is watched on the loopback", "[config]") {
  for (const auto& config : {DefaultConfig(), Good(""), Good("log: {}\n")}) {
    REQUIRE(config.listen == std::vector<std::string>{"127.0.0.1:9845"});
    REQUIRE(config.web_config.empty());
    REQUIRE(config.data_dir == "data");
    REQUIRE(config.log.level == log::Level::kInfo);
    REQUIRE(config.log.format == log::Format::kLogfmt);
    REQUIRE(config.scrape_wait == Milliseconds(100));
    REQUIRE(InstanceOf(config, "host.load", "host").interval == Milliseconds(5000));
    for (const auto& instance : config.collectors) {
      REQUIRE(instance.id.collector.starts_with("host."));
    }
  }
  REQUIRE(Good("collectors: {}\n").collectors.empty());
}

TEST_CASE("series carry their target once a kind has several or always or never", "[config]") {
  const auto label = [](std::string_view policy, std::string_view entries) {
    const auto config = Good("target_label: " + std::string(policy) +
                             "\ncollectors:\n  redis: " + std::string(entries) + "\n");
    return InstanceOf(config, "redis", "main").constant_labels.ToString();
  };
  REQUIRE(label("auto", "{}") == "{}");
  REQUIRE(label("auto", "[{name: main}]") == "{}");
  REQUIRE(label("auto", "[{name: main}, {name: b}]") == "{target=\"main\"}");
  REQUIRE(label("always", "{}") == "{target=\"main\"}");
  REQUIRE(label("never", "[{name: main}, {name: b}]") == "{}");
  REQUIRE(
      InstanceOf(Good("target_label: always\n"), "host.load", "host").constant_labels.ToString() ==
      "{target=\"host\"}");
}

TEST_CASE("all faults of a configuration are found in one pass and listed in file order",
          "[config]") {
  REQUIRE(Faults("lisen: 127.0.0.1:9845\n"
                 "collectors:\n"
                 "  redis:\n"
                 "    - { name: a, intervall: 5s }\n"
                 "    - { name: a, interval: 5 }\n"
                 "  hots: {}\n"
                 "log:\n"
                 "  level: verbose\n"
                 "  level: info\n"
                 "data_dir: ${NONE}\n"
                 "scrape_wait: 0s\n") ==
          "vigia.yml:1:1: unknown key 'lisen' in vigia.yml, did you mean 'listen'?\n"
          "vigia.yml:4:18: unknown key 'intervall' in collectors.redis, did you mean 'interval'?\n"
          "vigia.yml:5:9: name: 'a' is the name of another redis entry; give each its own name\n"
          "vigia.yml:5:28: interval: '5' is not a duration: write a number and a unit of ms, s, m, "
          "h, d, w or y, such as 30s or 1h30m\n"
          "vigia.yml:6:3: unknown key 'hots' in collectors, did you mean 'host'?\n"
          "vigia.yml:8:10: level: 'verbose' is not one of debug, info, warn, error, off\n"
          "vigia.yml:9:3: the key 'level' stands here twice; the first is at line 8\n"
          "vigia.yml:10:11: the environment variable NONE is not set, or empty; set it, or write "
          "${NONE:-default}\n"
          "vigia.yml:11:14: scrape_wait: 0 is too short: write a duration such as 30s\n");
}

TEST_CASE("a fault of syntax is alone", "[config]") {
  REQUIRE(Faults("listen: \"127.0.0.1:9845\nlog: { level: x }\n") ==
          "vigia.yml:1:9: the quote (\") that opens here is never closed; close it where the value "
          "ends\n");
  REQUIRE(Faults("- a\n") ==
          "vigia.yml:1:1: vigia.yml has to be a map of keys and values, not a list\n");
}

TEST_CASE("addresses that cannot be listened on are faults where they stand", "[config]") {
  REQUIRE(Faults("listen: []\n") ==
          "vigia.yml:1:1: listen: names no address; write one such as 127.0.0.1:9845\n");
  REQUIRE(Faults("listen:\n  - 127.0.0.1:9845\n  - 127.0.0.1:98450\n  - \"[::1]:9845\"\n") ==
          "vigia.yml:3:5: listen: 127.0.0.1:98450: the port has to be a number up to 65535\n"
          "vigia.yml:4:5: listen: [::1]:9845: vigia cannot listen on IPv6 addresses; write an IPv4 "
          "ADDRESS:PORT\n");
}

TEST_CASE("limits of the daemon are checked", "[config]") {
  REQUIRE(Faults("scrape_wait: 1m\n") ==
          "vigia.yml:1:1: scrape_wait: has to be at most 10s: every scrape may have to wait so "
          "long\n");
  REQUIRE(Faults("log: { max_size: 1KiB, keep: 1001 }\n") ==
          "vigia.yml:1:8: max_size: has to be at least 64KiB\n"
          "vigia.yml:1:30: keep: 1001 is not between 0 and 1000\n");
  REQUIRE(Faults("http: { workers: 2, rate_limit: { rate: -1, burst: 0 } }\n") ==
          "vigia.yml:1:18: workers: 2 is not between 4 and 4096\n"
          "vigia.yml:1:35: rate: has to be 0 (no limit) or more\n"
          "vigia.yml:1:45: burst: has to be 1 or more\n");
  REQUIRE(Faults("external_labels: { __name__: x, a-b: y }\n") ==
          "vigia.yml:1:1: external_labels: '__name__' is not a label name\n"
          "vigia.yml:1:1: external_labels: 'a-b' is not a label name\n");
  REQUIRE(Faults("collectors: { host: { interval: 10ms } }\n") ==
          "vigia.yml:1:23: interval: has to be at least 100ms\n");
  REQUIRE(Faults("collectors: { host: { interval: 5s, timeout: 6s } }\n") ==
          "vigia.yml:1:37: timeout: is longer than the interval of 5s\n");
}

TEST_CASE("secrets do not stand in vigia.yml", "[config]") {
  REQUIRE(Faults("collectors:\n  redis:\n    url: redis://:hunter2@127.0.0.1:6379\n") ==
          "vigia.yml:3:10: url holds a secret, which does not stand in this file; write ${NAME} in "
          "its place to take it from the environment, or name a file that holds it\n");
  REQUIRE(Faults("collectors:\n  redis:\n    password: hunter2\n") ==
          "vigia.yml:3:5: password: a secret does not stand in this file; write password_file with "
          "the path of a file that holds it, or ${NAME} to take it from the environment\n");
  REQUIRE(Faults("collectors:\n  redis:\n    password: ${REDIS_PASSWORD}\n") == "");
}

TEST_CASE("relative paths are taken from the folder of the file", "[config]") {
  TempDir dir;
  dir.Write("vigia.yml", "data_dir: state\nweb_config: /etc/web.yml\n");
  const auto path = dir.path() / "vigia.yml";
  config::Diagnostics diagnostics(path.string());
  const auto config = LoadConfig(path, diagnostics);
  REQUIRE(diagnostics.ok());
  REQUIRE(config.data_dir == dir.path() / "state");
  REQUIRE(config.web_config == "/etc/web.yml");
}

TEST_CASE("an instance keeps its fingerprint while its entry means the same", "[config]") {
  const auto fingerprint = [](std::string_view text) {
    return InstanceOf(Good(text), "redis", "main").fingerprint;
  };
  const auto plain = fingerprint("collectors: { redis: { interval: 5s, url: 'redis://h' } }\n");
  REQUIRE(plain ==
          fingerprint("# moved\ncollectors:\n  redis:\n    url: 'redis://h'\n    interval: 5s\n"));
  REQUIRE(plain != fingerprint("collectors: { redis: { interval: 6s, url: 'redis://h' } }\n"));
}

namespace {

// Changes, removes and adds some bytes, mostly such as mean something in YAML.
std::string Mutate(std::string text, std::mt19937& random) {
  using namespace std::string_view_literals;
  constexpr auto kBytes = "\n\n  \t\"':-[]{},#&*!|>?%@`~$\\<0a\0\x80\xC3\r"sv;
  for (auto changes = 1 + random() % 4; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = random() % text.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      case 2:
        text.insert(at, 1, byte);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 30));
    }
  }
  return text;
}

// The number that begins `text`, which is then cut off with the colon after it.
int TakeNumber(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  REQUIRE(error == std::errc());
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  REQUIRE(text.starts_with(':'));
  text.remove_prefix(1);
  return number;
}

}  // namespace

TEST_CASE("a damaged configuration is read or has a fault inside the file", "[config]") {
  std::mt19937 random(20261123);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto text = Mutate(std::string(kWhole), random);
    config::Diagnostics diagnostics("f");
    Parse(text, diagnostics);
    if (!diagnostics.ok()) ++refused;
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    for (const auto& line : diagnostics.Lines()) {
      INFO(line);
      std::string_view rest = line;
      REQUIRE(rest.starts_with("f:"));
      rest.remove_prefix(2);
      const int number = TakeNumber(rest);
      REQUIRE(number >= 1);
      REQUIRE(number <= lines);
      REQUIRE(TakeNumber(rest) >= 1);
    }
  }
  REQUIRE(refused > 1500);
}
