#include "exporter/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "collectors/host/text.h"
#include "core/file.h"
#include "core/number.h"

namespace vigia::exporter {
namespace {

// One mapping as proc_pid_smaps(5) shows it.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool of_file = false;  // not to be written: program text and constants
};

// "7f00-7f01 r-xp 00000000 08:01 42   /usr/lib/x.so"; no such line has a colon behind its first
// word.
bool ParseHeader(std::string_view line, Mapping& mapping) {
  collectors::host::Fields fields(line);
  const auto range = fields.Next();
  if (range.empty() || range.back() == ':') return false;
  const auto* const end = range.data() + range.size();
  const auto first = std::from_chars(range.data(), end, mapping.begin, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  if (std::from_chars(first.ptr + 1, end, mapping.end, 16).ptr != end) return false;
  const auto permissions = fields.Next();
  for (int skipped = 0; skipped < 3; ++skipped) fields.Next();
  mapping.of_file = fields.Next().starts_with('/') && permissions.size() == 4 &&
                    permissions[1] == '-' && permissions[3] == 'p';
  return true;
}

// Of anonymous memory; 0 if it cannot be told.
std::size_t ResidentPages() {
  const auto statm = ReadFile("/proc/self/statm");
  if (!statm) return 0;
  collectors::host::Fields fields(*statm);
  fields.Next();
  const auto resident = ParseUint(fields.Next());
  const auto shared = ParseUint(fields.Next());
  return resident && shared && *resident > *shared ? *resident - *shared : 0;
}

}  // namespace

void SpareHeap::Return() {
  // A megabyte is worth the walk through the heap, less is not.
  constexpr std::size_t kWorthwhile = (std::size_t{1} << 20) / 4096;
  // A burst that went on has freed its last buffers since, and the process has not grown by that.
  constexpr int kTurns = 3;
  const std::size_t resident = ResidentPages();
  if (resident >= settled_ + kWorthwhile) turns_ = kTurns;
  settled_ = std::min(settled_, resident);
  if (turns_ == 0) return;
  --turns_;
  ::malloc_trim(0);
  settled_ = ResidentPages();
}

void ReturnStartupMemory() {
  ::malloc_trim(0);
  const auto smaps = ReadFile("/proc/self/smaps");
  if (!smaps) return;  // no /proc: nothing is lost
  Mapping mapping;
  collectors::host::Lines lines(*smaps);
  while (const auto line = lines.Next()) {
    if (ParseHeader(*line, mapping) || !mapping.of_file || !line->starts_with("Anonymous:"))
      continue;
    // Pages that the linker has changed are not in the file: those mappings stay.
    collectors::host::Fields fields(*line);
    fields.Next();
    if (fields.Next() != "0") continue;
    ::madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
  }
}

}  // namespace vigia::exporter
