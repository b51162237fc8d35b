// The message of remote write 1.0 (prometheus.WriteRequest): protobuf, compressed with snappy's
// block format. https://prometheus.io/docs/specs/prw/remote_write_spec/

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/metric.h"
#include "core/sample.h"

namespace vigia::remote_write {

// One series of a request.
struct SeriesPart {
  Labels labels;
  std::vector<Sample> samples;  // at least one
};

struct MetricMetadata {
  std::string name;  // of the metric family
  MetricType type = MetricType::kUnknown;
  std::string help;
  std::string unit;
};

// The body of a request with these series. *Unknown* markers go out as *gone*: nobody else
// tells them apart.
std::string EncodeSeries(std::span<const SeriesPart> series);
std::string EncodeMetadata(std::span<const MetricMetadata> metadata);

}  // namespace vigia::remote_write
