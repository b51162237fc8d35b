// Writes a block file: into a temporary file beside it, which takes its name when it is whole and
// on the disk. Not thread-safe.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "query/history/block.h"

namespace vigia::history {

// "block-00000012", and back (0 if `path` is none).
std::filesystem::path BlockPath(const std::filesystem::path& folder, std::uint32_t number);
std::uint32_t BlockNumber(const std::filesystem::path& path);
// What a writer that was killed leaves behind ends in this.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

class BlockWriter {
 public:
  explicit BlockWriter(std::filesystem::path path);
  // Removes what was not finished.
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // Adds all samples of a series, times ascending, at least one. Series come in the order of
  // their labels. After an error nothing more can be added.
  Status Add(const Labels& labels, const Columns& samples);

  // Makes the file. Series are read from it in the order in which they were added.
  Status Finish(std::uint32_t journal_segment);

  std::size_t series() const { return series_.size(); }
  // So far; a block has less than 4 GiB.
  std::uint64_t bytes() const { return written_ + buffer_.size(); }

 private:
  struct Entry {
    Labels labels;
    Timestamp first;
    Timestamp last;
  };

  void AddChunk(std::span<const Timestamp> times, std::span<const double> values);
  std::string Table() const;
  Status WriteBuffer();
  Status Publish();

  const std::filesystem::path path_;
  const std::filesystem::path temporary_;
  int file_ = -1;
  bool failed_ = false;
  std::string buffer_;
  std::string chunk_;
  std::uint64_t written_ = 0;
  BlockFooter footer_;
  std::vector<Entry> series_;
  std::vector<std::uint32_t> offsets_;
};

}  // namespace vigia::history
