#include "query/history/block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <numeric>

#include "query/history/bytes.h"
#include "query/history/checksum.h"
#include "query/history/chunk.h"
#include "query/history/columns.h"

namespace vigia::history {
namespace {

constexpr std::size_t kHeaderBytes = 16;

}  // namespace

Block::~Block() {
  if (data_) ::munmap(const_cast<char*>(data_), size_);
}

Status Block::Map() {
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Fail(SystemError(path_.string(), errno));
  struct stat status {};
  int error = ::fstat(file, &status) != 0 ? errno : 0;
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (error == 0 && size_ < kHeaderBytes + sizeof(BlockFooter)) {
    ::close(file);
    return Fail(ErrorCode::kCorrupt, path_.string() + ": too short");
  }
  if (error == 0) {
    void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
      error = errno;
    } else {
      data_ = static_cast<const char*>(memory);
      ::madvise(memory, size_, MADV_RANDOM);  // no read-ahead: it would count as our memory
    }
  }
  ::close(file);
  return error == 0 ? Ok() : Fail(SystemError(path_.string(), error));
}

std::string_view Block::Bytes(std::uint64_t begin, std::uint64_t end) const {
  return {data_ + begin, end - begin};
}

Status Block::CheckFooter() {
  const char* const footer = data_ + size_ - sizeof(BlockFooter);
  std::memcpy(&footer_, footer, sizeof footer_);
  const auto corrupt = [&](const char* what) {
    return Fail(ErrorCode::kCorrupt, path_.string() + ": " + what);
  };
  if (std::string_view(footer_.magic, sizeof footer_.magic) != kBlockMagic ||
      footer_.checksum != Checksum({footer, offsetof(BlockFooter, checksum)})) {
    return corrupt("the end of the file is damaged");
  }
  if (footer_.version != kBlockVersion) return corrupt("unknown version");
  const std::uint64_t end = size_ - sizeof(BlockFooter);
  if (footer_.table_offset < kHeaderBytes || footer_.table_offset > footer_.entries_offset ||
      footer_.entries_offset > end ||
      end - footer_.entries_offset != std::uint64_t{footer_.series} * sizeof(std::uint32_t)) {
    return corrupt("the parts do not fit the file");
  }
  if (footer_.table_checksum != Checksum(Bytes(footer_.table_offset, footer_.entries_offset)) ||
      footer_.entries_checksum != Checksum(Bytes(footer_.entries_offset, end))) {
    return corrupt("the table of series is damaged");
  }
  return Ok();
}

Status Block::ReadTable(const std::function<void(BlockSeries)>& on_series) const {
  ByteReader in(Bytes(footer_.table_offset, footer_.entries_offset));
  const auto malformed = Fail(ErrorCode::kCorrupt, path_.string() + ": malformed table of series");
  const std::uint64_t symbol_count = in.Varint();
  if (symbol_count > in.left()) return malformed;
  std::vector<std::string_view> symbols(symbol_count);
  for (auto& symbol : symbols) symbol = in.Bytes(in.Varint());
  std::vector<LabelView> labels;
  for (std::uint32_t i = 0; i < footer_.series; ++i) {
    const std::uint64_t shared = in.Varint();
    const std::uint64_t added = in.Varint();
    if (in.failed() || shared > labels.size() || added > in.left()) return malformed;
    labels.resize(shared);
    for (std::uint64_t label = 0; label < added; ++label) {
      const std::uint64_t name = in.Varint();
      const std::uint64_t value = in.Varint();
      if (name >= symbols.size() || value >= symbols.size()) return malformed;
      labels.push_back({symbols[name], symbols[value]});
    }
    const auto first = static_cast<std::int64_t>(in.Varint());
    const auto last = static_cast<std::int64_t>(in.Varint());
    if (in.failed()) return malformed;
    on_series({Labels::FromSorted(labels), WrappingAdd(footer_.min_time, first),
               WrappingSub(footer_.max_time, last)});
  }
  return Ok();
}

Result<std::shared_ptr<Block>> Block::Open(const std::filesystem::path& path, std::uint32_t number,
                                           const std::function<void(BlockSeries)>& on_series) {
  std::shared_ptr<Block> block(new Block(path, number));
  if (auto status = block->Map(); !status) return Fail(status.error());
  if (auto status = block->CheckFooter(); !status) return Fail(status.error());
  if (auto status = block->ReadTable(on_series); !status) return Fail(status.error());
  block->Unload();
  return block;
}

void Block::SetSeries(const std::vector<SeriesId>& ids) {
  ids_ = ids;
  ids_.shrink_to_fit();
  if (std::is_sorted(ids.begin(), ids.end())) return;
  ordinals_.resize(ids.size());
  std::iota(ordinals_.begin(), ordinals_.end(), 0U);
  std::sort(ordinals_.begin(), ordinals_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });
  for (std::size_t i = 0; i < ids.size(); ++i) ids_[i] = ids[ordinals_[i]];
}

std::uint32_t Block::Find(SeriesId id) const {
  const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (found == ids_.end() || *found != id) return kNone;
  const auto at = static_cast<std::uint32_t>(found - ids_.begin());
  return ordinals_.empty() ? at : ordinals_[at];
}

std::string_view Block::ChunksOf(std::uint32_t ordinal) const {
  const char* const entry = data_ + footer_.entries_offset + ordinal * sizeof(std::uint32_t);
  const std::uint64_t begin = LoadFixed<std::uint32_t>(entry);
  const std::uint64_t end = ordinal + 1 < footer_.series
                                ? LoadFixed<std::uint32_t>(entry + sizeof(std::uint32_t))
                                : footer_.table_offset;
  if (begin > end || end > footer_.table_offset) return {};
  return Bytes(begin, end);
}

void Block::Read(SeriesId id, Timestamp from, Timestamp to, Columns& out) const {
  const std::uint32_t ordinal = Find(id);
  if (ordinal == kNone) return;
  const std::size_t start = out.size();
  ByteReader in(ChunksOf(ordinal));
  while (in.left() > 0) {
    const std::uint64_t size = in.Varint();
    const auto checksum = in.Fixed<std::uint32_t>();
    const auto chunk = in.Bytes(size);
    if (in.failed() || Checksum(chunk) != checksum) {
      damaged_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    ByteReader head(chunk);
    const Timestamp first = WrappingAdd(head.SignedVarint(), footer_.origin);
    const Timestamp last = WrappingAdd(first, static_cast<std::int64_t>(head.Varint()));
    if (last < from || first > to) continue;
    if (!DecodeChunk({head.at(), head.left()}, first, out)) {
      damaged_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  Trim(out, start, from, to);
}

std::size_t Block::HeapBytes() const {
  return sizeof(Block) + ids_.capacity() * sizeof(SeriesId) +
         ordinals_.capacity() * sizeof(std::uint32_t);
}

void Block::Unload() const { ::madvise(const_cast<char*>(data_), size_, MADV_DONTNEED); }

}  // namespace vigia::history
