// The body of a remote write 1.0 request: a snappy block with a protobuf message.
//
// https://prometheus.io/docs/specs/prw/remote_write_spec/ is the format. Native histograms are
// not decoded, exemplars are passed over.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"
#include "core/series.h"

namespace vigia::api {

// The description of a metric, as a writer sends it.
struct MetricDescription {
  std::string name;
  std::string type;  // the word that the API has: "counter", "gaugehistogram", ...
  std::string help;
  std::string unit;
};

class WriteRequest {
 public:
  // kInvalid if `body` is nothing of the kind, or larger than `max_bytes` once unpacked. A series
  // whose labels cannot be is left out and counted; the rest is decoded.
  static Result<WriteRequest> Decode(std::string_view body, std::size_t max_bytes);

  // Valid while the request lives where it is.
  std::vector<SeriesSink::Run> Runs() const;

  std::size_t sample_count() const { return samples_.size(); }
  const std::vector<MetricDescription>& descriptions() const { return descriptions_; }

  // Samples of series that were left out, and why the first one was.
  std::size_t refused_samples() const { return refused_samples_; }
  std::size_t native_histograms() const { return native_histograms_; }
  const std::string& first_refusal() const { return first_refusal_; }

 private:
  class Decoder;

  struct Series {
    Labels labels;
    std::size_t begin;  // of its samples
    std::size_t end;
  };

  std::vector<Series> series_;
  std::vector<Sample> samples_;
  std::vector<MetricDescription> descriptions_;
  std::size_t refused_samples_ = 0;
  std::size_t native_histograms_ = 0;
  std::string first_refusal_;
};

// Whether labels can be those of a series: a metric name, names and values that are UTF-8, no name
// twice, no more than 64 KiB in all. Returns what is wrong, or nothing. `labels` are sorted by
// name.
std::string LabelsProblem(std::span<const LabelView> labels);

}  // namespace vigia::api
