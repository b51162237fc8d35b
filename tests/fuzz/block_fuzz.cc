// A block file of any bytes is refused or read, and nothing outside of it is touched. The input
// is laid between a right header and a right footer, so that its parts are looked at.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "query/history/block.h"
#include "query/history/bytes.h"
#include "query/history/checksum.h"

namespace vigia::history {
namespace {

constexpr std::size_t kHeaderBytes = 16;

// Opens `content` as a block and reads every series that it has.
void Read(std::string_view content) {
  static const int file = ::memfd_create("block", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
    std::abort();
  }
  SeriesId count = 0;
  const auto block = Block::Open(path, 1, [&](const BlockSeries&) { ++count; });
  if (!block) return;
  std::vector<SeriesId> ids;
  for (SeriesId id = 1; id <= count; ++id) ids.push_back(id);
  (*block)->SetSeries(ids);
  for (const auto id : ids) {
    Columns samples;
    (*block)->Read(id, std::numeric_limits<Timestamp>::min(), std::numeric_limits<Timestamp>::max(),
                   samples);
    if (samples.times.size() != samples.values.size()) std::abort();
  }
}

// Three bytes say where the parts lie; the checksums are made right, also that of one chunk.
std::string WithFooter(std::string_view input) {
  const std::uint8_t series = static_cast<std::uint8_t>(input[0]) % 8;
  const std::size_t table = static_cast<std::uint8_t>(input[1]);
  std::string content(kBlockMagic);
  AppendFixed(content, kBlockVersion);
  AppendFixed(content, std::uint32_t{0});
  const std::string_view rest = input.substr(2);
  const std::size_t chunks = rest.size() - std::min(table, rest.size());
  if (chunks > 6) {
    const auto chunk = rest.substr(0, chunks - 6);
    AppendVarint(content, chunk.size());
    AppendFixed(content, Checksum(chunk));
    content += chunk;
  }
  BlockFooter footer;
  footer.series = series;
  footer.table_offset = content.size();
  content += rest.substr(chunks);
  footer.entries_offset = content.size();
  for (unsigned i = 0; i < series; ++i) {
    AppendFixed(content, static_cast<std::uint32_t>(kHeaderBytes +
                                                    (i == 0 ? 0 : input[i % input.size()] & 0x7f)));
  }
  const std::string_view all = content;
  footer.table_checksum =
      Checksum(all.substr(footer.table_offset, footer.entries_offset - footer.table_offset));
  footer.entries_checksum = Checksum(all.substr(footer.entries_offset));
  std::memcpy(footer.magic, kBlockMagic.data(), sizeof footer.magic);
  std::string bytes(reinterpret_cast<const char*>(&footer), sizeof footer);
  const std::uint32_t checksum =
      Checksum(std::string_view(bytes).substr(0, offsetof(BlockFooter, checksum)));
  std::memcpy(bytes.data() + offsetof(BlockFooter, checksum), &checksum, sizeof checksum);
  return content + bytes;
}

}  // namespace
}  // namespace vigia::history

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  vigia::history::Read(input);
  if (size > 2) vigia::history::Read(vigia::history::WithFooter(input));
  return 0;
}
