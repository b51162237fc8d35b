// A file of metrics in the text format, as node_exporter's textfile collector reads them: parsed
// once and kept until it changes. Not thread-safe.

#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/metric.h"
#include "core/result.h"
#include "core/text/parser.h"
#include "core/typed_metric_table.h"

namespace vigia::collectors::host {

struct PromSample {
  const Metric* metric = nullptr;
  std::string_view name;  // on the wire: x_bucket of histogram x
  std::vector<LabelView> labels;
  double value = 0;
};

class PromFile {
 public:
  static constexpr std::size_t kMaxSamples = 100'000;

  // Parses the text of the file at `path`, which is for messages and missing help texts. Errors
  // name it. Samples with timestamps are refused: the time of a sample is when it is scraped.
  static Result<PromFile> Parse(const std::filesystem::path& path, std::string_view text,
                                TypedMetricTable& metrics);

  const std::vector<PromSample>& samples() const { return samples_; }
  // Those that have samples.
  const std::vector<const Metric*>& metrics() const { return metrics_; }

 private:
  Status Add(const text::PageSample& sample, const std::filesystem::path& path,
             TypedMetricTable& metrics);
  const Metric* MetricOf(const text::PageFamily& family, const std::filesystem::path& path,
                         TypedMetricTable& metrics);
  std::string_view Keep(std::string_view text);

  std::vector<PromSample> samples_;
  std::vector<const Metric*> metrics_;
  std::vector<const Metric*> by_family_;  // by PageFamily::index
  std::deque<std::string> strings_;       // what the samples' views point into
};

}  // namespace vigia::collectors::host
