#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "query/history/series_index.h"
#include "tests/history/support.h"

namespace vigia::history {
namespace {

using Op = Matcher::Op;

std::vector<ValueMatcher> Compile(const std::vector<Matcher>& matchers) {
  std::vector<ValueMatcher> compiled;
  for (const auto& matcher : matchers) {
    auto one = ValueMatcher::Compile(matcher);
    REQUIRE(one);
    compiled.push_back(std::move(*one));
  }
  return compiled;
}

bool MatchesOne(Op op, const std::string& pattern, const std::string& value) {
  const auto matcher = ValueMatcher::Compile({op, "name", pattern});
  REQUIRE(matcher);
  REQUIRE(matcher->MatchesEmpty() == matcher->Matches(""));
  return matcher->Matches(value);
}

Labels RandomLabels(std::mt19937& random) {
  const char* const values[] = {"", "a", "b", "ab", "abc", "b1", "b2", "x.y", "c\nd"};
  std::vector<std::pair<std::string, std::string>> pairs{
      {"__name__", "metric_" + std::to_string(random() % 5)}};
  for (const char* name : {"one", "two", "three"}) {
    pairs.emplace_back(name, values[random() % std::size(values)]);
  }
  pairs.emplace_back("unique", random() % 4 == 0 ? std::to_string(random() % 200) : "");
  std::vector<LabelView> views;
  for (const auto& [name, value] : pairs) views.push_back({name, value});
  return Labels::FromPairs(views);
}

Matcher RandomMatcher(std::mt19937& random) {
  const char* const names[] = {"__name__", "one", "two", "three", "unique", "absent"};
  const char* const patterns[] = {"",    "a",         "b",   ".*",           ".+",
                                  "a|b", "(a|b1|zz)", "a.*", "b[12]",        "metric_3",
                                  "a||", "x\\.y",     "1.*", "metric_[0-2]", "b.?",
                                  "c.d", "abc|",      "^a$", "metric.*"};
  return {static_cast<Op>(random() % 4), names[random() % std::size(names)],
          patterns[random() % std::size(patterns)]};
}

}  // namespace

TEST_CASE("a regular expression matches whole values and a dot any character", "[history]") {
  REQUIRE(MatchesOne(Op::kRegex, "a.c", "abc"));
  REQUIRE(MatchesOne(Op::kRegex, "a.c", "a\nc"));
  REQUIRE_FALSE(MatchesOne(Op::kRegex, "(?-s:a.c)", "a\nc"));
  REQUIRE_FALSE(MatchesOne(Op::kRegex, "b", "abc"));
  REQUIRE(MatchesOne(Op::kRegex, "a|bc", "bc"));
  REQUIRE_FALSE(MatchesOne(Op::kRegex, "a|bc", "abc"));
  REQUIRE(MatchesOne(Op::kRegex, "a\\.b|c", "a.b"));
  REQUIRE_FALSE(MatchesOne(Op::kRegex, "a\\.b|c", "axb"));
  REQUIRE(MatchesOne(Op::kRegex, "(?:a|b)", "b"));
  REQUIRE(MatchesOne(Op::kRegex, "(a|b)(c)", "ac"));
  REQUIRE(MatchesOne(Op::kRegex, "", ""));
  REQUIRE(MatchesOne(Op::kRegex, "a|", ""));
  REQUIRE(MatchesOne(Op::kRegex, "pre.*", "pre\xff\xff"));
  REQUIRE(MatchesOne(Op::kRegex, "\\d+", "12"));
  REQUIRE(MatchesOne(Op::kRegex, "(?i)abc", "ABC"));
  REQUIRE_FALSE(MatchesOne(Op::kNotRegex, ".*", "anything"));
  REQUIRE(MatchesOne(Op::kNotRegex, ".+", ""));
}

TEST_CASE("a regular expression that does not compile is an error with its words", "[history]") {
  const auto matcher = ValueMatcher::Compile({Op::kRegex, "name", "a("});
  REQUIRE_FALSE(matcher);
  REQUIRE(matcher.error().code() == ErrorCode::kInvalid);
  REQUIRE(matcher.error().message() == "invalid regular expression \"a(\": missing ): ^(?s:a()$");
  REQUIRE_FALSE(ValueMatcher::Compile({Op::kRegex, "name", "((a{1000}){1000}){1000}"}));
}

TEST_CASE("selecting finds exactly the series that fit, sorted, while series come and go",
          "[history]") {
  std::mt19937 random(5);
  SeriesIndex index;
  std::vector<SeriesPointer> present;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 40; ++i) {
      bool created = false;
      auto series = index.FindOrCreate(RandomLabels(random), 10'000, &created);
      series->Cover(0, 100);
      if (created) present.push_back(series);
    }
    std::vector<SeriesPointer> removed;
    for (std::size_t i = present.size(); i-- > 0;) {
      if (random() % 5 != 0) continue;
      removed.push_back(present[i]);
      present.erase(present.begin() + static_cast<std::ptrdiff_t>(i));
    }
    index.Remove(removed);
    REQUIRE(index.size() == present.size());
    for (const auto& series : present) REQUIRE(index.Find(series->labels) == series);
    for (const auto& series : removed) REQUIRE(index.Find(series->labels) == nullptr);

    for (int query = 0; query < 50; ++query) {
      std::vector<Matcher> matchers;
      for (auto n = random() % 4; n > 0; --n) matchers.push_back(RandomMatcher(random));
      const auto compiled = Compile(matchers);
      std::vector<Labels> expected;
      for (const auto& series : present) {
        const bool fits = std::all_of(compiled.begin(), compiled.end(), [&](const auto& matcher) {
          return matcher.Matches(series->labels.Get(matcher.name()));
        });
        if (fits) expected.push_back(series->labels);
      }
      std::sort(expected.begin(), expected.end());
      std::vector<Labels> got;
      for (const auto& series : index.Select(compiled, {50, 60})) got.push_back(series->labels);
      REQUIRE(got == expected);
    }
  }
}

TEST_CASE("selecting leaves out series without samples in the range", "[history]") {
  Fixture fixture;
  fixture.Append(Labels{{"__name__", "early"}}, fixture.start, 1);
  fixture.Append(Labels{{"__name__", "late"}}, fixture.start + 60'000, 1);
  const auto names = [&](Timestamp from, Timestamp to) {
    std::string out;
    const auto selected = fixture->Select({}, {from, to});
    for (const auto& series : *selected) out += series->labels().ToString() + " ";
    return out;
  };
  REQUIRE(names(fixture.start, fixture.start) == "early ");
  REQUIRE(names(fixture.start + 1, fixture.start + 60'000) == "late ");
  REQUIRE(names(fixture.start, fixture.start + 60'000) == "early late ");
  REQUIRE(names(fixture.start + 1, fixture.start + 59'999) == "");
}

TEST_CASE("label names and values are sorted and unique", "[history]") {
  Fixture fixture;
  for (const char* value : {"b", "a", "c"}) {
    fixture.Append(Labels{{"__name__", "m"}, {"l", value}}, fixture.start, 1);
    fixture.Append(Labels{{"__name__", "n"}, {"l", value}, {"k", "v"}}, fixture.start, 1);
  }
  const std::vector<Matcher> only_m{{Op::kEqual, "__name__", "m"}};
  using Strings = std::vector<std::string>;
  REQUIRE(*fixture->LabelNames({}, kAllTime) == Strings{"__name__", "k", "l"});
  REQUIRE(*fixture->LabelNames(only_m, kAllTime) == Strings{"__name__", "l"});
  REQUIRE(*fixture->LabelValues("l", {}, kAllTime) == Strings{"a", "b", "c"});
  REQUIRE(*fixture->LabelValues("__name__", {}, kAllTime) == Strings{"m", "n"});
  REQUIRE(*fixture->LabelValues("k", only_m, kAllTime) == Strings{});
  REQUIRE(fixture->LabelValues("l", {}, {0, 1})->empty());
}

}  // namespace vigia::history
