// A segment of any bytes is read to its end, and what is written is read back: the input is taken
// as records first, then as samples to write.

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "query/history/journal_format.h"

namespace vigia::history {
namespace {

// Whatever stands there: every step takes bytes away.
void ReadAll(std::string_view bytes) {
  SegmentDecoder decoder;
  while (true) {
    const std::size_t before = bytes.size();
    const auto outcome = decoder.Next(bytes, [](SegmentDecoder::Known&, Sample) {});
    if (outcome == SegmentDecoder::Outcome::kCorrupt) {
      if (!SegmentDecoder::SkipToRestart(bytes)) return;
    } else if (outcome != SegmentDecoder::Outcome::kRecord) {
      return;
    }
    if (bytes.size() >= before) std::abort();
  }
}

// The input as the payload of records with the right checksums: behind the first byte comes the
// size of the first payload, so that definitions and samples get their turn.
void ReadAsPayloads(std::string_view input) {
  std::string segment;
  while (input.size() > 1) {
    const std::size_t size =
        std::min<std::size_t>(static_cast<std::uint8_t>(input[0]) + 1U, input.size() - 1);
    const std::size_t record = BeginRecord(segment);
    segment += input.substr(1, size);
    EndRecord(segment, record);
    input.remove_prefix(1 + size);
  }
  ReadAll(segment);
}

void WriteAndReadBack(std::string_view input) {
  constexpr std::size_t kSeries = 3;
  std::vector<Sample> written[kSeries];
  PreviousValue previous[kSeries];
  std::string segment;
  std::size_t record = BeginRecord(segment);
  segment += static_cast<char>(RecordType::kSeries);
  DefinitionWriter definitions;
  const Labels labels[kSeries] = {Labels{{"id", "1"}}, Labels{{"id", "2"}}, Labels{{"id", "3"}}};
  for (SeriesId id = 1; id <= kSeries; ++id) definitions.Append(segment, id, labels[id - 1]);
  EndRecord(segment, record);
  record = BeginRecord(segment);
  segment += static_cast<char>(RecordType::kSamples);
  SampleWriter writer;
  Timestamp time = 0;
  for (; input.size() >= 11; input.remove_prefix(11)) {
    const std::size_t series = static_cast<std::uint8_t>(input[0]) % kSeries;
    time += LoadFixed<std::int16_t>(input.data() + 1);
    const Sample sample{time, LoadFixed<double>(input.data() + 3)};
    char bytes[SampleWriter::kMostBytes];
    const auto id = static_cast<SeriesId>(series + 1);
    segment.append(bytes, writer.Write(bytes, id, sample, previous[series]));
    written[series].push_back(sample);
  }
  EndRecord(segment, record);

  std::size_t read[kSeries] = {};
  std::string_view bytes = segment;
  SegmentDecoder decoder;
  const auto check = [&](SegmentDecoder::Known& known, Sample sample) {
    const auto series = static_cast<std::size_t>(known.labels.Get("id")[0] - '1');
    const Sample& expected = written[series].at(read[series]++);
    if (sample.time != expected.time || std::bit_cast<std::uint64_t>(sample.value) !=
                                            std::bit_cast<std::uint64_t>(expected.value)) {
      std::abort();
    }
  };
  while (decoder.Next(bytes, check) == SegmentDecoder::Outcome::kRecord) {
  }
  for (std::size_t i = 0; i < kSeries; ++i) {
    if (read[i] != written[i].size()) std::abort();
  }
}

}  // namespace
}  // namespace vigia::history

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  vigia::history::ReadAll(input);
  vigia::history::ReadAsPayloads(input);
  vigia::history::WriteAndReadBack(input);
  return 0;
}
