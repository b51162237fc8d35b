#include "core/labels.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <thread>
#include <unordered_set>

using namespace vigia;

TEST_CASE("labels are sorted by name and the last of a name counts and empty values are none",
          "[core]") {
  const Labels labels{{"job", "x"}, {"__name__", "up"}, {"a", ""}, {"job", "y"}, {"b", "1"}};
  REQUIRE(labels.ToString() == "up{b=\"1\", job=\"y\"}");
  REQUIRE(labels.size() == 3);
  REQUIRE(labels.MetricName() == "up");
  REQUIRE(labels.Get("job") == "y");
  REQUIRE(labels.Get("a") == "");
  REQUIRE_FALSE(labels.Has("a"));
  REQUIRE(labels[1] == LabelView{"b", "1"});
  REQUIRE(Labels{{"a", "1"}, {"a", ""}}.empty());
}

TEST_CASE("labels print as series do", "[core]") {
  REQUIRE(Labels{}.ToString() == "{}");
  REQUIRE(Labels{{"__name__", "up"}}.ToString() == "up");
  REQUIRE(Labels{{"a", "1"}}.ToString() == "{a=\"1\"}");
  REQUIRE(Labels{{"a", "q\"b\\n\n"}}.ToString() == "{a=\"q\\\"b\\\\n\\n\"}");
  REQUIRE(Labels{{"ñ", "España"}}.ToString() == "{ñ=\"España\"}");
}

TEST_CASE("equal labels are equal however they were made", "[core]") {
  const Labels a{{"x", "1"}, {"y", "2"}};
  const Labels b = LabelsBuilder().Set("y", "2").Set("x", "0").Set("x", "1").Build();
  REQUIRE(a == b);
  REQUIRE(a.Hash() == b.Hash());
  REQUIRE((a <=> b) == std::strong_ordering::equal);
  REQUIRE(Labels{} == Labels{{"x", ""}});
  REQUIRE_FALSE(a == Labels{});
}

TEST_CASE("labels that only join to the same text differ", "[core]") {
  const Labels a{{"a", "bc"}};
  const Labels b{{"ab", "c"}};
  REQUIRE_FALSE(a == b);
  REQUIRE(a.Hash() != b.Hash());
  REQUIRE_FALSE(Labels{{"a", "b"}, {"c", "d"}} == Labels{{"a", "bcd"}});
}

TEST_CASE("labels are ordered label by label", "[core]") {
  const std::vector<Labels> sorted{
      {},           {{"a", "1"}},       {{"a", "1"}, {"b", "1"}}, {{"a", "2"}}, {{"aa", "0"}},
      {{"b", "0"}}, {{"\xC3\xB1", "0"}}};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      REQUIRE((sorted[i] <=> sorted[j]) == (i <=> j));
    }
  }
}

TEST_CASE("random labels behave like a sorted map", "[core]") {
  std::mt19937 random(5);
  std::unordered_set<Labels> seen;
  std::map<std::map<std::string, std::string>, Labels> distinct;
  for (int i = 0; i < 3000; ++i) {
    LabelsBuilder builder;
    std::map<std::string, std::string> model;
    for (auto n = random() % 5; n > 0; --n) {
      const std::string name(1, static_cast<char>('a' + random() % 3));
      const std::string value(random() % 3, static_cast<char>('0' + random() % 2));
      builder.Set(name, value);
      model[name] = value;
      if (value.empty()) model.erase(name);
    }
    const Labels labels = builder.Build();
    REQUIRE(labels.size() == model.size());
    auto expected = model.begin();
    for (const auto [name, value] : labels) {
      REQUIRE(name == expected->first);
      REQUIRE(value == expected->second);
      ++expected;
    }
    seen.insert(labels);
    const auto [at, is_new] = distinct.emplace(model, labels);
    REQUIRE(at->second == labels);
  }
  REQUIRE(seen.size() == distinct.size());
}

TEST_CASE("a builder starts from labels and edits them", "[core]") {
  const Labels base{{"__name__", "up"}, {"a", "1"}, {"b", "2"}};
  LabelsBuilder builder(base);
  builder.Set("a", "9").Remove("b").Remove("never").Set("c", "3").Set("d", "");
  REQUIRE(builder.Get("a") == "9");
  REQUIRE(builder.Get("b") == "");
  REQUIRE(builder.Build().ToString() == "up{a=\"9\", c=\"3\"}");
  REQUIRE(base.ToString() == "up{a=\"1\", b=\"2\"}");

  const std::vector<std::string> names{"a", "x"};
  REQUIRE(LabelsBuilder(base).Retain(names, true).Build().ToString() == "{a=\"1\"}");
  REQUIRE(LabelsBuilder(base).Retain(names, false).Build().ToString() == "up{b=\"2\"}");
}

TEST_CASE("copies of labels share their memory and outlive the original", "[core]") {
  Labels copy;
  {
    const Labels original{{"a", "1"}};
    copy = original;
    REQUIRE(copy[0].value.data() == original[0].value.data());
  }
  REQUIRE(copy.Get("a") == "1");
  const Labels moved = std::move(copy);
  REQUIRE(moved.Get("a") == "1");
  Labels self = moved;
  self = *&self;
  REQUIRE(self == moved);
  REQUIRE(moved.HeapBytes() > 0);
  REQUIRE(Labels{}.HeapBytes() == 0);
}

TEST_CASE("threads may copy the same labels", "[core]") {
  const Labels shared{{"a", "1"}};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const Labels copy = shared;
        if (copy.Get("a") != "1") std::abort();
      }
    });
  }
}

TEST_CASE("names of metrics and labels", "[core]") {
  REQUIRE(IsLegacyMetricName("node:load_1"));
  REQUIRE(IsLegacyLabelName("_a1"));
  REQUIRE_FALSE(IsLegacyLabelName("a:b"));
  for (const auto* wrong : {"", "1a", "a-b", "a b", "ñ", "a."}) {
    REQUIRE_FALSE(IsLegacyMetricName(wrong));
    REQUIRE_FALSE(IsLegacyLabelName(wrong));
  }
}
