// The decoder of chunks takes any bytes and touches nothing else; what is encoded is decoded
// bit by bit; what was decoded can be encoded again.

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "query/history/bytes.h"
#include "query/history/chunk.h"

namespace vigia::history {
namespace {

bool Same(const Columns& a, const Columns& b) {
  if (a.times != b.times || a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(a.values[i]) != std::bit_cast<std::uint64_t>(b.values[i])) {
      return false;
    }
  }
  return true;
}

void CheckRoundTrip(const Columns& samples, Timestamp origin) {
  std::string chunk;
  EncodeChunk(samples.times, samples.values, origin, chunk);
  Columns read;
  if (!DecodeChunk(chunk, origin, read) || !Same(read, samples)) std::abort();
}

// Samples from the input: steps of time and values of several kinds.
Columns Samples(ByteReader in) {
  Columns samples;
  Timestamp time = 0;
  double value = 0;
  while (in.left() > 10 && samples.size() < kMaxChunkSamples) {
    const unsigned kind = in.Byte();
    time += 1 + (kind & 16 ? in.Fixed<std::uint16_t>() : 15'000);
    switch (kind % 4) {
      case 0:
        value = in.Fixed<double>();
        break;
      case 1:
        value = in.Fixed<std::int16_t>() / 100.0;
        break;
      case 2:
        value += in.Byte();
        break;
      default:
        break;  // the same again
    }
    samples.times.push_back(time);
    samples.values.push_back(value);
  }
  return samples;
}

}  // namespace
}  // namespace vigia::history

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigia::history;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  vigia::Columns decoded;
  if (DecodeChunk(input, 0, decoded)) {
    CheckRoundTrip(decoded, 0);
    CheckRoundTrip(decoded, decoded.times.front());
  } else if (decoded.size() != 0) {
    std::abort();
  }
  const auto samples = Samples(ByteReader(input));
  if (samples.size() > 0) CheckRoundTrip(samples, 0);
  return 0;
}
