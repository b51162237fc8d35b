#include "alerting/baseline/replay.h"

#include <catch2/catch.hpp>

#include "core/number.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting::baseline;

TEST_CASE("replay answers each row with what was known before it", "[baseline]") {
  Replay replay({});
  std::string out;
  REQUIRE(replay.Line("timestamp,value", out));
  REQUIRE(replay.Line("2024-01-01 00:00:00,10", out));
  REQUIRE(replay.Line("2024-01-01 00:05:00,10\r", out));
  REQUIRE(replay.Line("2024-01-01 00:10:00,", out));
  REQUIRE(replay.Line("", out));
  CHECK(out ==
        "2024-01-01 00:00:00,10,,,,0,learning,0,\n"
        "2024-01-01 00:05:00,10,10,10,10,0,learning,0,\n"
        "2024-01-01 00:10:00,,,,,0,nodata,0,\n");
}

TEST_CASE("replay says what is wrong with a line", "[baseline]") {
  Replay replay({});
  std::string out;
  CHECK(replay.Line("2024-01-01 00:00:00", out).error().message() == "expected timestamp,value");
  CHECK(replay.Line("yesterday,1", out).error().message() ==
        "\"yesterday\" is no time; expected YYYY-MM-DD HH:MM:SS");
  CHECK_FALSE(replay.Line("2024-13-01 00:00:00,1", out));
  CHECK_FALSE(replay.Line("2024-01-01 00:00:00,fast", out));
  CHECK(out.empty());
}

TEST_CASE("replay reads dates and seconds alike", "[baseline]") {
  CHECK(ParseReplayTime("1970-01-01 00:00:00") == 0);
  CHECK(ParseReplayTime("2024-02-29 12:34:56") == 1'709'210'096);
  CHECK(ParseReplayTime("1999-12-31T23:59:59") == 946'684'799);
  CHECK(ParseReplayTime("1709210096") == 1'709'210'096);
}

TEST_CASE("replay does not look ahead", "[baseline]") {
  const auto series = testing::Latency(20, 2000);
  const auto run = [&](std::size_t rows) {
    Replay replay({});
    std::string out;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto line = std::to_string(series[i].time) + "," + FormatDouble(series[i].value);
      REQUIRE(replay.Line(line, out));
    }
    return out;
  };
  const auto whole = run(series.size());
  for (const std::size_t rows : {1U, 289U, 1500U}) {
    CHECK(whole.substr(0, run(rows).size()) == run(rows));
  }
}
