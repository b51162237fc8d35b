// Faults that must not show: hung sources, idle connections.

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;

namespace {

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * double(values.size())))];
}

// Milliseconds that each of `count` scrapes took.
std::vector<double> TimeScrapes(const Vigia& vigia, int count, std::chrono::milliseconds pause) {
  std::vector<double> took;
  for (int i = 0; i < count; ++i) {
    const auto answer = vigia.Get("/metrics");
    REQUIRE(answer.status == 200);
    took.push_back(answer.took.count() * 1000);
    std::this_thread::sleep_for(pause);
  }
  return took;
}

}  // namespace

TEST_CASE("a source that hangs in open costs a scrape nothing", "[e2e][timed]") {
  // A fifo that nobody writes to: open(2) blocks for ever, as a read of a dead mount does.
  TempDir proc;
  REQUIRE(::mkfifo((proc.path() / "loadavg").c_str(), 0600) == 0);
  const Vigia vigia({.config = "collectors:\n"
                               "  host:\n"
                               "    - { name: fine, interval: 200ms }\n"
                               "    - { name: hung, interval: 200ms, timeout: 200ms, procfs: " +
                               proc.path().string() + " }\n"});
  REQUIRE(vigia.AwaitValue("vigia_collector_up{collector=\"host.load\",instance=\"hung\"}", "0"));
  const auto took = TimeScrapes(vigia, 60, 50ms);
  WARN("hung source: scrape p50 " << Quantile(took, 0.5) << " ms, p99 " << Quantile(took, 0.99)
                                  << " ms");
  REQUIRE(Quantile(took, 0.99) < 150);
  REQUIRE(vigia.Value("vigia_collector_up{collector=\"host.load\",instance=\"fine\"}") == "1");
  REQUIRE_FALSE(vigia.Value("node_load1{target=\"fine\"}").empty());
  REQUIRE(vigia.Value("node_load1{target=\"hung\"}").empty());
}

TEST_CASE("400 idle connections do not keep a scraper from its answer", "[e2e][timed]") {
  const Vigia vigia;
  std::vector<std::unique_ptr<RawConnection>> idle;
  for (int i = 0; i < 400; ++i) idle.push_back(std::make_unique<RawConnection>(vigia.port()));
  const auto took = TimeScrapes(vigia, 500, 2ms);
  WARN("400 idle connections: scrape p50 " << Quantile(took, 0.5) << " ms, p99 "
                                           << Quantile(took, 0.99) << " ms");
  REQUIRE(Quantile(took, 0.99) < 50);
}
