// The samples of one series that are not in a file yet.
//
// The newest lie open ("recent"), so that appending is a store and the usual instant query reads
// no chunk. When there are too many of them, those not packed yet are packed into a small chunk;
// the chunks form a chain from the newest to the oldest. Writing a file packs the chain into one
// chunk and drops it.
//
// How many stay open depends on demand: most series of a fleet are never asked for. One that was
// not read since its last chunk keeps none; a reader that had to look into chunks or files for a
// few samples leaves them here (Refill), and the next one finds them.
//
// Not thread-safe: the shard that the series belongs to has a mutex.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/sample.h"
#include "core/series.h"

namespace vigia::history {

// Memory for chunks that are all freed together, once a file has what they hold.
//
// It comes from the system and goes back there at once: from the heap, slabs would be holes that
// small allocations keep from being given back, and their unused ends would be memory in use.
class Arena {
 public:
  static constexpr std::size_t kSlab = 64 * 1024;

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Aligned for pointers; never fails.
  char* Allocate(std::size_t size);
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::span<char>> slabs_;
  std::size_t left_ = 0;
  char* next_ = nullptr;
  std::size_t bytes_ = 0;
};

class SeriesHead {
 public:
  // Recent samples at most, and how many of them stay when a chunk is packed: five minutes'
  // worth at 15 s, which is what an instant query looks back.
  static constexpr std::size_t kRecent = 40;
  static constexpr std::size_t kKept = 24;
  // Recent samples at most of a series that nobody reads.
  static constexpr std::size_t kUnread = 16;

  // In the arena, the packed samples behind it.
  struct PackedChunk {
    PackedChunk* previous;
    Timestamp first;
    std::uint32_t span;  // of time; kWide for more than fits
    std::uint16_t size;
    std::uint16_t count;

    static constexpr std::uint32_t kWide = ~std::uint32_t{0};
    std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };

  SeriesHead() = default;
  ~SeriesHead() { delete[] recent_; }
  SeriesHead(const SeriesHead&) = delete;
  SeriesHead& operator=(const SeriesHead&) = delete;

  // Adds a sample later than all of the series, here and in files.
  void Append(Sample sample, Arena& arena);

  // Whether every sample of the series at `time` or later is among the recent ones.
  bool Covers(Timestamp time) const { return count_ > 0 && time >= base_; }
  // Whether a reader of everything up to `time` sees all that is older than the recent ones;
  // `last` is the time of the newest sample of the series.
  bool Meets(Timestamp time, Timestamp last) const { return time >= (count_ > 0 ? base_ : last); }
  // Changes whenever recent samples go, or older ones come.
  std::uint16_t version() const { return version_; }
  // The recent ones are asked for: they stay.
  void NoteRead() { wanted_ = read_ = true; }
  // Puts samples before the recent ones: all that the series has from `from` on, at least one, as
  // read when the version was the same and Meets() was true. Does nothing if they are too many.
  void Refill(Timestamp from, std::span<const Timestamp> times, std::span<const double> values);
  // The recent sample at exactly `time`, or nullptr.
  const double* FindRecent(Timestamp time) const;
  // Adds samples, times ascending, that are earlier than the latest and not stored yet.
  void Insert(std::span<const Timestamp> times, std::span<const double> values, Arena& arena);

  // Appends what is here of [from, to], ascending and unique; `out` may hold earlier samples.
  // False if a chunk cannot be read, which is our own bug.
  bool Read(Timestamp from, Timestamp to, Columns& out) const;

  // Packs what is not packed yet, so that the chain from the returned chunk has all samples that
  // are not in files; nullptr if there are none.
  PackedChunk* PackAll(Arena& arena);
  // Appends all samples of a chain that PackAll() returned, ascending and unique. Other threads
  // may append to the head meanwhile.
  static bool ReadChain(const PackedChunk* newest, Columns& out);
  // Ends the chain before `chunk`, which PackAll() returned: a file has it now.
  void Drop(const PackedChunk* chunk);
  // Frees the recent samples, all of which have to be packed.
  void ForgetRecent();

  bool HasChunks() const { return newest_ != nullptr; }
  bool HasUnpacked() const { return packed_ < count_; }
  std::size_t RecentBytes() const { return capacity_ * kBytesPerRecent; }

 private:
  static constexpr std::size_t kBytesPerRecent = sizeof(double) + sizeof(std::uint32_t);

  // One allocation: values, then times relative to base_.
  double* values() const { return reinterpret_cast<double*>(recent_); }
  std::uint32_t* offsets() const {
    return reinterpret_cast<std::uint32_t*>(recent_ + capacity_ * sizeof(double));
  }
  Timestamp TimeAt(std::size_t i) const { return base_ + offsets()[i]; }
  std::size_t LowerBound(Timestamp time) const;

  std::size_t Limit() const { return wanted_ ? kRecent : kUnread; }
  void Grow(std::size_t capacity);
  void GrowByOne();
  void Pack(Arena& arena);
  void MakeRoom(Arena& arena);
  void RemoveFront(std::size_t count);
  void InsertRecent(Sample sample);
  void AddChunk(std::span<const Timestamp> times, std::span<const double> values, Arena& arena);
  bool ReadChunks(Timestamp from, Timestamp to, Columns& out) const;

  PackedChunk* newest_ = nullptr;
  char* recent_ = nullptr;
  Timestamp base_ = 0;  // all samples from here on are recent ones
  std::uint8_t capacity_ = 0;
  std::uint8_t count_ = 0;
  std::uint8_t packed_ = 0;  // so many recent samples, from the front, are in chunks or files too
  bool wanted_ = false;
  bool read_ = false;  // since the last chunk was packed
  std::uint16_t version_ = 0;
};

}  // namespace vigia::history
