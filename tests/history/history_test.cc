#include "query/history/history.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/history/support.h"
#include "tests/support/temp_dir.h"

namespace vigia::history {
namespace {

using test::TempDir;

}  // namespace

TEST_CASE("samples that were appended are read back at once and after sealing", "[history]") {
  Fixture fixture;
  const auto before = fixture.Fill(3, 100);
  REQUIRE(fixture.ReadAll() == before);
  REQUIRE(fixture->Seal());
  REQUIRE(fixture.ReadAll() == before);
  REQUIRE(fixture->stats().blocks == 1);
  const auto after = fixture.Fill(3, 100);
  REQUIRE(fixture.ReadAll() == after);
  fixture.Reopen();
  REQUIRE(fixture.ReadAll() == after);
  REQUIRE(fixture->stats().samples_replayed == 300);
}

TEST_CASE("a restart without sealing gives back the journal", "[history]") {
  Fixture fixture;
  const auto samples = fixture.Fill(50, 70);
  for (int i = 0; i < 3; ++i) {
    fixture.Reopen();
    REQUIRE(fixture.ReadAll() == samples);
  }
}

TEST_CASE("reading takes the part of a series that was asked for", "[history]") {
  Fixture fixture;
  const auto series = Labels{{"__name__", "m"}};
  for (int i = 0; i < 300; ++i) {
    fixture.clock.Advance(15s);
    fixture.Append(series, fixture.start + i * 15'000, i);
    if (i == 100 || i == 200) REQUIRE(fixture->Seal());
  }
  const auto read = fixture.Read(series, fixture.start + 90 * 15'000, fixture.start + 210 * 15'000);
  REQUIRE(read.size() == 121);
  REQUIRE(read.values.front() == 90);
  REQUIRE(read.values.back() == 210);
  REQUIRE(fixture.Read(series, fixture.start + 1, fixture.start + 14'999).size() == 0);
  REQUIRE(fixture.Read(series, fixture.start + 299 * 15'000, fixture.start + 900 * 15'000).values ==
          std::vector<double>{299});
}

}  // namespace vigia::history
