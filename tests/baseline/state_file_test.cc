// What was learnt, as a file, and back.

#include "alerting/baseline/state_file.h"

#include <catch2/catch.hpp>

#include "alerting/baseline/detector.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting::baseline;

namespace {

Learnt Some() {
  Detector detector({});
  for (const auto& [time, value] : testing::Latency(3, 3000)) detector.Step(time, value);
  return {.baseline = "latency",
          .expression = "x > 0",
          .labels = Labels({{"path", "/a\"\n\\"}, {"zone", "ü"}}),
          .last_time = detector.last_time(),
          .rows = detector.rows(),
          .state = detector.Save()};
}

std::string FileOf(const std::vector<Learnt>& learnt) {
  std::string text;
  StateFileWriter writer;
  writer.Begin(1'764'201'600, text);
  for (const auto& one : learnt) writer.Add(one, text);
  writer.End(text);
  return text;
}

std::string ErrorOf(const std::string& text) {
  const auto read = ReadStateFile(text);
  return read ? "none" : read.error().message();
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

}  // namespace

TEST_CASE("states written to a file are read back byte by byte", "[baseline]") {
  const auto one = Some();
  const auto read = ReadStateFile(FileOf({one, one}));
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[1].baseline == "latency");
  CHECK((*read)[1].expression == "x > 0");
  CHECK((*read)[1].labels == one.labels);
  CHECK((*read)[1].last_time == testing::kMonday + 2999 * 300);
  CHECK((*read)[1].rows == 3000);
  CHECK((*read)[1].state == one.state);
  CHECK(ReadStateFile(FileOf({}))->empty());
}

TEST_CASE("a file of states that is not whole is refused with the reason", "[baseline]") {
  const auto text = FileOf({Some()});
  CHECK(ErrorOf("") == "is not a file of `vigia baseline export`");
  CHECK(ErrorOf("timestamp,value\n") == "is not a file of `vigia baseline export`");
  CHECK(ErrorOf(Replaced(text, "\"version\":1", "\"version\":2")) ==
        "was written by a newer vigia: its format is version 2, this vigia reads up to 1");
  CHECK(ErrorOf(Replaced(text, "vigia-baseline-1", "vigia-baseline-9")) ==
        "holds states of the detector 'vigia-baseline-9', this vigia's is 'vigia-baseline-1'");
  CHECK(ErrorOf(text.substr(0, text.size() / 2)) ==
        "is cut short: the last line, with the checksum, is missing");
  CHECK(ErrorOf(text.substr(0, text.find('\n') + 1)) ==
        "is cut short: the last line, with the checksum, is missing");
  CHECK(ErrorOf(Replaced(text, "\"zone\"", "\"zune\"")) ==
        "is damaged: its checksum does not fit its content");
}

TEST_CASE("a state whose fields cannot be is refused, whatever the checksum says", "[baseline]") {
  auto one = Some();
  const auto whole = one.state;
  std::size_t refused = 0;
  // All bits of eight bytes at a time: numbers become NaN, places lie outside, and nothing crashes.
  for (std::size_t at = Detector::StateFormat().size(); at + 8 <= whole.size(); at += 8) {
    one.state = whole;
    one.state.replace(at, 8, std::string(8, '\xff'));
    Detector detector({});
    if (!detector.Restore(one.state)) {
      ++refused;
      CHECK(ErrorOf(FileOf({one})) == "line 2: state: the state of a baseline is damaged");
      CHECK(detector.rows() == 0);
      continue;
    }
    for (std::int64_t i = 0; i < 1000; ++i) {
      detector.Step(testing::kMonday + 300 * (3000 + i), 100.0 + static_cast<double>(i % 7));
    }
  }
  CHECK(refused > 800);
}
