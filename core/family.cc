#include "core/family.h"

#include "core/text/escape.h"

namespace vigia {
namespace {

void AppendName(std::string& out, std::string_view name, bool legacy) {
  if (legacy) {
    out += name;
    return;
  }
  out += '"';
  text::AppendLabelValue(out, name);
  out += '"';
}

}  // namespace

bool AppendSeries(std::string& out, const Labels& labels) {
  const auto name = labels.MetricName();
  const bool plain = IsLegacyMetricName(name);
  bool quoted = !plain && !name.empty();
  if (plain) out += name;
  char separator = '{';
  if (quoted) {
    out += '{';
    AppendName(out, name, false);
    separator = ',';
  }
  for (const auto [label, value] : labels) {
    if (label == kMetricName) continue;
    out += separator;
    separator = ',';
    const bool legacy = IsLegacyLabelName(label);
    quoted = quoted || !legacy;
    AppendName(out, label, legacy);
    out += "=\"";
    text::AppendLabelValue(out, value);
    out += '"';
  }
  if (separator == ',') out += '}';
  return quoted;
}

Family::Family(std::shared_ptr<const FamilyHead> head, std::vector<Labels> labels)
    : head_(std::move(head)), labels_(std::move(labels)) {
  line_ends_.reserve(labels_.size());
  for (const auto& series : labels_) AppendLine(series);
  lines_.shrink_to_fit();
}

Family::Family(const Family& previous, std::vector<Labels> labels,
               std::span<const std::uint32_t> picks)
    : head_(previous.head_), labels_(std::move(labels)) {
  lines_.reserve(previous.lines_.size());
  line_ends_.reserve(labels_.size());
  has_quoted_names_ = previous.has_quoted_names_;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (picks[i] < previous.size()) {
      lines_ += previous.line(picks[i]);
      line_ends_.push_back(static_cast<std::uint32_t>(lines_.size()));
    } else {
      AppendLine(labels_[i]);
    }
  }
  lines_.shrink_to_fit();
}

void Family::AppendLine(const Labels& series) {
  has_quoted_names_ |= AppendSeries(lines_, series);
  lines_ += ' ';
  line_ends_.push_back(static_cast<std::uint32_t>(lines_.size()));
}

std::size_t Family::HeapBytes() const {
  std::size_t bytes = lines_.capacity() + line_ends_.capacity() * sizeof(std::uint32_t) +
                      labels_.capacity() * sizeof(Labels);
  for (const auto& series : labels_) bytes += series.HeapBytes();
  return bytes;
}

}  // namespace vigia
