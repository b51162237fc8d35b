#include "query/history/integer_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <numeric>

namespace vigia::history {
namespace {

// Bits of a column's first byte.
constexpr unsigned kOrderMask = 3;   // 0: integers, 1: differences, 2: differences of those
constexpr unsigned kHasDivisor = 4;  // a divisor follows the smallest residual
constexpr unsigned kHasPatches = 8;  // patches follow the packed bits
constexpr unsigned kKnownFlags = 15;

// Shorter columns are packed without looking for patches and odd divisors: they are the small
// chunks in memory, where the time it takes counts for more.
constexpr std::size_t kThorough = 64;

// What is left of a column to be packed.
struct Residuals {
  std::size_t count = 0;
  std::int64_t smallest = 0;
  std::uint64_t divisor = 1;
  unsigned width = 0;
  std::size_t patches = 0;
  std::size_t bytes = 0;  // packed bits and patches, estimated
  std::array<std::uint64_t, kMaxColumn> packed;
};

std::size_t PackedBytes(std::size_t count, unsigned width) { return (count * width + 7) / 8; }

// Bytes of the varint that holds a patch's `bits` high bits, and of its position.
std::size_t PatchBytes(unsigned bits) { return 1 + (bits + 6) / 7; }

// The width with the least bytes: that of the widest residual, or a smaller one with patches.
void ChooseWidth(Residuals& residuals) {
  std::array<std::uint16_t, 65> with_width{};
  for (std::size_t i = 0; i < residuals.count; ++i) {
    ++with_width[static_cast<std::size_t>(std::bit_width(residuals.packed[i]))];
  }
  std::array<std::uint8_t, 65> widths;
  std::size_t used = 0;
  for (unsigned width = 0; width <= 64; ++width) {
    if (with_width[width] != 0) widths[used++] = static_cast<std::uint8_t>(width);
  }
  residuals.bytes = ~std::size_t{0};
  for (std::size_t candidate = used; candidate-- > 0;) {
    const unsigned width = widths[candidate];
    std::size_t bytes = PackedBytes(residuals.count, width);
    std::size_t patches = 0;
    for (std::size_t i = candidate + 1; i < used; ++i) {
      patches += with_width[widths[i]];
      bytes += with_width[widths[i]] * PatchBytes(widths[i] - width);
    }
    if (bytes + (patches != 0) < residuals.bytes) {
      residuals.width = width;
      residuals.patches = patches;
      residuals.bytes = bytes + (patches != 0);
    }
  }
}

std::uint64_t CommonDivisor(const Residuals& residuals) {
  std::uint64_t divisor = 0;
  for (std::size_t i = 0; i < residuals.count && divisor != 1; ++i) {
    if (residuals.packed[i] != 0) divisor = std::gcd(divisor, residuals.packed[i]);
  }
  return std::max<std::uint64_t>(divisor, 1);
}

void Divide(Residuals& residuals) {
  const std::span<std::uint64_t> packed(residuals.packed.data(), residuals.count);
  if (residuals.divisor == 1) return;
  if (std::has_single_bit(residuals.divisor)) {
    const int shift = std::countr_zero(residuals.divisor);
    for (auto& value : packed) value >>= shift;
  } else {
    for (auto& value : packed) value /= residuals.divisor;
  }
}

void ReduceQuickly(Residuals& residuals) {
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < residuals.count; ++i) used |= residuals.packed[i];
  if (used != 0) {
    residuals.divisor = used & (~used + 1);  // the largest power of two that divides all
    Divide(residuals);
    used /= residuals.divisor;
  }
  residuals.width = static_cast<unsigned>(std::bit_width(used));
  residuals.bytes = PackedBytes(residuals.count, residuals.width);
}

// Fills in `residuals` from the column, or its differences.
void Reduce(std::span<const std::int64_t> column, Residuals& residuals) {
  residuals.count = column.size();
  residuals.smallest = column.empty() ? 0 : *std::min_element(column.begin(), column.end());
  for (std::size_t i = 0; i < column.size(); ++i) {
    residuals.packed[i] = static_cast<std::uint64_t>(WrappingSub(column[i], residuals.smallest));
  }
  if (residuals.count < kThorough) return ReduceQuickly(residuals);
  residuals.divisor = CommonDivisor(residuals);
  Divide(residuals);
  ChooseWidth(residuals);
}

std::span<const std::int64_t> Differences(std::span<const std::int64_t> column,
                                          std::array<std::int64_t, kMaxColumn>& out) {
  if (column.size() < 2) return {};
  for (std::size_t i = 1; i < column.size(); ++i) {
    out[i - 1] = WrappingSub(column[i], column[i - 1]);
  }
  return {out.data(), column.size() - 1};
}

void AppendPacked(const Residuals& residuals, std::string& out) {
  const unsigned width = residuals.width;
  if (width == 0) return;
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - width);
  const std::size_t start = out.size();
  out.resize(start + PackedBytes(residuals.count, width) + 8);  // room for a whole last word
  char* at = out.data() + start;
  std::uint64_t word = 0;
  unsigned filled = 0;
  for (std::size_t i = 0; i < residuals.count; ++i) {
    const std::uint64_t value = residuals.packed[i] & mask;
    word |= value << filled;
    filled += width;
    if (filled >= 64) {
      std::memcpy(at, &word, 8);
      at += 8;
      filled -= 64;
      word = filled == 0 ? 0 : value >> (width - filled);
    }
  }
  std::memcpy(at, &word, 8);
  out.resize(start + PackedBytes(residuals.count, width));
}

void AppendPatches(const Residuals& residuals, std::string& out) {
  AppendVarint(out, residuals.patches);
  std::size_t next = 0;
  for (std::size_t i = 0; i < residuals.count; ++i) {
    if (residuals.width == 64 || residuals.packed[i] >> residuals.width == 0) continue;
    AppendVarint(out, i - next);
    AppendVarint(out, residuals.packed[i] >> residuals.width);
    next = i + 1;
  }
}

// A column of equal steps, or of equal integers.
void AppendSteady(std::span<const std::int64_t> integers, std::string& out) {
  const std::int64_t step = integers.size() > 1 ? WrappingSub(integers[1], integers[0]) : 0;
  out += static_cast<char>(step == 0 ? 0 : 1);
  out += '\0';  // no bits
  AppendZigzag(out, integers[0]);
  if (step != 0) AppendZigzag(out, step);
}

// Reads `width` bits at bit `position` of a buffer that can be read 8 bytes beyond, width <= 56.
std::uint64_t LoadBits(const char* bytes, std::size_t position, std::uint64_t mask) {
  return (LoadFixed<std::uint64_t>(bytes + position / 8) >> (position % 8)) & mask;
}

// The same for any width; 9 bytes beyond.
std::uint64_t LoadWideBits(const char* bytes, std::size_t position, std::uint64_t mask) {
  const unsigned shift = position % 8;
  std::uint64_t value = LoadFixed<std::uint64_t>(bytes + position / 8) >> shift;
  if (shift != 0) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[position / 8 + 8]))
             << (64 - shift);
  }
  return value & mask;
}

// Unpacks into `out`. `readable` is how many bytes of `bytes` may be read, at least the packed.
void Unpack(const char* bytes, std::size_t readable, unsigned width, std::span<std::int64_t> out) {
  if (width == 0) {
    std::fill(out.begin(), out.end(), 0);
    return;
  }
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - width);
  // The first `direct` integers can be loaded as whole words from where they lie.
  const std::size_t direct =
      readable < 9 ? 0 : std::min(out.size(), ((readable - 9) * 8 + 7) / width);
  if (width <= 56) {
    std::size_t position = 0;
    for (std::size_t i = 0; i < direct; ++i, position += width) {
      out[i] = static_cast<std::int64_t>(LoadBits(bytes, position, mask));
    }
  } else {
    for (std::size_t i = 0; i < direct; ++i) {
      out[i] = static_cast<std::int64_t>(LoadWideBits(bytes, i * width, mask));
    }
  }
  if (direct == out.size()) return;
  // The rest, at most 9 bytes and one integer, from a copy with room behind it.
  const std::size_t first_byte = direct * width / 8;
  char tail[32] = {};
  const std::size_t packed = PackedBytes(out.size(), width);
  std::memcpy(tail, bytes + first_byte, std::min<std::size_t>(packed - first_byte, 20));
  for (std::size_t i = direct; i < out.size(); ++i) {
    out[i] = static_cast<std::int64_t>(LoadWideBits(tail, i * width - first_byte * 8, mask));
  }
}

bool ApplyPatches(ByteReader& in, unsigned width, std::span<std::int64_t> out) {
  const std::uint64_t count = in.Varint();
  if (count > out.size() || width >= 64) return false;
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t gap = in.Varint();
    const std::uint64_t high = in.Varint();
    if (in.failed() || gap >= out.size() - next) return false;
    next += gap;
    auto& value = out[next++];
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) | high << width);
    if (next == out.size() && i + 1 < count) return false;
  }
  return true;
}

// Each becomes the sum of itself and all before it, `first` included.
void Accumulate(std::int64_t first, std::span<std::int64_t> column) {
  std::uint64_t sum = static_cast<std::uint64_t>(first);
  for (auto& value : column) {
    sum += static_cast<std::uint64_t>(value);
    value = static_cast<std::int64_t>(sum);
  }
}

}  // namespace

void EncodeIntegers(std::span<const std::int64_t> integers, std::string& out) {
  std::array<std::int64_t, kMaxColumn> first_differences;
  const auto first = Differences(integers, first_differences);
  if (std::adjacent_find(first.begin(), first.end(), std::not_equal_to<>()) == first.end()) {
    return AppendSteady(integers, out);
  }
  std::array<std::int64_t, kMaxColumn> second_differences;
  Residuals candidates[3];
  const auto second = Differences(first, second_differences);
  Reduce(integers, candidates[0]);
  unsigned order = 0;
  if (integers.size() > 1) {
    Reduce(first, candidates[1]);
    // A differenced column stores one integer more in front.
    if (candidates[1].bytes < candidates[0].bytes) order = 1;
  }
  if (integers.size() > 2 && candidates[order].bytes != 0) {
    Reduce(second, candidates[2]);
    if (candidates[2].bytes + 2 < candidates[order].bytes) order = 2;
  }

  const Residuals& best = candidates[order];
  out += static_cast<char>(order | (best.divisor != 1 ? kHasDivisor : 0) |
                           (best.patches != 0 ? kHasPatches : 0));
  out += static_cast<char>(best.width);
  if (order >= 1) AppendZigzag(out, integers[0]);
  if (order == 2) AppendZigzag(out, first[0]);
  AppendZigzag(out, best.smallest);
  if (best.divisor != 1) AppendVarint(out, best.divisor);
  AppendPacked(best, out);
  if (best.patches != 0) AppendPatches(best, out);
}

bool DecodeIntegers(ByteReader& in, std::span<std::int64_t> out) {
  const unsigned flags = in.Byte();
  const unsigned order = flags & kOrderMask;
  const unsigned width = in.Byte();
  if ((flags & ~kKnownFlags) != 0 || order == 3 || width > 64 || out.size() < order) return false;
  const std::int64_t first = order >= 1 ? in.SignedVarint() : 0;
  const std::int64_t step = order == 2 ? in.SignedVarint() : 0;
  const std::int64_t smallest = in.SignedVarint();
  const std::uint64_t divisor = flags & kHasDivisor ? in.Varint() : 1;

  if (order == 1 && width == 0 && (flags & kHasPatches) == 0) {
    // Equal steps, as the times of a regular series have them.
    auto next = static_cast<std::uint64_t>(first);
    for (auto& value : out) {
      value = static_cast<std::int64_t>(next);
      next += static_cast<std::uint64_t>(smallest);
    }
    return !in.failed();
  }
  const auto residuals = out.subspan(order);
  const std::size_t readable = in.left();
  const std::string_view packed = in.Bytes(PackedBytes(residuals.size(), width));
  if (in.failed()) return false;
  Unpack(packed.data(), readable, width, residuals);
  if (flags & kHasPatches && !ApplyPatches(in, width, residuals)) return false;
  if (divisor != 1) {
    for (auto& value : residuals) {
      value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) * divisor);
    }
  }
  if (smallest != 0) {
    for (auto& value : residuals) value = WrappingAdd(value, smallest);
  }
  if (order >= 1) out[0] = first;
  if (order == 2) {
    Accumulate(step, residuals);
    out[1] = step;
  }
  if (order >= 1) Accumulate(first, out.subspan(1));
  return !in.failed();
}

}  // namespace vigia::history
