// Reading the journal back: after a restart, and along while it is written.

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "query/history/journal_format.h"

namespace vigia::history {

// What became of a segment that was read back.
struct Replayed {
  std::size_t samples = 0;
  bool torn = false;        // a write that did not finish was cut off
  bool corrupt = false;     // records were unreadable; a copy of the file was set aside
  std::size_t orphans = 0;  // samples of series whose definition was among them
};

// Reads a segment and repairs the file: a torn tail is cut; a file with unreadable records is
// copied to *.corrupt, and everything from the first of them is cut after what lies behind has
// been read.
Result<Replayed> ReplaySegment(const std::filesystem::path& path, std::uint32_t segment,
                               const SegmentDecoder::OnSample& on_sample);

// Where a reader is in the journal; stays valid over restarts while the segment lasts.
struct JournalPosition {
  std::uint32_t segment = 0;  // 0: the oldest there is
  std::uint64_t offset = 0;

  friend auto operator<=>(const JournalPosition&, const JournalPosition&) = default;
};

// Follows the journal record by record, from another thread than its writer. Sees what was
// flushed. Not thread-safe.
class JournalReader {
 public:
  JournalReader(std::filesystem::path folder, JournalPosition from);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  struct Batch {
    std::vector<SeriesSink::Entry> entries;
    JournalPosition next;  // behind them
    // Samples before these are gone: segments were removed, or records were unreadable.
    bool gap = false;
  };

  // The samples that follow, about `max_samples` of them (records are not divided); no entries
  // if there is nothing new yet.
  Result<Batch> Next(std::size_t max_samples);

 private:
  Status OpenSegment(std::uint32_t segment, Batch& batch);
  bool FindSegment(Batch& batch);
  Result<std::size_t> Fill();
  bool DecodeWindow(Batch& batch, std::size_t max_samples);

  const std::filesystem::path folder_;
  JournalPosition position_;
  std::uint64_t skip_until_ = 0;  // records before this offset were delivered already
  int file_ = -1;
  std::string window_;  // bytes from position_.offset on
  std::unique_ptr<SegmentDecoder> decoder_;
};

}  // namespace vigia::history
