// The journal: every accepted sample is written here first, so that a killed process loses at
// most what was not flushed yet.
//
// It is a row of segment files. Append() adds to a buffer in memory; Flush() hands the buffer to
// the kernel, which keeps it when the process is killed; Sync() puts it on the disk too if so
// configured. Segments are removed once files hold their samples. Thread-safe; appending never
// waits for the disk.
//
// When the disk refuses (full), what is to be written waits, up to a limit; beyond that it is
// dropped and counted. The samples stay in memory all the same, and a later file has them. Until
// then Sync() fails: whoever asks whether everything is stored must not be told so.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "core/result.h"
#include "query/history/journal_format.h"
#include "query/history/series.h"

namespace vigia::history {

// The number of a segment file, or 0 if `path` is none.
std::uint32_t SegmentNumber(const std::filesystem::path& path);
std::filesystem::path SegmentPath(const std::filesystem::path& folder, std::uint32_t segment);
// The segments in a folder, by number, with their sizes.
std::map<std::uint32_t, std::uint64_t> ListSegments(const std::filesystem::path& folder);

class Journal {
 public:
  struct Options {
    std::filesystem::path folder;
    bool fsync = false;
    // What to keep at most, in whole segments, although files hold their samples: for those who
    // follow.
    std::uint64_t keep_bytes = 0;
    std::uint64_t segment_bytes = 64 << 20;
    std::size_t max_waiting_bytes = 32 << 20;
  };

  struct Entry {
    Series* series;
    Sample sample;
  };

  // Begins segment number `first`, whose file appears with the first Flush().
  Journal(Options options, std::uint32_t first);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // True if so much is waiting that a Flush() is due before the next regular one.
  bool Append(std::span<const Entry> entries);
  Status Flush();
  Status Sync();
  // Whether the journal gave up samples that no file has yet.
  bool Incomplete() const { return given_up_.load(std::memory_order_relaxed) != 0; }

  // Ends the segment; what is appended from now on goes to the one returned.
  std::uint32_t Rotate();
  // Files hold all samples of the segments before `segment`: they are removed, but for the last
  // `keep_bytes` of those that a follower may still need.
  void Release(std::uint32_t segment);
  // Nobody who follows needs segments before `segment` any more. Before the first call all count
  // as needed.
  void Followed(std::uint32_t segment) { followed_.store(segment, std::memory_order_relaxed); }

  std::uint64_t DiskBytes() const { return disk_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t lost_samples() const { return lost_.load(std::memory_order_relaxed); }
  std::uint64_t write_errors() const { return errors_.load(std::memory_order_relaxed); }
  std::size_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }

 private:
  void CloseRecord();
  void OpenRecord();
  void DefineNew(std::span<const Entry> entries);
  void WriteSamples(std::span<const Entry> entries);
  void TakeBuffer();
  void EndSegment();
  Status WriteOut();
  Status OpenFile();
  Status SyncFile();
  void CloseFile();

  const Options options_;

  // Guarded by mutex_: what is not handed to the writer yet, always of segment_.
  mutable std::mutex mutex_;
  std::string buffer_;
  std::size_t record_ = kNoRecord;  // where the open samples record begins
  SampleWriter writer_;
  DefinitionWriter definitions_;
  std::uint32_t segment_;
  // Counts segments and restart records; Series::journal_generation is one of these.
  std::uint32_t generation_ = 1;
  std::uint32_t segment_generation_ = 1;  // with which the segment began
  std::uint64_t since_restart_ = 0;
  std::uint64_t buffered_samples_ = 0;

  // Guarded by io_mutex_, which is taken before mutex_.
  std::mutex io_mutex_;
  std::string waiting_;
  std::uint64_t waiting_samples_ = 0;
  std::uint32_t file_segment_;
  int file_ = -1;
  std::uint64_t offset_ = 0;  // of waiting_ in the file
  bool unsynced_ = false;

  // The newest segment that lacks samples which no file has either; 0: none. Written under
  // io_mutex_.
  std::atomic<std::uint32_t> given_up_ = 0;

  std::atomic<std::uint32_t> followed_ = 0;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  std::atomic<std::size_t> waiting_bytes_ = 0;

  static constexpr std::size_t kNoRecord = ~std::size_t{0};
};

}  // namespace vigia::history
