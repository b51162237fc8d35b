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
  for (const auto& series : labels_) {
    has_quoted_names_ |= AppendSeries(lines_, series);
    lines_ += ' ';
    line_ends_.push_back(static_cast<std::uint32_t>(lines_.size()));
  }
  lines_.shrink_to_fit();
}

std::size_t Family::HeapBytes() const {
  std::size_t bytes = lines_.capacity() + line_ends_.capacity() * sizeof(std::uint32_t) +
                      labels_.capacity() * sizeof(Labels);
  for (const auto& series : labels_) bytes += series.HeapBytes();
  return bytes;
}

}  // namespace vigia
