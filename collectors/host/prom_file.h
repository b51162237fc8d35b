// A file of metrics in the text format, as node_exporter's textfile collector reads them: parsed
// once and kept until it changes. Not thread-safe.

#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hash.h"
#include "core/labels.h"
#include "core/metric.h"
#include "core/result.h"
#include "core/text/parser.h"

namespace vigia::collectors::host {

// The metrics that files ever described, each at one address. A name whose type changed is
// another metric.
class PromMetrics {
 public:
  // Files that name ever new metrics would otherwise fill the memory.
  static constexpr std::size_t kMax = 10'000;

  // nullptr beyond kMax.
  const Metric* Get(std::string_view name, MetricType type, std::string_view help);

 private:
  struct Entry {
    std::string name;
    std::string help;
    Metric metric;
  };

  std::unordered_map<std::string, std::unique_ptr<Entry>, StringHash, std::equal_to<>> entries_;
};

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
                                PromMetrics& metrics);

  const std::vector<PromSample>& samples() const { return samples_; }
  // Those that have samples.
  const std::vector<const Metric*>& metrics() const { return metrics_; }

 private:
  Status Add(const text::PageSample& sample, const std::filesystem::path& path,
             PromMetrics& metrics);
  const Metric* MetricOf(const text::PageFamily& family, const std::filesystem::path& path,
                         PromMetrics& metrics);
  std::string_view Keep(std::string_view text);

  std::vector<PromSample> samples_;
  std::vector<const Metric*> metrics_;
  std::vector<const Metric*> by_family_;  // by PageFamily::index
  std::deque<std::string> strings_;       // what the samples' views point into
};

}  // namespace vigia::collectors::host
