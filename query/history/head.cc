#include "query/history/head.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "query/history/chunk.h"
#include "query/history/columns.h"

namespace vigia::history {

Arena::~Arena() {
  for (const auto slab : slabs_) ::munmap(slab.data(), slab.size());
}

char* Arena::Allocate(std::size_t size) {
  size = (size + alignof(void*) - 1) / alignof(void*) * alignof(void*);
  if (size > left_) {
    const std::size_t slab = std::max(size, kSlab);
    void* const memory =
        ::mmap(nullptr, slab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    next_ = static_cast<char*>(memory);
    left_ = slab;
    slabs_.emplace_back(next_, slab);
    bytes_ += slab;
  }
  char* const memory = next_;
  next_ += size;
  left_ -= size;
  return memory;
}

void SeriesHead::Append(Sample sample, Arena& arena) {
  const auto offset =
      count_ == 0 ? 0 : static_cast<std::uint64_t>(sample.time) - static_cast<std::uint64_t>(base_);
  if (offset > std::numeric_limits<std::uint32_t>::max()) {  // a gap of weeks: start afresh
    Pack(arena);
    RemoveFront(count_);
  }
  if (count_ >= Limit()) MakeRoom(arena);
  if (count_ == capacity_) GrowByOne();
  if (count_ == 0) base_ = sample.time;
  values()[count_] = sample.value;
  offsets()[count_] = static_cast<std::uint32_t>(sample.time - base_);
  ++count_;
}

std::size_t SeriesHead::LowerBound(Timestamp time) const {
  std::size_t i = count_;
  while (i > 0 && TimeAt(i - 1) >= time) --i;
  return i;
}

const double* SeriesHead::FindRecent(Timestamp time) const {
  const std::size_t i = LowerBound(time);
  return i < count_ && TimeAt(i) == time ? values() + i : nullptr;
}

void SeriesHead::Insert(std::span<const Timestamp> times, std::span<const double> samples,
                        Arena& arena) {
  ++version_;
  // Those that lie among the recent samples not packed yet join them.
  std::size_t end = times.size();
  while (end > 0 && HasUnpacked() && times[end - 1] > TimeAt(packed_)) {
    if (count_ >= Limit()) {
      MakeRoom(arena);
      break;
    }
    InsertRecent({times[end - 1], samples[end - 1]});
    --end;
  }
  // The others make a chunk of their own; readers of the recent samples see them there too.
  for (std::size_t i = 0; i < end; i += kMaxChunkSamples) {
    const std::size_t size = std::min(end - i, kMaxChunkSamples);
    AddChunk(times.subspan(i, size), samples.subspan(i, size), arena);
  }
  for (std::size_t i = end; i-- > 0 && Covers(times[i]);) {
    if (count_ >= Limit()) {
      if (HasUnpacked()) Pack(arena);
      RemoveFront(1);
      if (!Covers(times[i])) break;
    }
    InsertRecent({times[i], samples[i]});
    ++packed_;
  }
}

void SeriesHead::InsertRecent(Sample sample) {
  if (count_ == capacity_) GrowByOne();
  const std::size_t at = LowerBound(sample.time);
  std::copy_backward(values() + at, values() + count_, values() + count_ + 1);
  std::copy_backward(offsets() + at, offsets() + count_, offsets() + count_ + 1);
  values()[at] = sample.value;
  offsets()[at] = static_cast<std::uint32_t>(sample.time - base_);
  ++count_;
}

void SeriesHead::GrowByOne() {
  Grow(capacity_ == 0 ? kUnread / 4 : std::min<std::size_t>(Limit(), 2 * capacity_));
}

void SeriesHead::Grow(std::size_t capacity) {
  static_assert(kRecent <= std::numeric_limits<std::uint8_t>::max());
  auto* const grown = new char[capacity * kBytesPerRecent];
  if (count_ > 0) {
    std::memcpy(grown, values(), count_ * sizeof(double));
    std::memcpy(grown + capacity * sizeof(double), offsets(), count_ * sizeof(std::uint32_t));
  }
  delete[] recent_;
  recent_ = grown;
  capacity_ = static_cast<std::uint8_t>(capacity);
}

void SeriesHead::Pack(Arena& arena) {
  if (!HasUnpacked()) return;
  std::array<Timestamp, kRecent> times;
  const std::size_t unpacked = static_cast<std::size_t>(count_ - packed_);
  for (std::size_t i = 0; i < unpacked; ++i) times[i] = TimeAt(packed_ + i);
  AddChunk({times.data(), unpacked}, {values() + packed_, unpacked}, arena);
  packed_ = count_;
}

void SeriesHead::MakeRoom(Arena& arena) {
  Pack(arena);
  wanted_ = std::exchange(read_, false);
  if (wanted_) {
    if (count_ > kKept) RemoveFront(count_ - kKept);
    return;
  }
  RemoveFront(count_);
  if (capacity_ <= kUnread) return;
  delete[] recent_;
  recent_ = nullptr;
  capacity_ = 0;
}

void SeriesHead::Refill(Timestamp from, std::span<const Timestamp> times,
                        std::span<const double> samples) {
  // Another reader was faster, and has put as much here.
  if (count_ > 0 && from >= base_) return;
  const auto end = count_ == 0 ? times.end() : std::lower_bound(times.begin(), times.end(), base_);
  const auto earlier = static_cast<std::size_t>(end - times.begin());
  if (earlier + count_ == 0 || earlier + count_ > kKept) return;
  const Timestamp last = count_ > 0 ? TimeAt(count_ - 1u) : times.back();
  if (static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(from) >
      std::numeric_limits<std::uint32_t>::max()) {
    return;
  }
  NoteRead();
  // Not for kRecent at once: what has ended, or is rare, gets no more.
  if (capacity_ < earlier + count_) Grow(std::min(kRecent, (earlier + count_ + 3) / 4 * 4));
  std::copy_backward(values(), values() + count_, values() + count_ + earlier);
  for (std::size_t i = count_; i-- > 0;) {
    offsets()[i + earlier] = static_cast<std::uint32_t>(TimeAt(i) - from);
  }
  base_ = from;
  std::copy_n(samples.begin(), earlier, values());
  for (std::size_t i = 0; i < earlier; ++i) {
    offsets()[i] = static_cast<std::uint32_t>(times[i] - base_);
  }
  count_ = static_cast<std::uint8_t>(count_ + earlier);
  packed_ = static_cast<std::uint8_t>(packed_ + earlier);
}

void SeriesHead::RemoveFront(std::size_t count) {
  const std::size_t left = count_ - count;
  ++version_;
  if (left > 0) {
    const std::uint32_t shift = offsets()[count];
    std::copy_n(values() + count, left, values());
    for (std::size_t i = 0; i < left; ++i) offsets()[i] = offsets()[count + i] - shift;
    base_ += shift;
  }
  count_ = static_cast<std::uint8_t>(left);
  packed_ = static_cast<std::uint8_t>(packed_ > count ? packed_ - count : 0);
}

void SeriesHead::AddChunk(std::span<const Timestamp> times, std::span<const double> samples,
                          Arena& arena) {
  thread_local std::string bytes;
  bytes.clear();
  EncodeChunk(times, samples, times.front(), bytes);
  // 512 samples of any kind stay below 64 KiB.
  assert(bytes.size() <= std::numeric_limits<std::uint16_t>::max());
  const auto span =
      static_cast<std::uint64_t>(times.back()) - static_cast<std::uint64_t>(times.front());
  char* const memory = arena.Allocate(sizeof(PackedChunk) + bytes.size());
  newest_ = new (memory) PackedChunk{
      newest_, times.front(),
      static_cast<std::uint32_t>(std::min<std::uint64_t>(span, PackedChunk::kWide)),
      static_cast<std::uint16_t>(bytes.size()), static_cast<std::uint16_t>(times.size())};
  std::memcpy(memory + sizeof(PackedChunk), bytes.data(), bytes.size());
}

bool SeriesHead::ReadChunks(Timestamp from, Timestamp to, Columns& out) const {
  std::vector<const PackedChunk*> chunks;
  for (const auto* chunk = newest_; chunk; chunk = chunk->previous) {
    const bool ends_before =
        chunk->span != PackedChunk::kWide && chunk
                                                 ->first<from&& static_cast<std::uint64_t>(from) -
                                                         static_cast<std::uint64_t>(chunk->first)>
                                                     chunk->span;
    if (chunk->first <= to && !ends_before) chunks.push_back(chunk);
  }
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) {
    if (!DecodeChunk((*chunk)->bytes(), (*chunk)->first, out)) return false;
  }
  return true;
}

bool SeriesHead::Read(Timestamp from, Timestamp to, Columns& out) const {
  const std::size_t start = out.size();
  const bool covered = Covers(from);
  if (!covered && !ReadChunks(from, to, out)) return false;
  std::size_t begin = covered ? 0 : packed_;
  while (begin < count_ && TimeAt(begin) < from) ++begin;
  std::size_t end = count_;
  while (end > begin && TimeAt(end - 1) > to) --end;
  out.values.insert(out.values.end(), values() + begin, values() + end);
  const std::size_t before = out.times.size();
  out.times.resize(before + end - begin);
  for (std::size_t i = begin; i < end; ++i) out.times[before + i - begin] = TimeAt(i);
  if (!covered) {
    SortByTime(out, start);
    Trim(out, start, from, to);
  }
  return true;
}

bool SeriesHead::ReadChain(const PackedChunk* newest, Columns& out) {
  const std::size_t start = out.size();
  std::vector<const PackedChunk*> chunks;
  for (const auto* chunk = newest; chunk; chunk = chunk->previous) chunks.push_back(chunk);
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) {
    if (!DecodeChunk((*chunk)->bytes(), (*chunk)->first, out)) return false;
  }
  SortByTime(out, start);
  return true;
}

SeriesHead::PackedChunk* SeriesHead::PackAll(Arena& arena) {
  Pack(arena);
  return newest_;
}

void SeriesHead::Drop(const PackedChunk* chunk) {
  if (newest_ == chunk) {
    newest_ = nullptr;
    return;
  }
  for (auto* later = newest_; later; later = later->previous) {
    if (later->previous == chunk) later->previous = nullptr;
  }
}

void SeriesHead::ForgetRecent() {
  assert(!HasUnpacked());
  delete[] recent_;
  recent_ = nullptr;
  capacity_ = count_ = packed_ = 0;
  wanted_ = read_ = false;
  ++version_;
}

}  // namespace vigia::history
