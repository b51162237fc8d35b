// A block: one immutable file with sealed chunks of many series, mapped into memory.
//
// The file holds the chunks, series after series, and a table of the series' labels, so it can be
// read by itself. Only the table is read when a block is opened; what a process keeps is where the
// chunks of each series begin. docs/history-format.md has the bytes. Thread-safe after
// SetSeries().

#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"
#include "core/series.h"
#include "query/history/postings.h"

namespace vigia::history {

inline constexpr std::string_view kBlockMagic = "VIGIABLK";
inline constexpr std::uint32_t kBlockVersion = 1;

// The last bytes of a block file.
struct BlockFooter {
  Timestamp min_time = 0;
  Timestamp max_time = 0;
  Timestamp origin = 0;  // what the chunks' times are relative to
  std::uint64_t samples = 0;
  std::uint64_t table_offset = 0;    // of the table of labels; the chunks end here
  std::uint64_t entries_offset = 0;  // of the array of chunk offsets; the table ends here
  std::uint32_t series = 0;
  // The journal's segments before this one have nothing that this and earlier blocks lack.
  std::uint32_t journal_segment = 0;
  std::uint32_t table_checksum = 0;
  std::uint32_t entries_checksum = 0;
  std::uint32_t version = kBlockVersion;
  std::uint32_t checksum = 0;  // of the footer up to here
  char magic[8] = {};
};
static_assert(sizeof(BlockFooter) == 80);

// One series of a block's table.
struct BlockSeries {
  Labels labels;
  Timestamp first = 0;
  Timestamp last = 0;
};

class Block {
 public:
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Opens and checks a file, and passes its series in order. kCorrupt if it is not whole.
  static Result<std::shared_ptr<Block>> Open(const std::filesystem::path& path,
                                             std::uint32_t number,
                                             const std::function<void(BlockSeries)>& on_series);

  // The ids under which the index has the series that Open() passed, in that order.
  void SetSeries(const std::vector<SeriesId>& ids);

  // Appends the samples of a series in [from, to]. Chunks whose checksum is wrong are left out
  // and counted in damaged().
  void Read(SeriesId id, Timestamp from, Timestamp to, Columns& out) const;
  bool Has(SeriesId id) const { return Find(id) != kNone; }
  // Ascending.
  const std::vector<SeriesId>& ids() const { return ids_; }

  const std::filesystem::path& path() const { return path_; }
  std::uint32_t number() const { return number_; }
  Timestamp min_time() const { return footer_.min_time; }
  Timestamp max_time() const { return footer_.max_time; }
  std::uint64_t samples() const { return footer_.samples; }
  std::uint32_t journal_segment() const { return footer_.journal_segment; }
  std::uint64_t bytes() const { return size_; }
  std::size_t HeapBytes() const;
  // Chunks found unreadable so far.
  std::uint64_t damaged() const { return damaged_.load(std::memory_order_relaxed); }

  // Gives the memory that reading the file has mapped back to the system; the page cache keeps it.
  void Unload() const;

 private:
  Block(std::filesystem::path path, std::uint32_t number)
      : path_(std::move(path)), number_(number) {}

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  Status Map();
  Status CheckFooter();
  Status ReadTable(const std::function<void(BlockSeries)>& on_series) const;
  std::uint32_t Find(SeriesId id) const;
  std::string_view Bytes(std::uint64_t begin, std::uint64_t end) const;
  std::string_view ChunksOf(std::uint32_t ordinal) const;

  // Constant after Open().
  const std::filesystem::path path_;
  const std::uint32_t number_;
  const char* data_ = nullptr;
  std::uint64_t size_ = 0;
  BlockFooter footer_;

  // Constant after SetSeries(): ids, and the place of each in the file. The places are left out
  // if they are 0, 1, 2...
  std::vector<SeriesId> ids_;
  std::vector<std::uint32_t> ordinals_;

  mutable std::atomic<std::uint64_t> damaged_ = 0;
};

// The blocks in use, by time.
using BlockList = std::vector<std::shared_ptr<const Block>>;

}  // namespace vigia::history
