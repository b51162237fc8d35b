#include "query/history/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/number.h"

namespace vigia::history {
namespace {

constexpr std::string_view kPrefix = "journal-";
// Between restart records: what a bad sector costs at most.
constexpr std::uint64_t kRestartBytes = 1 << 20;
// More should not wait for the next regular flush.
constexpr std::size_t kFlushBytes = 1 << 20;
// Samples that are written together, before the size of their record is looked at again.
constexpr std::size_t kPortion = 64;
// A buffer that is larger does not outlive what it was needed for.
constexpr std::size_t kKeptBuffer = 128 << 10;

}  // namespace

std::uint32_t SegmentNumber(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix)) return 0;
  const auto number = ParseUint(std::string_view(name).substr(kPrefix.size()));
  return number && *number <= ~std::uint32_t{0} ? static_cast<std::uint32_t>(*number) : 0;
}

std::filesystem::path SegmentPath(const std::filesystem::path& folder, std::uint32_t segment) {
  char name[32];
  std::snprintf(name, sizeof name, "journal-%08u", segment);
  return folder / name;
}

std::map<std::uint32_t, std::uint64_t> ListSegments(const std::filesystem::path& folder) {
  std::map<std::uint32_t, std::uint64_t> segments;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::uint32_t number = SegmentNumber(entry.path());
    if (number == 0) continue;
    const auto size = entry.file_size(error);
    if (!error) segments.emplace(number, size);
  }
  return segments;
}

Journal::Journal(Options options, std::uint32_t first)
    : options_(std::move(options)), segment_(first), file_segment_(first) {
  std::uint64_t bytes = 0;
  for (const auto& [number, size] : ListSegments(options_.folder)) bytes += size;
  disk_bytes_ = bytes;
}

Journal::~Journal() {
  static_cast<void>(Flush());
  CloseFile();
}

void Journal::OpenRecord() {
  record_ = BeginRecord(buffer_);
  buffer_ += static_cast<char>(RecordType::kSamples);
  writer_.Reset();
}

void Journal::CloseRecord() {
  if (record_ == kNoRecord) return;
  EndRecord(buffer_, record_);
  since_restart_ += buffer_.size() - record_;
  record_ = kNoRecord;
  if (since_restart_ < kRestartBytes) return;
  const std::size_t restart = BeginRecord(buffer_);
  buffer_ += kRestartMark;
  EndRecord(buffer_, restart);
  ++generation_;
  since_restart_ = 0;
}

// Writes definitions for the series that the segment has not named yet.
void Journal::DefineNew(std::span<const Entry> entries) {
  std::size_t record = kNoRecord;
  for (const auto& entry : entries) {
    if (entry.series->journal_generation >= segment_generation_) continue;
    if (record == kNoRecord) {
      CloseRecord();
      record = BeginRecord(buffer_);
      buffer_ += static_cast<char>(RecordType::kSeries);
      definitions_.Reset();
    }
    definitions_.Append(buffer_, entry.series->id, entry.series->labels);
    entry.series->journal_generation = generation_;
    entry.series->journal_value.bits = 0;
    if (buffer_.size() - record >= kRecordBytes) {
      EndRecord(buffer_, record);
      record = kNoRecord;
    }
  }
  if (record != kNoRecord) EndRecord(buffer_, record);
}

// Adds at most kPortion samples to the open record. Needs mutex_.
void Journal::WriteSamples(std::span<const Entry> entries) {
  std::array<char, kPortion * SampleWriter::kMostBytes> bytes;
  char* at = bytes.data();
  for (const auto& [series, sample] : entries) {
    if (series->journal_generation != generation_) {
      series->journal_generation = generation_;
      series->journal_value.bits = 0;
    }
    at = writer_.Write(at, series->id, sample, series->journal_value);
  }
  buffer_.append(bytes.data(), at);
}

bool Journal::Append(std::span<const Entry> entries) {
  if (entries.empty()) return false;
  const std::lock_guard lock(mutex_);
  DefineNew(entries);
  for (auto rest = entries; !rest.empty();) {
    const auto portion = rest.first(std::min(rest.size(), kPortion));
    rest = rest.subspan(portion.size());
    if (record_ == kNoRecord) OpenRecord();
    WriteSamples(portion);
    if (buffer_.size() - record_ >= kRecordBytes) CloseRecord();
  }
  buffered_samples_ += entries.size();
  return buffer_.size() >= kFlushBytes;
}

// Needs mutex_ and io_mutex_.
void Journal::TakeBuffer() {
  CloseRecord();
  if (waiting_.empty()) {
    waiting_.swap(buffer_);
  } else {
    waiting_ += buffer_;
  }
  buffer_.clear();
  waiting_samples_ += std::exchange(buffered_samples_, 0);
}

// Ends the segment: what is appended from now on is of the next. Needs io_mutex_. What the disk
// refuses now is lost to the journal, for values of the next segment must not build on it.
void Journal::EndSegment() {
  std::uint32_t next = 0;
  {
    const std::lock_guard lock(mutex_);
    TakeBuffer();
    // A number is used up by a file only, so that readers can tell when one was removed.
    if (file_ >= 0 || !waiting_.empty()) ++segment_;
    next = segment_;
    segment_generation_ = ++generation_;
    since_restart_ = 0;
  }
  if (!WriteOut()) {
    lost_.fetch_add(waiting_samples_, std::memory_order_relaxed);
    given_up_.store(file_segment_, std::memory_order_relaxed);
    waiting_ = {};
    waiting_samples_ = 0;
    if (file_ >= 0 && ::ftruncate(file_, static_cast<off_t>(offset_)) != 0) {
      errors_.fetch_add(1, std::memory_order_relaxed);  // readers cut the torn tail themselves
    }
  }
  CloseFile();
  file_segment_ = next;
  waiting_bytes_.store(0, std::memory_order_relaxed);
}

Status Journal::Flush() {
  const std::lock_guard io_lock(io_mutex_);
  {
    const std::lock_guard lock(mutex_);
    TakeBuffer();
  }
  auto status = WriteOut();
  waiting_bytes_.store(waiting_.size(), std::memory_order_relaxed);
  if (offset_ >= options_.segment_bytes || waiting_.size() > options_.max_waiting_bytes) {
    EndSegment();
  }
  return status;
}

Status Journal::Sync() {
  if (auto status = Flush(); !status) return status;
  const std::lock_guard io_lock(io_mutex_);
  if (auto status = SyncFile(); !status) return status;
  if (!Incomplete()) return Ok();
  return Fail(ErrorCode::kUnavailable,
              "the disk refused samples that only memory has until a file is written");
}

// Needs io_mutex_.
Status Journal::SyncFile() {
  if (!options_.fsync || !unsynced_ || file_ < 0) return Ok();
  unsynced_ = false;
  if (::fdatasync(file_) == 0) return Ok();
  // The kernel forgets what it could not write: asking again would find nothing wrong.
  const int number = errno;
  errors_.fetch_add(1, std::memory_order_relaxed);
  given_up_.store(file_segment_, std::memory_order_relaxed);
  return Fail(SystemError(SegmentPath(options_.folder, file_segment_).string(), number));
}

Status Journal::OpenFile() {
  if (file_ >= 0) return Ok();
  const auto path = SegmentPath(options_.folder, file_segment_);
  file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file_ < 0) return Fail(SystemError(path.string(), errno));
  offset_ = 0;
  waiting_.insert(0, SegmentHeader(file_segment_));
  return Ok();
}

void Journal::CloseFile() {
  if (file_ < 0) return;
  static_cast<void>(SyncFile());  // counted there, and told by the next Sync()
  unsynced_ = false;
  ::close(file_);
  file_ = -1;
  offset_ = 0;
}

Status Journal::WriteOut() {
  if (waiting_.empty()) return Ok();
  if (auto status = OpenFile(); !status) {
    errors_.fetch_add(1, std::memory_order_relaxed);
    return status;
  }
  // A write that fails halfway is repeated whole, at the same place.
  std::size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t n = ::pwrite(file_, waiting_.data() + written, waiting_.size() - written,
                               static_cast<off_t>(offset_ + written));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      errors_.fetch_add(1, std::memory_order_relaxed);
      return Fail(SystemError(SegmentPath(options_.folder, file_segment_).string(),
                              n == 0 ? ENOSPC : errno));
    }
    written += static_cast<std::size_t>(n);
  }
  offset_ += written;
  disk_bytes_.fetch_add(written, std::memory_order_relaxed);
  unsynced_ = true;
  waiting_.clear();
  waiting_samples_ = 0;
  if (waiting_.capacity() > kKeptBuffer && written < waiting_.capacity() / 4) {
    waiting_.shrink_to_fit();
  }
  return Ok();
}

std::uint32_t Journal::Rotate() {
  const std::lock_guard io_lock(io_mutex_);
  EndSegment();
  return file_segment_;
}

void Journal::Release(std::uint32_t segment) {
  const std::lock_guard io_lock(io_mutex_);
  if (given_up_.load(std::memory_order_relaxed) < segment) {
    given_up_.store(0, std::memory_order_relaxed);
  }
  const auto segments = ListSegments(options_.folder);
  std::uint64_t left = 0;
  for (const auto& [number, size] : segments) left += size;
  const std::uint32_t followed = followed_.load(std::memory_order_relaxed);
  for (const auto& [number, size] : segments) {
    if (number >= segment || (number >= followed && left <= options_.keep_bytes)) break;
    std::error_code ignored;
    if (std::filesystem::remove(SegmentPath(options_.folder, number), ignored)) left -= size;
  }
  disk_bytes_.store(left, std::memory_order_relaxed);
}

}  // namespace vigia::history
