#include "core/series.h"

namespace vigia {

Result<SeriesSink::Outcome> SeriesSink::AppendRuns(std::span<const Run> runs) {
  std::vector<Entry> entries;
  for (const auto& run : runs) {
    for (const auto& sample : run.samples) entries.push_back({*run.labels, sample});
  }
  return Append(entries);
}

}  // namespace vigia
