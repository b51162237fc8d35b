// docs/history-format.md, kept true: its examples are written again and compared byte by byte.

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "core/file.h"
#include "query/history/block_writer.h"
#include "query/history/chunk.h"
#include "query/history/integer_column.h"
#include "query/history/journal.h"
#include "tests/history/support.h"

namespace vigia::history {
namespace {

constexpr Timestamp kStart = 1'700'000'000'000;
const Labels kUp{{"__name__", "up"}, {"job", "api"}};
const Labels kLoad{{"__name__", "load"}, {"job", "api"}};

bool IsHexByte(const std::string& word) {
  return word.size() == 2 && word.find_first_not_of("0123456789abcdef") == word.npos;
}

// The bytes at the front of a line: pairs of digits, which end where the explanation begins.
std::string BytesOf(const std::string& line) {
  std::string bytes;
  std::istringstream words(line.substr(0, line.find("   ")));
  for (std::string word; words >> word && IsHexByte(word);) {
    bytes += static_cast<char>(std::stoi(word, nullptr, 16));
  }
  return bytes;
}

// The examples of the page: what stands behind "hex", and the bytes.
std::map<std::string, std::string> Examples() {
  std::map<std::string, std::string> examples;
  std::istringstream lines(ReadFile(VIGIA_SOURCE_DIR "/docs/history-format.md").value());
  std::string* example = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      example = line.starts_with("```hex ") ? &examples[line.substr(7)] : nullptr;
    } else if (example) {
      *example += BytesOf(line);
    }
  }
  return examples;
}

std::string Hex(const std::string& bytes) {
  std::ostringstream out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    out << (i == 0 ? "" : " ") << kDigits[byte >> 4] << kDigits[byte & 15];
  }
  return out.str();
}

std::string Example(const std::string& name) {
  const auto examples = Examples();
  REQUIRE(examples.contains(name));
  return Hex(examples.at(name));
}

std::string Chunk(const Columns& samples) {
  std::string chunk;
  EncodeChunk(samples.times, samples.values, samples.times.front(), chunk);
  return Hex(chunk);
}

}  // namespace

TEST_CASE("a journal is written as its page says", "[history][format]") {
  test::TempDir dir;
  Series up(1, kUp);
  Series load(2, kLoad);
  {
    Journal journal({.folder = dir.path()}, 1);
    const auto append = [&](Timestamp time, double of_up, double of_load) {
      const Journal::Entry entries[] = {{&up, {time, of_up}}, {&load, {time, of_load}}};
      journal.Append(entries);
    };
    append(kStart, 1, 0.25);
    append(kStart + 15'000, 1, 0.75);
    append(kStart + 30'000, GoneMarker(), 1.0 / 3);
  }
  REQUIRE(Hex(dir.Read("journal-00000001")) == Example("journal"));

  std::string restart;
  const std::size_t record = BeginRecord(restart);
  restart += kRestartMark;
  EndRecord(restart, record);
  REQUIRE(Hex(restart) == Example("restart"));
}

TEST_CASE("a block is written as its page says", "[history][format]") {
  test::TempDir dir;
  BlockWriter writer(dir.path() / "block-00000001");
  REQUIRE(writer.Add(kLoad, {{kStart, kStart + 15'000, kStart + 30'000}, {0.25, 0.75, 1}}));
  REQUIRE(writer.Add(kUp, {{kStart + 1'000, kStart + 16'000}, {1, 1}}));
  REQUIRE(writer.Finish(2));
  REQUIRE(Hex(dir.Read("block-00000001")) == Example("block"));
}

TEST_CASE("columns are written as their page says", "[history][format]") {
  int compared = 0;
  for (const auto& [name, bytes] : Examples()) {
    if (!name.starts_with("column ")) continue;
    std::istringstream words(name.substr(7));
    std::vector<std::int64_t> integers;
    for (std::int64_t integer; words >> integer;) integers.push_back(integer);
    std::string column;
    EncodeIntegers(integers, column);
    INFO(name);
    REQUIRE(Hex(column) == Hex(bytes));
    ++compared;
  }
  REQUIRE(compared == 5);
}

TEST_CASE("chunks are written as their page says", "[history][format]") {
  const std::vector<Timestamp> times{kStart, kStart + 15'000, kStart + 30'000, kStart + 45'000};
  REQUIRE(Chunk({times, {3, GoneMarker(), GoneMarker(), 4}}) == Example("chunk gone"));
  REQUIRE(Chunk({{times[0], times[1]}, {1.0 / 3, 2.0 / 3}}) == Example("chunk thirds"));
}

}  // namespace vigia::history
