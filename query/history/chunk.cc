#include "query/history/chunk.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "query/history/bytes.h"
#include "query/history/decimal.h"
#include "query/history/integer_column.h"

namespace vigia::history {
namespace {

static_assert(kMaxChunkSamples <= kMaxColumn);

// The byte before the values: a power of ten, or kBits; kExceptions may be added.
constexpr unsigned kBits = 31;
constexpr unsigned kExceptions = 64;

using Integers = std::array<std::int64_t, kMaxChunkSamples>;

// A run of equal values that the integers do not cover.
struct Exception {
  std::size_t at = 0;
  std::size_t length = 0;
  std::uint64_t bits = 0;
};

// The values as integers by one power of ten, and the exceptions.
class Decimals {
 public:
  // False if too many values are no short decimal numbers.
  bool Find(std::span<const double> values) {
    const std::size_t limit = 1 + values.size() / 16;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (Fits(values[i], i)) continue;
      if (exception_count_ > 0 && ExtendException(values[i], i)) continue;
      if (exception_count_ == limit || exception_count_ == exceptions_.size()) return false;
      exceptions_[exception_count_++] = {i, 1, std::bit_cast<std::uint64_t>(values[i])};
    }
    return Rescale(values);
  }

  unsigned exponent() const { return exponent_; }
  std::span<const Exception> exceptions() const { return {exceptions_.data(), exception_count_}; }
  std::span<const std::int64_t> integers(std::size_t count) const {
    return {integers_.data(), count};
  }

 private:
  // Whether `value` is an integer at the present exponent or, which then holds, a larger one.
  bool Fits(double value, std::size_t i) {
    for (unsigned exponent = exponent_; exponent <= kMaxExponent; ++exponent) {
      const auto integer = ToDecimal(value, exponent);
      if (!integer) {
        if (!(std::abs(value * kPowers[exponent]) < kMaxScaled)) return false;
        continue;
      }
      if (exponent != exponent_) {
        exponent_ = exponent;
        rescale_ = i != 0;
      }
      integers_[i] = *integer;
      return true;
    }
    return false;
  }

  bool ExtendException(double value, std::size_t i) {
    auto& last = exceptions_[exception_count_ - 1];
    if (last.at + last.length != i || last.bits != std::bit_cast<std::uint64_t>(value))
      return false;
    ++last.length;
    return true;
  }

  // Brings all integers to the exponent found, and puts neighbours in the place of exceptions.
  bool Rescale(std::span<const double> values) {
    std::size_t next = 0;
    std::int64_t previous = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (next < exception_count_ && exceptions_[next].at == i) {
        const std::size_t end = i + exceptions_[next++].length;
        for (; i < end; ++i) integers_[i] = previous;
        --i;
        continue;
      }
      if (rescale_) {
        const auto integer = ToDecimal(values[i], exponent_);
        if (!integer) return false;
        integers_[i] = *integer;
      }
      previous = integers_[i];
    }
    return exception_count_ == 0 || exceptions_[0].length < values.size();
  }

  unsigned exponent_ = 0;
  bool rescale_ = false;
  std::size_t exception_count_ = 0;
  std::array<Exception, 1 + kMaxChunkSamples / 16> exceptions_;
  Integers integers_;
};

void EncodeValues(std::span<const double> values, std::string& out) {
  Decimals decimals;
  if (!decimals.Find(values)) {
    Integers bits;
    for (std::size_t i = 0; i < values.size(); ++i) {
      bits[i] = std::bit_cast<std::int64_t>(values[i]);
    }
    out += static_cast<char>(kBits);
    EncodeIntegers({bits.data(), values.size()}, out);
    return;
  }
  const auto exceptions = decimals.exceptions();
  out += static_cast<char>(decimals.exponent() | (exceptions.empty() ? 0 : kExceptions));
  EncodeIntegers(decimals.integers(values.size()), out);
  if (exceptions.empty()) return;
  AppendVarint(out, exceptions.size());
  std::size_t next = 0;
  for (const auto& exception : exceptions) {
    AppendVarint(out, exception.at - next);
    AppendVarint(out, exception.length);
    AppendFixed(out, exception.bits);
    next = exception.at + exception.length;
  }
}

bool DecodeExceptions(ByteReader& in, std::span<double> values) {
  const std::uint64_t count = in.Varint();
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t gap = in.Varint();
    const std::uint64_t length = in.Varint();
    const double value = in.Fixed<double>();
    if (in.failed() || gap > values.size() - next) return false;
    next += gap;
    if (length == 0 || length > values.size() - next) return false;
    for (const std::size_t end = next + length; next < end; ++next) values[next] = value;
  }
  return !in.failed();
}

bool DecodeValues(ByteReader& in, std::span<double> values) {
  Integers integers;
  const unsigned scale = in.Byte();
  if (!DecodeIntegers(in, {integers.data(), values.size()})) return false;
  const unsigned exponent = scale & ~kExceptions;
  if (exponent == kBits) {
    std::memcpy(values.data(), integers.data(), values.size_bytes());
  } else if (exponent == 0) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(integers[i]);
  } else if (exponent <= kMaxExponent) {
    const double power = kPowers[exponent];
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<double>(integers[i]) / power;
    }
  } else {
    return false;
  }
  return (scale & kExceptions) == 0 || DecodeExceptions(in, values);
}

bool DecodeTimes(ByteReader& in, Timestamp origin, std::span<Timestamp> times) {
  if (!DecodeIntegers(in, times)) return false;
  bool ascending = true;
  times[0] = WrappingAdd(times[0], origin);
  for (std::size_t i = 1; i < times.size(); ++i) {
    times[i] = WrappingAdd(times[i], origin);
    ascending &= times[i] > times[i - 1];
  }
  return ascending;
}

}  // namespace

void EncodeChunk(std::span<const Timestamp> times, std::span<const double> values, Timestamp origin,
                 std::string& out) {
  assert(!times.empty() && times.size() <= kMaxChunkSamples && times.size() == values.size());
  AppendVarint(out, times.size());
  Integers relative;
  for (std::size_t i = 0; i < times.size(); ++i) relative[i] = WrappingSub(times[i], origin);
  EncodeIntegers({relative.data(), times.size()}, out);
  EncodeValues(values, out);
}

bool DecodeChunk(std::string_view chunk, Timestamp origin, Columns& out) {
  ByteReader in(chunk);
  const std::uint64_t count = in.Varint();
  if (in.failed() || count == 0 || count > kMaxChunkSamples) return false;
  const std::size_t size = out.size();
  out.times.resize(size + count);
  out.values.resize(size + count);
  if (DecodeTimes(in, origin, std::span(out.times).subspan(size)) &&
      DecodeValues(in, std::span(out.values).subspan(size)) && in.left() == 0) {
    return true;
  }
  out.times.resize(size);
  out.values.resize(size);
  return false;
}

}  // namespace vigia::history
