// Queries damaged at random: whatever comes in, the engine answers or says why not.

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "query/promql/engine.h"
#include "query/promql/syntax/printer.h"
#include "query/promql/memory_source.h"

namespace vigia::promql::test {
namespace {

const std::vector<std::string> kSeeds{
    "sum by (job, \"a.b\") (rate(x_total{job=~\"a|b.*\",i!=\"1\"}[5m] offset -1m @ 60))",
    "topk(2, x) / on (i) group_left (job) (x unless bool 1 > 2)",
    "histogram_quantile(0.9, sum without (i) (increase(x[3m1s])))",
    "label_replace(x, \"dst\", \"${1}-$2\", \"i\", \"(.)(.*)\") or label_join(x, \"a\", \"-\", "
    "\"i\")",
    "max_over_time((-x ^ 2)[10m:1m] @ end()) > bool scalar(x{i=\"1\"}) % 3",
    "count_values(\"v\", round(x, 0.5)) and ignoring (v) vector(time())",
    "quantile_over_time(0.5, x[2m]) + predict_linear(x[4m], 60) - deriv(x[4m])",
    "absent_over_time(x{i='\\x41\\u0042'}[1h]) or `raw` == bool 0x1F",
    "limit_ratio(0.5, x) + fill (0) limitk(1, x) # end",
    "info(x, {job=~\".+\"}) atan2 clamp(x, -1, 1)",
    "avg(stddev_over_time(x[5m:30s])) by (i) != NaN or day_of_week(x * 1e9)",
    "{\"x\", i=~\".+\"} + min_of(1, step()) * 5m",
};

std::string Damaged(std::string query, std::mt19937& random) {
  static const std::string kInserts =
      "()[]{},:\"'`@#+-*/^=!~<>.$\\ \n0123456789eExsmoffset\xff\x80";
  for (std::size_t edits = 1 + random() % 2; edits > 0; --edits) {
    const std::size_t at = query.empty() ? 0 : random() % query.size();
    switch (random() % 4) {
      case 0:
        query.insert(at, 1, kInserts[random() % kInserts.size()]);
        break;
      case 1:
        query.erase(at, 1 + random() % 3);
        break;
      case 2:
        query.insert(at, query.substr(at, random() % 12));
        break;
      default: {
        const auto& other = kSeeds[random() % kSeeds.size()];
        query.insert(at, other.substr(random() % other.size(), random() % 20));
      }
    }
  }
  return query;
}

}  // namespace

TEST_CASE("damaged queries are answered or refused", "[promql]") {
  MemorySource source;
  for (int i = 0; i < 4; ++i) {
    const std::string number = std::to_string(i);
    for (int minute = 0; minute < 12; ++minute) {
      const double value = i == 3 ? kNaN : (i + 1) * minute % 7;
      source.Add({{"__name__", "x"}, {"i", number}, {"job", "a"}}, minute * 60'000, value);
    }
  }
  EngineOptions options;
  options.max_samples = 20'000;
  std::mt19937 random(7);
  int answered = 0;
  for (int round = 0; round < 4'000; ++round) {
    options.semantics = round % 3 == 0 ? Semantics::kPrometheus2 : Semantics::kPrometheus3;
    const Engine engine(options);
    const std::string query = round < static_cast<int>(kSeeds.size())
                                  ? kSeeds[static_cast<std::size_t>(round)]
                                  : Damaged(kSeeds[random() % kSeeds.size()], random);
    INFO(query);
    const auto parsed = engine.Parse(query);
    if (!parsed) {
      CHECK(parsed.error().message.find("parse error: ") != std::string::npos);
      continue;
    }
    const std::string printed = ToString((*parsed)->root());
    if (options.semantics == Semantics::kPrometheus3) {
      const auto again = engine.Parse(printed);
      REQUIRE(again);
      CHECK(ToString((*again)->root()) == printed);
    }
    if (engine.Instant(source, **parsed, 600'000)) ++answered;
    const auto range = engine.Range(source, **parsed, 0, 720'000, Milliseconds(45'000));
    if (!range) CHECK(!range.error().message.empty());
  }
  CHECK(answered > 100);
}

}  // namespace vigia::promql::test
