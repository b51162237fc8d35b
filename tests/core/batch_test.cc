#include "core/batch.h"

#include <catch2/catch.hpp>

#include "tests/support/collect.h"

using namespace vigia;
using vigia::test::ReadingText;

namespace {
constexpr Metric kBytes{"disk_bytes", "Bytes on a disk."};
constexpr Metric kUp{"up", "Whether it is up."};
constexpr Metric kLatency{"latency_seconds", "Latency.", MetricType::kHistogram, "seconds"};
}  // namespace

TEST_CASE("a batch keeps one Family while the same series come in the same order", "[core]") {
  Batch batch;
  const auto run = [&](double a, double b) {
    batch.Add(kBytes, {{"device", "sda"}}, a);
    batch.Add(kUp, 1);
    batch.Add(kBytes, {{"device", "sdb"}}, b);
    return batch.Finish(1000);
  };
  const auto first = run(1, 2);
  const auto second = run(3, 4);

  REQUIRE(ReadingText(*second) ==
          "disk_bytes{device=\"sda\"} 3\ndisk_bytes{device=\"sdb\"} 4\nup 1\n");
  REQUIRE(first->families[0].family == second->families[0].family);
  REQUIRE(ReadingText(*first) ==
          "disk_bytes{device=\"sda\"} 1\ndisk_bytes{device=\"sdb\"} 2\nup 1\n");
}

TEST_CASE("a batch follows series that come, go and change places", "[core]") {
  Batch batch;
  const auto run = [&](std::vector<std::string> devices) {
    double value = 0;
    for (const auto& device : devices) batch.Add(kBytes, {{"device", device}}, ++value);
    return ReadingText(*batch.Finish(0));
  };
  const auto line = [](const std::string& device, int value) {
    return "disk_bytes{device=\"" + device + "\"} " + std::to_string(value) + "\n";
  };
  REQUIRE(run({"a", "b", "c"}) == line("a", 1) + line("b", 2) + line("c", 3));
  REQUIRE(run({"a", "c"}) == line("a", 1) + line("c", 2));
  REQUIRE(run({"c", "a", "d"}) == line("c", 1) + line("a", 2) + line("d", 3));
  REQUIRE(run({}) == "");
  REQUIRE(run({"d"}) == line("d", 1));
}

TEST_CASE("a discarded run leaves nothing behind", "[core]") {
  Batch batch;
  batch.Add(kBytes, {{"device", "a"}}, 1);
  batch.Finish(0);
  batch.Add(kBytes, {{"device", "b"}}, 2);
  batch.Add(kBytes, {{"device", "a"}}, 2);
  batch.Discard();
  batch.Add(kBytes, {{"device", "a"}}, 3);
  REQUIRE(ReadingText(*batch.Finish(0)) == "disk_bytes{device=\"a\"} 3\n");
}

TEST_CASE("a part of a run that failed is taken back, whatever the order of its series", "[core]") {
  Batch batch;
  const auto add = [&](const std::string& name, double value) {
    batch.Add(kBytes, {{"device", name}}, value);
  };
  const auto run = [&](const std::vector<std::string>& part) {
    add("a", 1);
    const auto mark = batch.Here();
    for (const auto& name : part) add(name, 2);
    batch.Add(kUp, 1);
    batch.Rewind(mark);
    add("b", 3);
    return ReadingText(*batch.Finish(0));
  };
  const std::string page = "disk_bytes{device=\"a\"} 1\ndisk_bytes{device=\"b\"} 3\n";
  REQUIRE(run({}) == page);
  REQUIRE(run({"b", "c"}) == page);       // known, then new
  REQUIRE(run({"d", "b", "a"}) == page);  // new, known, twice
  REQUIRE(batch.duplicates() == 0);
  add("c", 4);
  add("d", 5);
  REQUIRE(ReadingText(*batch.Finish(0)) ==
          "disk_bytes{device=\"c\"} 4\ndisk_bytes{device=\"d\"} 5\n");
}

TEST_CASE("a reading says what it withholds", "[core]") {
  Batch batch;
  batch.Withhold(kUp);
  batch.Withhold(kBytes, {"device", "a"});
  batch.Discard();
  REQUIRE(batch.Finish(0)->withheld.empty());
  batch.Withhold(kUp);
  batch.Withhold(kBytes, {"device", "a"});
  const auto withheld = batch.Finish(0)->withheld;
  REQUIRE(withheld.size() == 2);
  REQUIRE(withheld[0].Covers(Labels{{"__name__", "up"}, {"device", "x"}}));
  REQUIRE_FALSE(withheld[0].Covers(Labels{{"__name__", "disk_bytes"}}));
  REQUIRE(withheld[1].Covers(Labels{{"__name__", "disk_bytes"}, {"device", "a"}, {"x", "y"}}));
  REQUIRE_FALSE(withheld[1].Covers(Labels{{"__name__", "disk_bytes"}, {"device", "b"}}));
  REQUIRE(batch.Finish(0)->withheld.empty());
}

TEST_CASE("what is withheld covers histograms, and all that a pattern stands for", "[core]") {
  const auto covers = [](const char* family, const char* series) {
    return Withheld{.family = family}.Covers(Labels{{"__name__", series}});
  };
  REQUIRE(covers("idle_seconds", "idle_seconds"));
  REQUIRE(covers("idle_seconds", "idle_seconds_bucket"));
  REQUIRE(covers("idle_seconds", "idle_seconds_sum"));
  REQUIRE(covers("idle_seconds", "idle_seconds_count"));
  REQUIRE_FALSE(covers("idle_seconds", "idle_seconds_max"));
  REQUIRE_FALSE(covers("idle_seconds", "idle"));
  REQUIRE(covers("pg_settings_<name>", "pg_settings_work_mem_bytes"));
  REQUIRE_FALSE(covers("pg_settings_<name>", "pg_up"));
}

TEST_CASE("over budget the newest series are dropped and counted", "[core]") {
  Batch batch({.constant_labels = {}, .budget = 2});
  batch.Add(kBytes, {{"device", "b"}}, 1);
  batch.Add(kBytes, {{"device", "c"}}, 2);
  batch.Finish(0);

  batch.Add(kBytes, {{"device", "a"}}, 1);
  batch.Add(kBytes, {{"device", "b"}}, 2);
  batch.Add(kBytes, {{"device", "c"}}, 3);
  batch.Add(kBytes, {{"device", "d"}}, 4);
  REQUIRE(ReadingText(*batch.Finish(0)) ==
          "disk_bytes{device=\"b\"} 2\ndisk_bytes{device=\"c\"} 3\n");
  REQUIRE(batch.dropped() == 2);
}

TEST_CASE("a series added twice keeps its first value and is named", "[core]") {
  Batch batch;
  batch.Add(kBytes, {{"device", "a"}}, 1);
  batch.Add(kBytes, {{"device", "a"}}, 2);
  REQUIRE(ReadingText(*batch.Finish(0)) == "disk_bytes{device=\"a\"} 1\n");
  REQUIRE(batch.duplicates() == 1);
  REQUIRE(batch.first_duplicate() == "disk_bytes{device=\"a\"}");
}

TEST_CASE("a histogram becomes buckets, sum and count", "[core]") {
  Batch batch({.constant_labels = {{"target", "x"}}, .budget = 100});
  batch.AddHistogram(kLatency, {{"path", "/"}}, {{{0.1, 3}, {1, 5}}, 2.5, 6});
  REQUIRE(ReadingText(*batch.Finish(0)) ==
          "latency_seconds_bucket{le=\"0.1\",path=\"/\",target=\"x\"} 3\n"
          "latency_seconds_bucket{le=\"1\",path=\"/\",target=\"x\"} 5\n"
          "latency_seconds_bucket{le=\"+Inf\",path=\"/\",target=\"x\"} 6\n"
          "latency_seconds_sum{path=\"/\",target=\"x\"} 2.5\n"
          "latency_seconds_count{path=\"/\",target=\"x\"} 6\n");
}

TEST_CASE("label values are escaped, repaired and left out when empty", "[core]") {
  Batch batch;
  batch.Add(kUp, {{"a", "q\"b\\n\n"}, {"b", ""}, {"c", "\xff!"}}, 1);
  REQUIRE(ReadingText(*batch.Finish(0)) == "up{a=\"q\\\"b\\\\n\\n\",c=\"\xEF\xBF\xBD!\"} 1\n");
}

TEST_CASE("what a failed run still knows is published alone", "[core]") {
  Batch batch;
  batch.Add(kBytes, {{"device", "a"}}, 1);
  batch.OnFailure().Add(kUp, 0);
  REQUIRE(ReadingText(*batch.FinishFailure(0)) == "up 0\n");
  REQUIRE(batch.FinishFailure(0) == nullptr);

  batch.OnFailure().Add(kUp, 0);
  batch.Add(kUp, 1);
  REQUIRE(ReadingText(*batch.Finish(0)) == "up 1\n");
  REQUIRE(batch.FinishFailure(0) == nullptr);
}
