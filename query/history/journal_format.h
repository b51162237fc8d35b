// The bytes of the journal: segments of records. docs/history-format.md describes them.
//
// A segment stands for itself: it defines every series that it names, and values are written as
// the difference from the series' previous value in the same segment. A record lost to a bad disk
// would make the values behind it unreadable, so now and then a restart record lets all values
// begin anew.

#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/labels.h"
#include "core/sample.h"
#include "query/history/bytes.h"
#include "query/history/postings.h"
#include "query/history/previous_value.h"
#include "query/history/series_index.h"

namespace vigia::history {

inline constexpr std::string_view kJournalMagic = "VIGIAJNL";
inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 20;
inline constexpr std::size_t kRecordHeaderBytes = 8;
// Writers close a record when it has grown past the first, readers refuse above the second.
inline constexpr std::size_t kRecordBytes = 64 * 1024;
inline constexpr std::size_t kMaxRecordBytes = 4 * 1024 * 1024;
inline constexpr std::string_view kRestartMark = "\x03vigia: restart\n\xa5";

enum class RecordType : std::uint8_t { kSeries = 1, kSamples = 2, kRestart = 3 };

std::string SegmentHeader(std::uint32_t segment);
// Whether `bytes` begin with the header of segment number `segment`.
bool IsSegmentHeader(std::string_view bytes, std::uint32_t segment);

// Appends a record's payload to `out`, between BeginRecord() and EndRecord(), which fill in the
// header in front of it.
std::size_t BeginRecord(std::string& out);
void EndRecord(std::string& out, std::size_t begin);

// Writes the definitions of series in one record, each string once.
class DefinitionWriter {
 public:
  // At the begin of each record.
  void Reset() { numbers_.clear(); }
  // `labels` are kept until the next Reset().
  void Append(std::string& out, SeriesId id, const Labels& labels);

 private:
  std::unordered_map<std::string_view, std::uint64_t, StringHash> numbers_;
};

// Writes samples one after another, each as a step from the one before.
class SampleWriter {
 public:
  // At the begin of each record.
  void Reset() { *this = {}; }
  // Bytes that a sample takes at most.
  static constexpr std::size_t kMostBytes = 1 + 3 * kMaxVarintBytes;
  // Writes it at `out`, which has room for kMostBytes, and returns its end.
  char* Write(char* out, SeriesId id, Sample sample, PreviousValue& previous);

 private:
  std::int64_t id_ = 0;
  std::int64_t time_ = 0;
  std::int64_t id_step_ = 0;
  std::int64_t time_step_ = 0;
};

// Reads the records of one segment. Not thread-safe.
class SegmentDecoder {
 public:
  // A series as the segment knows it.
  struct Known {
    Labels labels;
    SeriesPointer series;  // for the caller to keep what it found
    std::uint64_t bits = 0;
    std::uint64_t restart = 0;
  };
  using OnSample = std::function<void(Known&, Sample)>;

  enum class Outcome {
    kRecord,   // one was read
    kEnd,      // the bytes end behind a whole record
    kTorn,     // they end within one: a write that did not finish
    kCorrupt,  // they are not a record
  };

  // Reads the record at the front of `bytes` and removes it from there.
  Outcome Next(std::string_view& bytes, const OnSample& on_sample);
  // After kCorrupt: goes on to the next restart record; false if there is none.
  static bool SkipToRestart(std::string_view& bytes);

  // Samples of series whose definition is lost.
  std::size_t orphans() const { return orphans_; }

 private:
  bool ReadSeries(ByteReader& in);
  bool ReadSamples(ByteReader& in, const OnSample& on_sample);

  std::unordered_map<SeriesId, Known> known_;
  std::uint64_t restarts_ = 0;
  std::size_t orphans_ = 0;
};

}  // namespace vigia::history
