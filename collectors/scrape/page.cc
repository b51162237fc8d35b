#include "collectors/scrape/page.h"

#include <algorithm>

#include "core/hash.h"

namespace vigia::collectors::scrape {
namespace {

constexpr std::size_t kSamplesPerLook = 1024;  // at the clock

bool IsSuffix(std::string_view suffix) {
  return suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
}

// How a family is called whose sample `before` was renamed to `after`: x_bucket of x that
// became y_bucket is one of y. Empty if the new name is none that such a family has.
std::string_view RenamedFamily(std::string_view family, std::string_view before,
                               std::string_view after) {
  const auto suffix = before.substr(std::min(before.size(), family.size()));
  if (suffix.empty()) return after;
  if (!IsSuffix(suffix) || !after.ends_with(suffix) || after.size() == suffix.size()) return {};
  return after.substr(0, after.size() - suffix.size());
}

}  // namespace

Result<Page::Counts> Page::Read(std::string_view text, text::Format format, Deadline deadline) {
  ++scrape_;
  next_ = 0;
  seen_ = 0;
  origins_.clear();
  values_.clear();
  if (series_.empty()) slots_.Reset(0);
  Counts counts;
  if (auto status = ReadSamples(text, format, counts, deadline); !status) {
    // Pages that are never read to their end would otherwise pile up.
    series_.clear();
    values_.clear();
    admitted_ = 0;
    return Fail(status.error());
  }
  if (seen_ < series_.size()) Forget();
  return counts;
}

Status Page::ReadSamples(std::string_view text, text::Format format, Counts& counts,
                         Deadline deadline) {
  parser_.Begin(text, format);
  while (true) {
    const auto more = parser_.Next();
    if (!more) return Fail(more.error());
    if (!*more) return Ok();
    const auto& sample = parser_.sample();
    if (++counts.scraped % kSamplesPerLook == 0 && deadline.Passed()) {
      return Fail(ErrorCode::kTimeout,
                  "line " + std::to_string(sample.line) + ": not read in time");
    }
    const auto* const origin = OriginOf(*sample.family);
    const auto slot = SlotOf(sample, origin);
    auto& series = series_[slot];
    if (series.seen != scrape_) ++seen_;
    series.seen = scrape_;
    if (!Admit(series, counts)) continue;
    const Timestamp time = honor_timestamps_ ? sample.time.value_or(0) : 0;
    values_.push_back({slot, sample.value, time});
  }
}

void Page::AddTo(Batch& batch) const {
  std::vector<LabelView> labels;
  for (const auto& [slot, value, time] : values_) {
    const auto& series = series_[slot];
    labels.assign(series.labels.begin(), series.labels.end());
    batch.AddAt(*series.metric, labels, value, time);
  }
}

const Metric* Page::OriginOf(const text::PageFamily& family) {
  if (family.index >= origins_.size()) origins_.resize(family.index + 1, nullptr);
  auto& origin = origins_[family.index];
  if (!origin) origin = families_.Get(family.name, family.type, family.help, family.unit);
  return origin;
}

std::uint32_t Page::SlotOf(const text::PageSample& sample, const Metric* origin) {
  if (next_ >= series_.size() || series_[next_].text != sample.series) {
    const std::uint64_t hash = HashBytes(sample.series);
    next_ =
        slots_.Find(hash, [&](std::uint32_t slot) { return series_[slot].text == sample.series; });
    if (next_ == SlotTable::kNone) {
      next_ = static_cast<std::uint32_t>(series_.size());
      auto& series = series_.emplace_back();
      series.text = sample.series;
      series.hash = hash;
      slots_.Insert(hash, next_);
      Describe(sample, origin, series);
    }
  }
  auto& series = series_[next_];
  // The page's idea of the family has changed.
  if (series.origin != origin) Describe(sample, origin, series);
  return next_++;
}

void Page::Describe(const text::PageSample& sample, const Metric* origin, Series& series) {
  series.origin = origin;
  series.metric = nullptr;
  series.cut = std::nullopt;
  const auto labelled = labelling_.Apply(sample.name, sample.labels);
  if (labelled.verdict == Verdict::kDroppedByRule) return;
  if (labelled.verdict == Verdict::kOverLabelLimit) series.cut = Cut::kLabelLimit;
  if (labelled.verdict == Verdict::kWithoutName) series.cut = Cut::kNoName;
  if (series.cut) return;

  const auto name = labelled.labels.MetricName();
  series.metric = origin;
  if (name != sample.name) {
    const auto& family = *sample.family;
    const auto renamed = RenamedFamily(family.name, sample.name, name);
    series.metric = renamed.empty() ? families_.Get(name, MetricType::kUnknown, family.help, {})
                                    : families_.Get(renamed, family.type, family.help, {});
  }
  if (!series.metric) {
    series.cut = Cut::kMetricLimit;
    return;
  }
  // A batch wants the name only where it is not that of the family.
  series.labels = name == series.metric->name
                      ? LabelsBuilder(labelled.labels).Remove(kMetricName).Build()
                      : labelled.labels;
}

// Whether the series is shown. A series that was shown stays; of the others those come in for
// which there is room.
bool Page::Admit(Series& series, Counts& counts) {
  if (series.metric) {
    ++counts.relabeled;
    if (series.admitted) return true;
    if (sample_limit_ == 0 || admitted_ < sample_limit_) {
      series.admitted = true;
      ++admitted_;
      ++counts.added;
      return true;
    }
    ++counts.cut[static_cast<std::size_t>(Cut::kSampleLimit)];
    return false;
  }
  if (series.admitted) {
    series.admitted = false;
    --admitted_;
  }
  if (series.cut) {
    ++counts.relabeled;
    ++counts.cut[static_cast<std::size_t>(*series.cut)];
  }
  return false;
}

// Removes the series that this scrape has not seen; values_ follow the others.
void Page::Forget() {
  std::vector<std::uint32_t> moved(series_.size());
  std::uint32_t kept = 0;
  for (std::uint32_t slot = 0; slot < series_.size(); ++slot) {
    if (series_[slot].seen != scrape_) {
      if (series_[slot].admitted) --admitted_;
      continue;
    }
    moved[slot] = kept;
    if (kept != slot) series_[kept] = std::move(series_[slot]);
    ++kept;
  }
  series_.erase(series_.begin() + kept, series_.end());
  slots_.Reset(series_.size());
  for (std::uint32_t slot = 0; slot < kept; ++slot) slots_.Insert(series_[slot].hash, slot);
  for (auto& value : values_) value.slot = moved[value.slot];
}

}  // namespace vigia::collectors::scrape
