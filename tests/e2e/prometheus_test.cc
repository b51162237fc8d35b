// vigia in front of the real thing: promtool reads its page, Prometheus scrapes it.

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "core/number.h"
#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;

namespace {

bool Missing(const std::string& program) {
  if (HasProgram(program)) return false;
  WARN("SKIPPED: " + program + " is not installed (scripts/install-packages test)");
  return true;
}

// Metric names that `promtool check metrics` complains of.
std::set<std::string> Complaints(const std::string& output) {
  std::set<std::string> names;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find(' ');
    if (end != std::string::npos && line.find("error while linting") == std::string::npos) {
      names.insert(line.substr(0, end));
    }
  }
  return names;
}

// The frozen list: lines of names, a trailing * for all that begin so, # for comments.
bool IsInherited(const std::string& name) {
  std::ifstream list(std::string(VIGIA_SOURCE_DIR) + "/tests/e2e/inherited_names.txt");
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line[0] == '#') continue;
    const bool prefix = line.back() == '*';
    if (prefix) line.pop_back();
    if (prefix ? name.starts_with(line) : name == line) return true;
  }
  return false;
}

// A number out of a Prometheus API answer: the value of the only result, as text.
std::string OnlyValue(const std::string& json) {
  const std::string mark = "\"value\":[";
  const std::size_t at = json.find(mark);
  if (at == std::string::npos) return {};
  const std::size_t begin = json.find('"', at + mark.size()) + 1;
  return json.substr(begin, json.find('"', begin) - begin);
}

double IdleSeconds() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double user, nice, system, idle;
  stat >> cpu >> user >> nice >> system >> idle;
  return idle / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("promtool finds nothing but inherited names", "[e2e]") {
  if (Missing("promtool")) return;
  const Vigia vigia;
  const TempDir dir;
  dir.Write("page.txt", vigia.Metrics());
  const auto run =
      RunProgram({"sh", "-c", "promtool check metrics < " + (dir.path() / "page.txt").string()});
  std::string unexpected;
  for (const auto& name : Complaints(run.output)) {
    if (!IsInherited(name)) unexpected += name + "\n";
  }
  INFO(run.output);
  REQUIRE(unexpected == "");
}

TEST_CASE("Prometheus scrapes vigia in step and rates are right", "[e2e][timed]") {
  if (Missing("prometheus")) return;
  Vigia vigia({.config = "collectors:\n  host: { interval: 1s }\n"});
  const TempDir dir;
  dir.Write("prometheus.yml",
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
            "scrape_configs:\n"
            "  - job_name: vigia\n"
            "    static_configs: [ { targets: ['127.0.0.1:" +
                std::to_string(vigia.port()) + "'] } ]\n");
  const int port = FreePort();
  Process prometheus({"prometheus", "--config.file=" + (dir.path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (dir.path() / "data").string(),
                      "--web.listen-address=127.0.0.1:" + std::to_string(port)});
  const auto query = [&](const std::string& expression) {
    return OnlyValue(Get(port, "/api/v1/query?query=" + expression).body);
  };
  // Ten scrapes have been stored.
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (std::atoi(query("count_over_time(up[1m])").c_str()) < 3) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(100ms);
  }
  const double idle_before = IdleSeconds();
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(8s);  // Prometheus has to scrape for some real time
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double idle_rate = (IdleSeconds() - idle_before) / seconds;

  REQUIRE(query("min_over_time(up[8s])") == "1");
  const auto rate =
      vigia::ParseDouble(query("sum(rate(node_cpu_seconds_total{mode=%22idle%22}[8s]))"));
  REQUIRE(rate.has_value());
  REQUIRE(*rate == Approx(idle_rate).margin(0.35));

  // The phase lock: as many runs as scrapes (give or take the ends), none between them.
  const auto runs = vigia::ParseDouble(
      query("increase(vigia_collector_runs_total{collector=%22host.cpu%22}[8s])"));
  REQUIRE(runs.has_value());
  REQUIRE(*runs == Approx(8).margin(2.5));
  // What is served was read for that very scrape.
  const auto age = vigia::ParseDouble(query(
      "max_over_time((timestamp(vigia_collector_last_success_timestamp_seconds{collector="
      "%22host.cpu%22})-vigia_collector_last_success_timestamp_seconds{collector=%22host.cpu%22})"
      "[8s:1s])"));
  REQUIRE(age.has_value());
  REQUIRE(*age < 0.5);
}
