#include "query/history/chunk.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace vigia::history {
namespace {

void CheckRoundTrip(const Columns& samples, Timestamp origin = 0) {
  std::string chunk;
  EncodeChunk(samples.times, samples.values, origin, chunk);
  Columns read;
  REQUIRE(DecodeChunk(chunk, origin, read));
  REQUIRE(read.times == samples.times);
  REQUIRE(read.size() == samples.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    INFO("value " << i);
    REQUIRE(std::bit_cast<std::uint64_t>(read.values[i]) ==
            std::bit_cast<std::uint64_t>(samples.values[i]));
  }
}

std::size_t EncodedSize(const Columns& samples) {
  std::string chunk;
  EncodeChunk(samples.times, samples.values, 0, chunk);
  return chunk.size();
}

template <typename Value>
Columns Regular(std::size_t count, Value value) {
  Columns samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.times.push_back(1'700'000'000'000 + static_cast<Timestamp>(i) * 15'000);
    samples.values.push_back(value(i));
  }
  return samples;
}

// Every kind of number that a random source makes, the odd ones often.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : random_(seed) {}

  double Next(int kind) {
    const double base = static_cast<double>(random_() % 100'000);
    switch (kind) {
      case 0:
        return std::bit_cast<double>(random_());
      case 1:
        return base;
      case 2:
        return base / 100;
      case 3:
        return walk_ += base / 7;
      case 4:
        return Odd();
      case 5:
        return random_() % 8 == 0 ? Odd() : std::floor(walk_ += base);
      case 6:
        return static_cast<float>(base * 0.37F);
      default:
        return random_() % 40 == 0 ? std::bit_cast<double>(random_()) : base / 1000;
    }
  }

  double Odd() {
    static const double kOdd[] = {GoneMarker(),
                                  UnknownMarker(),
                                  kNaN,
                                  -kNaN,
                                  kInfinity,
                                  -kInfinity,
                                  0.0,
                                  -0.0,
                                  5e-324,
                                  std::numeric_limits<double>::max(),
                                  std::numeric_limits<double>::lowest(),
                                  9007199254740992.0,
                                  9007199254740993.0,
                                  -9007199254740992.0,
                                  std::bit_cast<double>(0x7ff0000000000001),
                                  std::bit_cast<double>(0xfff8000000000123)};
    return kOdd[random_() % std::size(kOdd)];
  }

  std::uint64_t Integer() { return random_(); }

 private:
  std::mt19937_64 random_;
  double walk_ = 0;
};

Columns RandomSamples(Numbers& numbers) {
  const int kind = static_cast<int>(numbers.Integer() % 9);
  const int gaps = static_cast<int>(numbers.Integer() % 4);
  const std::size_t count = 1 + numbers.Integer() % kMaxChunkSamples;
  Columns samples;
  Timestamp time = static_cast<Timestamp>(numbers.Integer() >> (numbers.Integer() % 64));
  for (std::size_t i = 0; i < count; ++i) {
    samples.times.push_back(time);
    samples.values.push_back(numbers.Next(kind == 8 ? static_cast<int>(i % 8) : kind));
    const std::uint64_t gap = gaps == 0   ? 15'000
                              : gaps == 1 ? 14'990 + numbers.Integer() % 20
                              : gaps == 2 ? 1 + (numbers.Integer() >> (numbers.Integer() % 60 + 4))
                                          : 1;
    const auto room = static_cast<std::uint64_t>(std::numeric_limits<Timestamp>::max()) -
                      static_cast<std::uint64_t>(time);
    if (time > 0 && gap > room) break;
    time += static_cast<Timestamp>(gap);
  }
  return samples;
}

}  // namespace

TEST_CASE("a chunk gives back every bit of any samples", "[history]") {
  Numbers numbers(GENERATE(1U, 2U, 3U));
  for (int i = 0; i < 400; ++i)
    CheckRoundTrip(RandomSamples(numbers), i % 2 ? 1'700'000'000'000 : 0);
}

TEST_CASE("a chunk holds one sample and the extremes of time", "[history]") {
  constexpr auto kMin = std::numeric_limits<Timestamp>::min();
  constexpr auto kMax = std::numeric_limits<Timestamp>::max();
  CheckRoundTrip({{0}, {-0.0}});
  CheckRoundTrip({{kMin}, {1.5}}, kMax);
  CheckRoundTrip({{kMin, kMax}, {1.5, kNaN}}, 1'700'000'000'000);
  CheckRoundTrip({{kMin, 0, kMax}, {GoneMarker(), UnknownMarker(), GoneMarker()}});
  CheckRoundTrip({{kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax}, {1, 2, 3, 4, 5, 6, 7}}, kMin);
}

TEST_CASE("a chunk of a steady series is small", "[history]") {
  REQUIRE(EncodedSize(Regular(240, [](std::size_t) { return 1.0; })) <= 18);
  REQUIRE(EncodedSize(Regular(240, [](std::size_t i) { return 15.0 * static_cast<double>(i); })) <=
          18);
  REQUIRE(EncodedSize(Regular(240, [](std::size_t) { return UnknownMarker(); })) <= 27);
  // Two decimals, increments of up to 1.27: 7 bits each.
  std::mt19937 random(7);
  double sum = 0;
  const auto counter = Regular(240, [&](std::size_t) {
    sum += static_cast<double>(random() % 128);
    return sum / 100;
  });
  REQUIRE(EncodedSize(counter) <= 240 * 7 / 8 + 24);
}

TEST_CASE("stale markers amid a counter cost a few bytes", "[history]") {
  const auto plain = Regular(240, [](std::size_t i) { return static_cast<double>(i * 10); });
  auto marked = plain;
  for (std::size_t i = 100; i < 140; ++i) marked.values[i] = UnknownMarker();
  REQUIRE(EncodedSize(marked) <= EncodedSize(plain) + 240 * 4 / 8);
  CheckRoundTrip(marked);
}

TEST_CASE("decoding takes any bytes and leaves the output alone when they are no chunk",
          "[history]") {
  std::mt19937_64 random(11);
  Numbers numbers(12);
  std::string chunk;
  for (int i = 0; i < 20'000; ++i) {
    if (i % 100 == 0) {
      const auto samples = RandomSamples(numbers);
      chunk.clear();
      EncodeChunk(samples.times, samples.values, 0, chunk);
    }
    std::string broken = chunk;
    for (std::uint64_t edit = 1 + random() % 3; edit > 0; --edit) {
      broken[random() % broken.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) broken.resize(random() % broken.size());
    Columns out{{1, 2}, {3, 4}};
    if (DecodeChunk(broken, 0, out)) {
      REQUIRE(out.times.size() == out.values.size());
    } else {
      REQUIRE(out.times == std::vector<Timestamp>{1, 2});
      REQUIRE(out.values == std::vector<double>{3, 4});
    }
  }
}

}  // namespace vigia::history
