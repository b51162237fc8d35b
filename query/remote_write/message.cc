#include "query/remote_write/message.h"

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <protozero/pbf_writer.hpp>

namespace vigia::remote_write {
namespace {

// Field numbers of prompb/remote.proto and prompb/types.proto.
namespace field {
constexpr protozero::pbf_tag_type kTimeSeries = 1;
constexpr protozero::pbf_tag_type kMetadata = 3;
constexpr protozero::pbf_tag_type kLabels = 1;
constexpr protozero::pbf_tag_type kSamples = 2;
constexpr protozero::pbf_tag_type kName = 1;
constexpr protozero::pbf_tag_type kValue = 2;
constexpr protozero::pbf_tag_type kSampleValue = 1;
constexpr protozero::pbf_tag_type kSampleTime = 2;
constexpr protozero::pbf_tag_type kMetadataType = 1;
constexpr protozero::pbf_tag_type kMetadataFamily = 2;
constexpr protozero::pbf_tag_type kMetadataHelp = 4;
constexpr protozero::pbf_tag_type kMetadataUnit = 5;
}  // namespace field

// prometheus.MetricMetadata.MetricType
std::int32_t TypeNumber(MetricType type) {
  switch (type) {
    case MetricType::kUnknown:
      return 0;
    case MetricType::kCounter:
      return 1;
    case MetricType::kGauge:
      return 2;
    case MetricType::kHistogram:
      return 3;
    case MetricType::kSummary:
      return 5;
    case MetricType::kInfo:
      return 6;
    case MetricType::kStateSet:
      return 7;
  }
  return 0;
}

void WriteSeries(protozero::pbf_writer& request, const SeriesPart& part) {
  protozero::pbf_writer series(request, field::kTimeSeries);
  for (const auto [name, value] : part.labels) {
    protozero::pbf_writer label(series, field::kLabels);
    label.add_string(field::kName, name.data(), name.size());
    label.add_string(field::kValue, value.data(), value.size());
  }
  for (const auto& sample : part.samples) {
    protozero::pbf_writer out(series, field::kSamples);
    // By its bits: arithmetic on a double would lose what a marker is.
    const auto bits = std::bit_cast<std::uint64_t>(sample.value);
    out.add_fixed64(field::kSampleValue, bits == kUnknownBits ? kGoneBits : bits);
    out.add_int64(field::kSampleTime, sample.time);
  }
}

std::string Compress(const std::string& message) {
  std::string body;
  snappy::Compress(message.data(), message.size(), &body);
  return body;
}

}  // namespace

std::string EncodeSeries(std::span<const SeriesPart> series) {
  std::string message;
  protozero::pbf_writer request(message);
  for (const auto& part : series) WriteSeries(request, part);
  return Compress(message);
}

std::string EncodeMetadata(std::span<const MetricMetadata> metadata) {
  std::string message;
  protozero::pbf_writer request(message);
  for (const auto& one : metadata) {
    protozero::pbf_writer out(request, field::kMetadata);
    out.add_enum(field::kMetadataType, TypeNumber(one.type));
    out.add_string(field::kMetadataFamily, one.name);
    out.add_string(field::kMetadataHelp, one.help);
    if (!one.unit.empty()) out.add_string(field::kMetadataUnit, one.unit);
  }
  return Compress(message);
}

}  // namespace vigia::remote_write
