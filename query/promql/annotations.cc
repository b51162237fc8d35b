#include "query/promql/annotations.h"

#include <algorithm>

#include "query/promql/format.h"

namespace vigia::promql {

namespace {

// The API shows ten; more are not worth comparing each new one with.
constexpr std::size_t kMaxTexts = 1000;

}  // namespace

void Annotations::Add(std::vector<std::string>& list, std::string_view kind, std::string text,
                      PositionRange range) {
  std::string line = "PromQL ";
  ((line += kind) += ": ") += text;
  line += " (" + FormatPosition(query_, range) + ")";
  const std::scoped_lock lock(mutex_);
  if (list.size() >= kMaxTexts || std::find(list.begin(), list.end(), line) != list.end()) return;
  list.push_back(std::move(line));
}

void Annotations::Warn(std::string text, PositionRange range) {
  Add(warnings_, "warning", std::move(text), range);
}

void Annotations::Inform(std::string text, PositionRange range) {
  Add(infos_, "info", std::move(text), range);
}

void Annotations::AddForcedMonotonicity(const ForcedMonotonicity& seen, PositionRange range) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::find_if(repairs_.begin(), repairs_.end(),
                               [&](const Repair& repair) { return repair.range == range; });
  if (at == repairs_.end()) {
    repairs_.push_back({range, seen, seen.time, seen.time, 1});
    return;
  }
  ++at->count;
  at->first = std::min(at->first, seen.time);
  at->last = std::max(at->last, seen.time);
  at->worst.min_bucket = std::min(at->worst.min_bucket, seen.min_bucket);
  at->worst.max_bucket = std::max(at->worst.max_bucket, seen.max_bucket);
  at->worst.max_difference = std::max(at->worst.max_difference, seen.max_difference);
}

std::vector<std::string> Annotations::Warnings() const {
  const std::scoped_lock lock(mutex_);
  return warnings_;
}

std::vector<std::string> Annotations::Infos() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out = infos_;
  for (const auto& repair : repairs_) {
    out.push_back(
        "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
        "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), "
        "from buckets " +
        FormatGeneral(repair.worst.min_bucket) + " to " + FormatGeneral(repair.worst.max_bucket) +
        ", with a max diff of " + FormatShort(repair.worst.max_difference) + ", over " +
        std::to_string(repair.count) + " samples from " + FormatRfc3339(repair.first) + " to " +
        FormatRfc3339(repair.last) + " (" + FormatPosition(query_, repair.range) + ")");
  }
  return out;
}

}  // namespace vigia::promql
