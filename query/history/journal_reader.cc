#include "query/history/journal_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/file.h"
#include "query/history/journal.h"

namespace vigia::history {
namespace {

constexpr std::size_t kWindow = 1 << 20;
constexpr std::size_t kMaxSegmentBytes = std::size_t{1} << 31;

// Everything before `good` stays.
Status Repair(const std::filesystem::path& path, bool corrupt, std::size_t good) {
  std::error_code error;
  if (corrupt) {
    auto aside = path;
    aside += ".corrupt";
    std::filesystem::copy_file(path, aside, std::filesystem::copy_options::overwrite_existing,
                               error);
    if (error) return Fail(SystemError(aside.string(), error.value()));
  }
  std::filesystem::resize_file(path, good, error);
  if (error) return Fail(SystemError(path.string(), error.value()));
  return Ok();
}

}  // namespace

Result<Replayed> ReplaySegment(const std::filesystem::path& path, std::uint32_t segment,
                               const SegmentDecoder::OnSample& on_sample) {
  auto content = ReadFile(path, kMaxSegmentBytes);
  if (!content) return Fail(content.error());
  Replayed replayed;
  SegmentDecoder decoder;
  std::string_view bytes = *content;
  std::size_t good = kSegmentHeaderBytes;
  if (IsSegmentHeader(bytes, segment)) {
    bytes.remove_prefix(kSegmentHeaderBytes);
  } else if (bytes.size() < kSegmentHeaderBytes) {
    replayed.torn = true;
    good = 0;
    bytes = {};
  } else {
    // Records may be whole behind a damaged header.
    replayed.corrupt = true;
    good = 0;
    bytes.remove_prefix(kSegmentHeaderBytes);
  }
  const auto count = [&](SegmentDecoder::Known& known, Sample sample) {
    ++replayed.samples;
    on_sample(known, sample);
  };
  for (bool more = true; more;) {
    switch (decoder.Next(bytes, count)) {
      case SegmentDecoder::Outcome::kRecord:
        if (!replayed.corrupt) good = content->size() - bytes.size();
        break;
      case SegmentDecoder::Outcome::kEnd:
        more = false;
        break;
      case SegmentDecoder::Outcome::kTorn:
        replayed.torn = true;
        more = false;
        break;
      case SegmentDecoder::Outcome::kCorrupt:
        replayed.corrupt = true;
        more = SegmentDecoder::SkipToRestart(bytes);
        break;
    }
  }
  replayed.orphans = decoder.orphans();
  if (replayed.torn || replayed.corrupt) {
    if (auto status = Repair(path, replayed.corrupt, good); !status) return Fail(status.error());
  }
  return replayed;
}

JournalReader::JournalReader(std::filesystem::path folder, JournalPosition from)
    : folder_(std::move(folder)), position_(from), skip_until_(from.offset) {}

JournalReader::~JournalReader() {
  if (file_ >= 0) ::close(file_);
}

Status JournalReader::OpenSegment(std::uint32_t segment, Batch& batch) {
  const auto path = SegmentPath(folder_, segment);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Fail(SystemError(path.string(), errno));
  if (file_ >= 0) ::close(file_);
  file_ = file;
  if (segment != position_.segment) skip_until_ = 0;
  position_ = {segment, 0};
  window_.clear();
  decoder_ = std::make_unique<SegmentDecoder>();
  if (auto filled = Fill(); !filled) return Fail(filled.error());
  if (window_.size() >= kSegmentHeaderBytes) {
    batch.gap |= !IsSegmentHeader(window_, segment);
    window_.erase(0, kSegmentHeaderBytes);
    position_.offset = kSegmentHeaderBytes;
  }
  return Ok();
}

// Opens the segment to read on in, if none is open; false if there is none yet.
bool JournalReader::FindSegment(Batch& batch) {
  if (file_ >= 0 && position_.offset >= kSegmentHeaderBytes) return true;
  const auto segments = ListSegments(folder_);
  if (segments.empty()) return false;
  auto found = segments.lower_bound(position_.segment);
  if (found == segments.end()) found = segments.begin();  // not a position of this journal
  const bool behind = position_.segment != 0 && found->first != position_.segment;
  if (!OpenSegment(found->first, batch)) return false;
  batch.gap |= behind;
  return position_.offset >= kSegmentHeaderBytes;
}

// Reads on behind the window, unless it still holds enough; returns how many bytes came.
Result<std::size_t> JournalReader::Fill() {
  const std::size_t size = window_.size();
  if (size > kMaxRecordBytes + kRecordHeaderBytes) return std::size_t{0};
  window_.resize(size + kWindow);
  ssize_t n = 0;
  do {
    n = ::pread(file_, window_.data() + size, kWindow, static_cast<off_t>(position_.offset + size));
  } while (n < 0 && errno == EINTR);
  window_.resize(size + static_cast<std::size_t>(n > 0 ? n : 0));
  if (n < 0) return Fail(SystemError(SegmentPath(folder_, position_.segment).string(), errno));
  return static_cast<std::size_t>(n);
}

Result<JournalReader::Batch> JournalReader::Next(std::size_t max_samples) {
  Batch batch;
  while (batch.entries.size() < max_samples && FindSegment(batch)) {
    // Asked before reading: a segment is complete once a later one exists.
    const auto segments = ListSegments(folder_);
    const auto later = segments.upper_bound(position_.segment);
    const auto filled = Fill();
    if (!filled) return Fail(filled.error());
    if (DecodeWindow(batch, max_samples) || *filled > 0) continue;
    if (later == segments.end()) break;
    batch.gap |= later->first != position_.segment + 1;
    if (auto status = OpenSegment(later->first, batch); !status) return Fail(status.error());
  }
  batch.next = position_;
  return batch;
}

// Whether it stopped for another reason than that the bytes at hand ended.
bool JournalReader::DecodeWindow(Batch& batch, std::size_t max_samples) {
  std::string_view bytes = window_;
  auto outcome = SegmentDecoder::Outcome::kRecord;
  std::size_t taken = 0;
  while (outcome == SegmentDecoder::Outcome::kRecord && batch.entries.size() < max_samples) {
    const bool fresh = position_.offset + taken >= skip_until_;
    outcome = decoder_->Next(bytes, [&](SegmentDecoder::Known& known, Sample sample) {
      if (fresh) batch.entries.push_back({known.labels, sample});
    });
    if (outcome == SegmentDecoder::Outcome::kCorrupt) {
      batch.gap = true;
      if (SegmentDecoder::SkipToRestart(bytes)) outcome = SegmentDecoder::Outcome::kRecord;
    }
    taken = window_.size() - bytes.size();
  }
  window_.erase(0, taken);
  position_.offset += taken;
  return outcome == SegmentDecoder::Outcome::kRecord;
}

}  // namespace vigia::history
