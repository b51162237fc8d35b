#include "core/text/family_table.h"

#include <algorithm>
#include <array>
#include <span>

namespace vigia::text {
namespace {

using Suffixes = std::span<const std::string_view>;

constexpr std::string_view kBare[] = {""};
constexpr std::string_view kHistogram[] = {"_bucket", "_sum", "_count"};
constexpr std::string_view kGaugeHistogram[] = {"_bucket", "_gsum", "_gcount"};
constexpr std::string_view kSummary[] = {"", "_sum", "_count"};
constexpr std::string_view kCounter[] = {"_total"};
constexpr std::string_view kInfo[] = {"_info"};
constexpr std::string_view kAllSuffixes[] = {"_bucket", "_sum",   "_count", "_gsum",
                                             "_gcount", "_total", "_info",  "_created"};

Suffixes SuffixesOf(const FamilyTable::Entry& entry, Format format) {
  switch (entry.family.type) {
    case MetricType::kHistogram:
      return entry.gauge_histogram ? Suffixes(kGaugeHistogram) : Suffixes(kHistogram);
    case MetricType::kSummary:
      return kSummary;
    case MetricType::kCounter:
      return format == Format::kOpenMetrics ? Suffixes(kCounter) : Suffixes(kBare);
    case MetricType::kInfo:
      return format == Format::kOpenMetrics ? Suffixes(kInfo) : Suffixes(kBare);
    default:
      return kBare;
  }
}

}  // namespace

void FamilyTable::Clear(Format format) {
  format_ = format;
  by_name_.clear();
  entries_.clear();
  current_ = nullptr;
}

FamilyTable::Entry& FamilyTable::Add(std::string_view name) {
  Entry& entry = entries_.emplace_back();
  entry.declared_name = name;
  entry.family.name = name;
  entry.family.index = entries_.size() - 1;
  by_name_.emplace(entry.declared_name, &entry);
  return entry;
}

FamilyTable::Entry* FamilyTable::Find(std::string_view name) {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

FamilyTable::Entry& FamilyTable::MakeCurrent(Entry& entry) {
  if (current_ && current_ != &entry) current_->ended = true;
  current_ = &entry;
  return entry;
}

FamilyTable::Entry& FamilyTable::Describe(std::string_view name) {
  Entry* const known = current_ && current_->declared_name == name ? current_ : Find(name);
  return MakeCurrent(known ? *known : Add(name));
}

void FamilyTable::SetType(Entry& entry, MetricType type, bool gauge_histogram) {
  entry.family.type = type;
  entry.gauge_histogram = gauge_histogram;
  if (format_ != Format::kOpenMetrics) return;
  const Suffixes suffixes = SuffixesOf(entry, format_);
  if (suffixes.size() == 1 && !entry.declared_name.ends_with(suffixes[0])) {
    entry.family.name = entry.declared_name + std::string(suffixes[0]);
  }
}

bool FamilyTable::Owns(const Entry& entry, std::string_view sample_name) const {
  const std::string_view base = entry.declared_name;
  if (!sample_name.starts_with(base)) return false;
  const auto suffix = sample_name.substr(base.size());
  const Suffixes suffixes = SuffixesOf(entry, format_);
  return std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
}

FamilyTable::Entry* FamilyTable::CreatedOf(Entry& entry, std::string_view sample_name) {
  const auto type = entry.family.type;
  if (format_ != Format::kOpenMetrics ||
      (type != MetricType::kCounter && type != MetricType::kHistogram &&
       type != MetricType::kSummary)) {
    return nullptr;
  }
  const std::string_view base = entry.declared_name;
  if (!sample_name.starts_with(base) || sample_name.substr(base.size()) != "_created") {
    return nullptr;
  }
  if (!entry.created) entry.created = &Add(sample_name);
  return entry.created;
}

FamilyTable::Entry* FamilyTable::FindBySuffix(std::string_view sample_name) {
  for (const auto suffix : kAllSuffixes) {
    if (!sample_name.ends_with(suffix)) continue;
    Entry* const entry = Find(sample_name.substr(0, sample_name.size() - suffix.size()));
    if (!entry) continue;
    if (suffix == "_created" ? CreatedOf(*entry, sample_name) != nullptr
                             : Owns(*entry, sample_name)) {
      return entry;
    }
  }
  return nullptr;
}

FamilyTable::Entry& FamilyTable::Of(std::string_view sample_name) {
  Entry* entry = current_;
  const auto fits = [&](Entry& candidate) {
    return Owns(candidate, sample_name) || CreatedOf(candidate, sample_name);
  };
  if (!entry || !fits(*entry)) entry = Find(sample_name);
  if (!entry) entry = FindBySuffix(sample_name);
  if (!entry) entry = &Add(sample_name);
  MakeCurrent(*entry).has_samples = true;
  Entry* const created = CreatedOf(*entry, sample_name);
  return created ? *created : *entry;
}

}  // namespace vigia::text
