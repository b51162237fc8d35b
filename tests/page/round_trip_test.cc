// Whatever a batch holds, the parser reads back from the page.

#include <bit>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "core/text/parser.h"
#include "core/text/utf8.h"
#include "exporter/page/renderer.h"
#include "tests/page/pages.h"

using namespace vigia;
using namespace vigia::exporter;

namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  std::size_t Below(std::size_t limit) { return engine_() % limit; }

  std::string Text(std::size_t max, bool legacy) {
    static const std::vector<std::string> kOdd = {"\\",
                                                  "\"",
                                                  "\n",
                                                  "\\n",
                                                  "{",
                                                  "}",
                                                  ",",
                                                  "=",
                                                  " ",
                                                  "#",
                                                  "\t",
                                                  ".",
                                                  "\r",
                                                  "\xC3\xA1",
                                                  "\xE2\x82\xAC",
                                                  "\xF0\x9F\x98\x80",
                                                  "\x01",
                                                  "/"};
    std::string out;
    const auto length = 1 + Below(max);
    while (out.size() < length) {
      out += legacy || Below(3) ? std::string(1, static_cast<char>('a' + Below(26)))
                                : kOdd[Below(kOdd.size())];
    }
    return out;
  }

  double Number() {
    static constexpr double kSpecial[] = {
        0.0,     -0.0, 1.0,  kInfinity,          -kInfinity, kNaN,    5e-324, 2.2e-308,
        1.7e308, 0.1,  1e15, 9007199254740993.0, -1e21,      123.456, 1e-7};
    switch (Below(4)) {
      case 0:
        return kSpecial[Below(std::size(kSpecial))];
      case 1:
        return static_cast<double>(Below(1'000'000)) / 1000;
      case 2:
        return static_cast<double>(Below(1'000'000));
      default: {
        const auto number = std::bit_cast<double>(engine_());
        return IsStale(number) ? 0 : number;
      }
    }
  }

 private:
  std::mt19937_64 engine_;
};

struct Value {
  double number;
  Timestamp time;

  // Every NaN is the same on a page.
  friend bool operator==(const Value& a, const Value& b) {
    const bool same =
        (std::isnan(a.number) && std::isnan(b.number)) ||
        std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number);
    return same && a.time == b.time;
  }
};

using Series = std::map<Labels, Value>;

Series Read(std::string_view page, text::Format format) {
  text::PageParser parser({.strict = true});
  parser.Begin(page, format);
  Series series;
  while (true) {
    const auto more = parser.Next();
    if (!more) FAIL(more.error().message() << "\n" << page);
    if (!*more) return series;
    const auto& sample = parser.sample();
    std::vector<LabelView> labels(sample.labels.begin(), sample.labels.end());
    labels.push_back({kMetricName, sample.name});
    REQUIRE(series.emplace(Labels::FromPairs(labels), Value{sample.value, sample.time.value_or(0)})
                .second);
  }
}

}  // namespace

TEST_CASE("a page reads back as what was written", "[page]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const bool legacy = random.Below(2) == 0;
    std::deque<std::string> words;
    const auto word = [&](std::size_t max, bool plain) -> std::string_view {
      return words.emplace_back(random.Text(max, plain));
    };
    Batch batch;
    std::map<std::string, Metric> metrics;
    for (std::size_t f = 0; f < 5; ++f) {
      const auto name = word(12, legacy);
      // Names of their own, so that no suffix makes one of another's.
      metrics.try_emplace(std::string(name) + std::to_string(f),
                          Metric{words.emplace_back(std::string(name) + std::to_string(f)),
                                 word(20, false), MetricType::kGauge});
    }
    Series expected;
    for (const auto& [name, metric] : metrics) {
      for (std::size_t i = random.Below(6); i > 0; --i) {
        std::vector<LabelView> labels;
        for (std::size_t l = random.Below(5); l > 0; --l) {
          labels.push_back(
              {words.emplace_back(random.Text(6, legacy) + std::to_string(l)), word(30, false)});
        }
        const Value value{
            random.Number(),
            random.Below(3) ? 0 : static_cast<Timestamp>(1 + random.Below(1ULL << 42))};
        batch.AddAt(metric, labels, value.number, value.time);
        labels.push_back({kMetricName, metric.name});
        expected.emplace(Labels::FromPairs(labels), value);
      }
    }
    Snapshot snapshot;
    snapshot.entries.push_back({std::make_shared<const InstanceId>(), batch.Finish(0)});
    for (const auto format : {text::Format::kText, text::Format::kOpenMetrics}) {
      std::string page;
      PageRenderer({format, true}).Render(snapshot, page);
      REQUIRE(Read(page, format) == expected);
    }
  }
}
