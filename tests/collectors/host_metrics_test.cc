// What every host subject has to keep to, whatever it reads.

#include <catch2/catch.hpp>
#include <set>

#include "collectors/host/part.h"
#include "core/labels.h"
#include "tests/support/collect.h"
#include "tests/support/fixtures.h"

using namespace vigia;
using namespace vigia::test;

namespace {

// Whether `name` fits `pattern`, in which "<field>" stands for anything.
bool Fits(std::string_view name, std::string_view pattern) {
  const auto open = pattern.find('<');
  if (open == pattern.npos) return name == pattern;
  const auto close = pattern.find('>', open);
  if (!name.starts_with(pattern.substr(0, open))) return false;
  for (std::size_t i = open; i <= name.size(); ++i) {
    if (Fits(name.substr(i), pattern.substr(close + 1))) return true;
  }
  return false;
}

bool Describes(std::span<const Metric> metrics, const FamilyHead& family) {
  for (const auto& metric : metrics) {
    if (metric.type == family.type && Fits(family.name, metric.name)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every family that a host subject reports is described by it", "[collectors]") {
  for (const auto& part : collectors::host::Parts()) {
    const auto name = "host." + std::string(part.name);
    for (const auto& proc : {std::string("/proc"), Fixture("host/proc").string()}) {
      std::string fault;
      const auto collector = MakeHostCollector(name, {{"procfs", proc}}, fault);
      REQUIRE(collector);
      Batch batch;
      const auto reading = CollectOnce(*collector, batch);
      if (!reading) continue;  // a machine need not have everything
      CHECK(batch.duplicates() == 0);
      for (const auto& family : (*reading)->families) {
        CAPTURE(name, family.family->head().name);
        CHECK(Describes(collector->Metrics(), family.family->head()));
        CHECK(IsLegacyMetricName(family.family->head().name));
        CHECK(!family.family->head().help.empty());
      }
    }
  }
}

TEST_CASE("host subjects describe each metric once and in one line", "[collectors]") {
  std::set<std::string_view> names;
  for (const auto& part : collectors::host::Parts()) {
    CAPTURE(std::string(part.name));
    std::string fault;
    const auto collector = MakeHostCollector("host." + std::string(part.name), {}, fault);
    REQUIRE(collector);
    for (const auto& metric : collector->Metrics()) {
      CAPTURE(std::string(metric.name));
      CHECK(names.insert(metric.name).second);
      // Ours, or whatever is in the files that users write.
      CHECK((metric.name.starts_with("node_") || metric.name.starts_with("vigia_") ||
             metric.name == "<name>"));
      CHECK(!metric.help.empty());
      CHECK(metric.help.find('\n') == metric.help.npos);
    }
  }
}
