#include "collectors/host/prom_file.h"

#include <algorithm>

#include "collectors/host/text.h"

namespace vigia::collectors::host {

const Metric* PromMetrics::Get(std::string_view name, MetricType type, std::string_view help) {
  const std::string key = std::string(name) + ' ' + std::string(TypeNameInOpenMetrics(type));
  const auto at = entries_.find(key);
  if (at != entries_.end()) return &at->second->metric;
  if (entries_.size() >= kMax) return nullptr;
  auto entry = std::make_unique<Entry>(Entry{std::string(name), std::string(help), {}});
  entry->metric = Metric{entry->name, entry->help, type};
  return &entries_.emplace(key, std::move(entry)).first->second->metric;
}

Result<PromFile> PromFile::Parse(const std::filesystem::path& path, std::string_view text,
                                 PromMetrics& metrics) {
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
                     PromMetrics& metrics) {
  if (sample.time) {
    return Fail(Malformed(path, "line " + std::to_string(sample.line) +
                                    ": samples with a timestamp are not accepted"));
  }
  const auto& family = *sample.family;
  const std::string help = family.help.empty() ? "Metric read from " + path.string() : family.help;
  const Metric* const metric = metrics.Get(family.name, family.type, help);
  if (!metric) {
    return Fail(Malformed(path, "more than " + std::to_string(PromMetrics::kMax) +
                                    " names of metrics were read since the start"));
  }
  PromSample kept{metric, {}, {}, sample.value};
  kept.name = sample.name == metric->name ? metric->name : Keep(sample.name);
  kept.labels.reserve(sample.labels.size());
  for (const auto& label : sample.labels) {
    kept.labels.push_back({Keep(label.name), Keep(label.value)});
  }
  samples_.push_back(std::move(kept));
  if (std::find(metrics_.begin(), metrics_.end(), metric) == metrics_.end()) {
    metrics_.push_back(metric);
  }
  return Ok();
}

std::string_view PromFile::Keep(std::string_view text) { return strings_.emplace_back(text); }

}  // namespace vigia::collectors::host
