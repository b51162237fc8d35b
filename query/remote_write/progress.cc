#include "query/remote_write/progress.h"

#include <cinttypes>
#include <cstdio>
#include <system_error>

#include "core/file.h"

namespace vigia::remote_write {
namespace {

constexpr const char* kRead =
    "remote-write 1 %" SCNu32 ":%" SCNu64 " %" SCNu32 ":%" SCNu64 " %1[e]";
constexpr const char* kWrite =
    "remote-write 1 %" PRIu32 ":%" PRIu64 " %" PRIu32 ":%" PRIu64 " end\n";

}  // namespace

Result<Progress> LoadProgress(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return Progress{};
  const auto text = ReadFile(path);
  if (!text) return Fail(text.error());
  Progress progress;
  char end[2] = {};
  const int fields =
      std::sscanf(text->c_str(), kRead, &progress.done.segment, &progress.done.offset,
                  &progress.until.segment, &progress.until.offset, end);
  if (fields != 5 || progress.until < progress.done) {
    return Fail(ErrorCode::kCorrupt, path.string() + ": not a position in the journal");
  }
  return progress;
}

Status SaveProgress(const std::filesystem::path& path, const Progress& progress) {
  char text[128];
  std::snprintf(text, sizeof text, kWrite, progress.done.segment, progress.done.offset,
                progress.until.segment, progress.until.offset);
  return WriteFileAtomically(path, text);
}

}  // namespace vigia::remote_write
