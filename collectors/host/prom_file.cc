#include "collectors/host/prom_file.h"

#include "collectors/host/text.h"

namespace vigia::collectors::host {

Result<PromFile> PromFile::Parse(const std::filesystem::path& path, std::string_view text,
                                 TypedMetricTable& metrics) {
  // Else its last number may be half of one.
  if (!text.empty() && text.back() != '\n') {
    return Fail(Malformed(path, "does not end with a newline: it is being written"));
  }
  PromFile file;
  text::PageParser parser;
  parser.Begin(text, text::Format::kText);
  while (true) {
    const auto more = parser.Next();
    if (!more) return Fail(more.error().In(path.string()));
    if (!*more) return file;
    if (auto status = file.Add(parser.sample(), path, metrics); !status) {
      return Fail(status.error());
    }
  }
}

Status PromFile::Add(const text::PageSample& sample, const std::filesystem::path& path,
                     TypedMetricTable& metrics) {
  if (sample.time) {
    return Fail(Malformed(path, "line " + std::to_string(sample.line) +
                                    ": samples with a timestamp are not accepted"));
  }
  if (samples_.size() == kMaxSamples) {
    return Fail(Malformed(path, "has more than " + std::to_string(kMaxSamples) + " samples"));
  }
  const Metric* const metric = MetricOf(*sample.family, path, metrics);
  if (!metric) {
    return Fail(Malformed(path, "more than " + std::to_string(TypedMetricTable::kMax) +
                                    " names of metrics were read since the start"));
  }
  PromSample kept{metric, {}, {}, sample.value};
  kept.name = sample.name == metric->name ? metric->name : Keep(sample.name);
  kept.labels.reserve(sample.labels.size());
  for (const auto& label : sample.labels) {
    kept.labels.push_back({Keep(label.name), Keep(label.value)});
  }
  samples_.push_back(std::move(kept));
  return Ok();
}

const Metric* PromFile::MetricOf(const text::PageFamily& family, const std::filesystem::path& path,
                                 TypedMetricTable& metrics) {
  if (family.index >= by_family_.size()) by_family_.resize(family.index + 1, nullptr);
  auto& metric = by_family_[family.index];
  if (metric) return metric;
  const auto missing = "Metric read from " + path.string();
  metric = metrics.Get(family.name, family.type, family.help.empty() ? missing : family.help);
  if (metric) metrics_.push_back(metric);
  return metric;
}

std::string_view PromFile::Keep(std::string_view text) { return strings_.emplace_back(text); }

}  // namespace vigia::collectors::host
