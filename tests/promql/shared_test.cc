// Queries at one instant that share what they have in common: the same answers, fewer look-ups.

#include "query/promql/shared.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

namespace vigia::promql::test {
namespace {

constexpr Timestamp kMinute = 60'000;

// Counts what is asked of it.
class CountingSource final : public SeriesSource {
 public:
  CountingSource() {
    for (int i = 0; i < 4; ++i) {
      const std::string number = std::to_string(i);
      for (int minute = 0; minute <= 20; ++minute) {
        const double value = (i + 1) * minute;
        data.Add({{"__name__", "x"}, {"i", number}, {"j", number}}, minute * kMinute, value);
        data.Add({{"__name__", "y"}, {"i", number}}, minute * kMinute, 100 - value);
      }
    }
  }

  Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(std::span<const Matcher> matchers,
                                                                  TimeRange range) const override {
    ++selects;
    return data.Select(matchers, range);
  }
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers,
                                              TimeRange range) const override {
    return data.LabelNames(matchers, range);
  }
  Result<std::vector<std::string>> LabelValues(std::string_view label,
                                               std::span<const Matcher> matchers,
                                               TimeRange range) const override {
    return data.LabelValues(label, matchers, range);
  }

  MemorySource data;
  mutable int selects = 0;
};

std::string Shown(const Answer<Value>& answer) {
  std::string out = std::to_string(answer.stats.samples_read) + " read:";
  for (const auto& sample : std::get<InstantVector>(answer.value)) {
    out += " " + sample.labels.ToString() + "=" + std::to_string(sample.value);
  }
  return out;
}

class Queries {
 public:
  explicit Queries(std::vector<std::string> texts, EngineOptions options = {}) : engine_(options) {
    for (const auto& text : texts) parsed_.push_back(engine_.Parse(text).value());
    for (const auto& query : parsed_) pointers_.push_back(query.get());
  }

  Shared Share(const std::set<std::string, std::less<>>& written = {}) const {
    return Shared(pointers_, written);
  }

  // The answers, and how often series were looked up for them.
  std::vector<std::string> Ask(Timestamp time, Shared* shared, int& selects) {
    source_.selects = 0;
    std::vector<std::string> out;
    for (const auto& query : parsed_) {
      out.push_back(
          Shown(engine_.Instant(source_, *query, time, QueryOptions{.shared = shared}).value()));
    }
    selects = source_.selects;
    return out;
  }

  // A query of several that alone is evaluated.
  void AskFirst(Timestamp time, Shared& shared) {
    REQUIRE(engine_.Instant(source_, *parsed_.front(), time, QueryOptions{.shared = &shared}));
  }

 private:
  const Engine engine_;
  CountingSource source_;
  std::vector<ParsedQueryPtr> parsed_;
  std::vector<const ParsedQuery*> pointers_;
};

}  // namespace

TEST_CASE("what queries have in common is evaluated once, with the same answers", "[promql]") {
  Queries queries({"x / on (i) y * 100 < 15 and on (i) y > 0", "x / on (i) y * 100 < 5",
                   "sum by (i) (rate(x[5m])) > 0", "topk(1, sum by (i) (rate(x[5m])))",
                   "rate(x[5m]) + x", "max_over_time(x[10m:1m]) - x", "-y", "y @ 300",
                   "y offset 5m", "count(y) or vector(1)"});
  auto shared = queries.Share();
  REQUIRE_FALSE(shared.empty());
  for (const Timestamp time : {10 * kMinute, 20 * kMinute}) {
    int alone = 0;
    int together = 0;
    const auto expected = queries.Ask(time, nullptr, alone);
    CHECK(queries.Ask(time, &shared, together) == expected);
    // Once each: x, y, rate(x[5m]), x in the subquery, y @ 300, y offset 5m.
    CHECK(together == 6);
    CHECK(alone == 15);
    shared.Forget();
  }
}

TEST_CASE("an instant's results do not outlive it", "[promql]") {
  Queries queries({"sum(x)", "sum(x) > 1"});
  auto shared = queries.Share();
  int selects = 0;
  const auto first = queries.Ask(5 * kMinute, &shared, selects);
  const auto second = queries.Ask(6 * kMinute, &shared, selects);
  CHECK(first[1] == "4 read: {}=50.000000");
  CHECK(second[1] == "4 read: {}=60.000000");
}

TEST_CASE("what nobody asked for is forgotten", "[promql]") {
  Queries queries({"sum(x)", "sum(x)"});
  auto shared = queries.Share();
  int selects = 0;
  queries.AskFirst(5 * kMinute, shared);
  shared.Forget();
  const auto later = queries.Ask(6 * kMinute, &shared, selects);
  CHECK(later[0] == "4 read: {}=60.000000");
  CHECK(selects == 1);
}

TEST_CASE("what is written meanwhile is not shared", "[promql]") {
  Queries queries({"sum(x) > 0", "sum(x) > 1", "y", "y > 1", R"({i="1"})", R"({i="1"} > 0)"});
  auto all = queries.Share();
  auto some = queries.Share({"y"});
  auto none = queries.Share({"x", "y"});
  CHECK_FALSE(all.empty());
  CHECK_FALSE(some.empty());
  CHECK(none.empty());
  int selects = 0;
  queries.Ask(kMinute, &all, selects);
  CHECK(selects == 4);  // x, y, and {i="1"} twice, which may select anything
  queries.Ask(kMinute, &some, selects);
  CHECK(selects == 5);
}

TEST_CASE("what is not evaluated by itself, or reads what no selector names, is not shared",
          "[promql]") {
  CHECK(Queries({"rate(x[5m])", "sum(x)"}).Share().empty());
  CHECK(Queries({"timestamp(x)", "sum(rate(x[5m]))"}).Share().empty());
  // info() reads target_info, which a rule between the two may write: only x itself is the same.
  Queries queries({"info(x)", "info(x) > 0"});
  CHECK_FALSE(queries.Share().empty());
  CHECK(queries.Share({"x"}).empty());
}

TEST_CASE("Prometheus 2's semantics share nothing", "[promql]") {
  EngineOptions options;
  options.semantics = Semantics::kPrometheus2;
  Queries queries({"sum(x)", "sum(x)"}, options);
  auto shared = queries.Share();
  int selects = 0;
  queries.Ask(kMinute, &shared, selects);
  CHECK(selects == 2);
}

}  // namespace vigia::promql::test
