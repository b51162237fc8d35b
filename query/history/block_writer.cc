#include "query/history/block_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "core/hash.h"
#include "core/number.h"
#include "query/history/bytes.h"
#include "query/history/checksum.h"
#include "query/history/chunk.h"

namespace vigia::history {
namespace {

constexpr std::string_view kPrefix = "block-";
constexpr std::size_t kBufferBytes = 1 << 20;

}  // namespace

std::filesystem::path BlockPath(const std::filesystem::path& folder, std::uint32_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "block-%08u", number);
  return folder / name;
}

std::uint32_t BlockNumber(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix)) return 0;
  const auto number = ParseUint(std::string_view(name).substr(kPrefix.size()));
  return number && *number <= ~std::uint32_t{0} ? static_cast<std::uint32_t>(*number) : 0;
}

BlockWriter::BlockWriter(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + std::string(kTemporarySuffix)) {
  footer_.min_time = std::numeric_limits<Timestamp>::max();
  footer_.max_time = std::numeric_limits<Timestamp>::min();
  buffer_ = kBlockMagic;
  AppendFixed(buffer_, kBlockVersion);
  AppendFixed(buffer_, std::uint32_t{0});
}

BlockWriter::~BlockWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

Status BlockWriter::Add(const Labels& labels, const Columns& samples) {
  assert(samples.size() > 0 && !failed_);
  if (series_.empty()) footer_.origin = samples.times.front();
  offsets_.push_back(static_cast<std::uint32_t>(bytes()));
  series_.push_back({labels, samples.times.front(), samples.times.back()});
  footer_.min_time = std::min(footer_.min_time, samples.times.front());
  footer_.max_time = std::max(footer_.max_time, samples.times.back());
  footer_.samples += samples.size();

  // Chunks of about equal size.
  const std::size_t chunks = (samples.size() + kMaxChunkSamples - 1) / kMaxChunkSamples;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t begin = samples.size() * i / chunks;
    const std::size_t count = samples.size() * (i + 1) / chunks - begin;
    AddChunk(std::span(samples.times).subspan(begin, count),
             std::span(samples.values).subspan(begin, count));
  }
  if (bytes() > std::numeric_limits<std::uint32_t>::max()) {
    failed_ = true;
    return Fail(ErrorCode::kInternal, path_.string() + ": block of more than 4 GiB");
  }
  return buffer_.size() < kBufferBytes ? Ok() : WriteBuffer();
}

// Size, checksum, first time, span of time, and the chunk.
void BlockWriter::AddChunk(std::span<const Timestamp> times, std::span<const double> values) {
  chunk_.clear();
  AppendZigzag(chunk_, WrappingSub(times.front(), footer_.origin));
  AppendVarint(chunk_, static_cast<std::uint64_t>(WrappingSub(times.back(), times.front())));
  EncodeChunk(times, values, times.front(), chunk_);
  AppendVarint(buffer_, chunk_.size());
  AppendFixed(buffer_, Checksum(chunk_));
  buffer_ += chunk_;
}

Status BlockWriter::WriteBuffer() {
  if (file_ < 0) {
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  }
  std::size_t done = 0;
  while (file_ >= 0 && done < buffer_.size()) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  if (file_ < 0 || done < buffer_.size()) {
    failed_ = true;
    return Fail(SystemError(temporary_.string(), errno));
  }
  written_ += buffer_.size();
  buffer_.clear();
  return Ok();
}

// The strings that occur, then per series how many labels it has in common with the one before,
// the others, and its first and last time.
std::string BlockWriter::Table() const {
  std::unordered_map<std::string_view, std::uint64_t, StringHash> numbers;
  std::string symbols;
  std::string rows;
  const auto number_of = [&](std::string_view text) {
    const auto [found, fresh] = numbers.try_emplace(text, numbers.size());
    if (fresh) {
      AppendVarint(symbols, text.size());
      symbols += text;
    }
    return found->second;
  };
  const Labels* before = nullptr;
  for (const auto& [labels, first, last] : series_) {
    std::size_t shared = 0;
    const std::size_t most = before ? std::min(before->size(), labels.size()) : 0;
    while (shared < most && labels[shared] == (*before)[shared]) ++shared;
    AppendVarint(rows, shared);
    AppendVarint(rows, labels.size() - shared);
    for (std::size_t i = shared; i < labels.size(); ++i) {
      AppendVarint(rows, number_of(labels[i].name));
      AppendVarint(rows, number_of(labels[i].value));
    }
    AppendVarint(rows, static_cast<std::uint64_t>(WrappingSub(first, footer_.min_time)));
    AppendVarint(rows, static_cast<std::uint64_t>(WrappingSub(footer_.max_time, last)));
    before = &labels;
  }
  std::string table;
  AppendVarint(table, numbers.size());
  return table + symbols + rows;
}

Status BlockWriter::Finish(std::uint32_t journal_segment) {
  footer_.series = static_cast<std::uint32_t>(series_.size());
  footer_.journal_segment = journal_segment;
  footer_.table_offset = bytes();
  const std::string table = Table();
  footer_.table_checksum = Checksum(table);
  footer_.entries_offset = footer_.table_offset + table.size();
  const std::string_view entries(reinterpret_cast<const char*>(offsets_.data()),
                                 offsets_.size() * sizeof offsets_[0]);
  footer_.entries_checksum = Checksum(entries);
  buffer_ += table;
  buffer_ += entries;

  std::string footer(reinterpret_cast<const char*>(&footer_), sizeof footer_);
  footer.resize(offsetof(BlockFooter, checksum));
  AppendFixed(footer, Checksum(footer));
  footer += kBlockMagic;
  buffer_ += footer;
  if (auto status = WriteBuffer(); !status) return status;
  return Publish();
}

Status BlockWriter::Publish() {
  int error = ::fsync(file_) != 0 ? errno : 0;
  if (::close(std::exchange(file_, -1)) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary_.c_str(), path_.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary_.c_str());
    return Fail(SystemError(path_.string(), error));
  }
  const int folder = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);  // best effort: some file systems refuse it
    ::close(folder);
  }
  return Ok();
}

}  // namespace vigia::history
