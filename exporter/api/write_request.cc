#include "exporter/api/write_request.h"

#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <protozero/pbf_reader.hpp>

#include "core/text/utf8.h"

namespace vigia::api {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr std::size_t kMostLabelBytes = 64 * 1024;

// Field numbers of prometheus/prompb.
enum WriteRequestField : protozero::pbf_tag_type { kTimeSeries = 1, kMetadata = 3 };
enum TimeSeriesField : protozero::pbf_tag_type { kLabels = 1, kSamples = 2, kHistograms = 4 };
enum PairField : protozero::pbf_tag_type { kFirst = 1, kSecond = 2 };
enum MetadataField : protozero::pbf_tag_type { kType = 1, kFamily = 2, kHelp = 4, kUnit = 5 };

constexpr std::array<std::string_view, 8> kTypes{"unknown",        "counter", "gauge", "histogram",
                                                 "gaugehistogram", "summary", "info",  "stateset"};

std::string_view ToView(protozero::data_view view) { return {view.data(), view.size()}; }

std::string Shown(std::span<const LabelView> labels) {
  constexpr std::size_t kMost = 200;
  auto text = text::RepairUtf8(Labels::FromPairs(labels).ToString());
  if (text.size() > kMost) text = text.substr(0, text::Utf8PrefixLength(text.substr(0, kMost)));
  return text;
}

}  // namespace

std::string LabelsProblem(std::span<const LabelView> labels) {
  bool named = false;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& [name, value] = labels[i];
    if (name.empty()) return "a label without a name";
    if (!text::IsUtf8(name) || !text::IsUtf8(value)) return "a label that is not UTF-8";
    if (i != 0 && name == labels[i - 1].name) return "a label name that stands twice";
    named |= name == kMetricName && !value.empty();
    bytes += name.size() + value.size();
  }
  if (!named) return "no metric name";
  if (bytes > kMostLabelBytes) return "labels of more than 64 KiB";
  return {};
}

class WriteRequest::Decoder {
 public:
  explicit Decoder(WriteRequest& out) : out_(out) {}

  void Read(std::string_view message) {
    pbf_reader request(message.data(), message.size());
    while (request.next()) {
      switch (request.tag_and_type()) {
        case tag_and_type(kTimeSeries, pbf_wire_type::length_delimited):
          ReadSeries(request.get_message());
          break;
        case tag_and_type(kMetadata, pbf_wire_type::length_delimited):
          ReadDescription(request.get_message());
          break;
        default:
          request.skip();
      }
    }
  }

 private:
  void ReadSeries(pbf_reader series) {
    labels_.clear();
    const std::size_t begin = out_.samples_.size();
    while (series.next()) {
      switch (series.tag_and_type()) {
        case tag_and_type(kLabels, pbf_wire_type::length_delimited):
          ReadLabel(series.get_message());
          break;
        case tag_and_type(kSamples, pbf_wire_type::length_delimited):
          ReadSample(ToView(series.get_view()));
          break;
        case tag_and_type(kHistograms, pbf_wire_type::length_delimited):
          ++out_.native_histograms_;
          series.skip();
          break;
        default:
          series.skip();
      }
    }
    FinishSeries(begin);
  }

  void ReadLabel(pbf_reader pair) {
    LabelView label;
    while (pair.next()) {
      if (pair.tag_and_type() == tag_and_type(kFirst, pbf_wire_type::length_delimited)) {
        label.name = ToView(pair.get_view());
      } else if (pair.tag_and_type() == tag_and_type(kSecond, pbf_wire_type::length_delimited)) {
        label.value = ToView(pair.get_view());
      } else {
        pair.skip();
      }
    }
    labels_.push_back(label);
  }

  // As writers put it: value, then time, one tag each. False, with nothing done, if it is
  // otherwise.
  bool ReadUsualSample(std::string_view pair) {
    constexpr std::size_t kTime = 10;
    constexpr char kValueTag = kFirst << 3 | 1;  // fixed64
    constexpr char kTimeTag = kSecond << 3;      // varint
    if (pair.size() <= kTime || pair.size() > kTime + 9 || pair[0] != kValueTag ||
        pair[kTime - 1] != kTimeTag) {
      return false;
    }
    std::uint64_t time = 0;
    std::size_t at = kTime;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(pair[at++]);
      time |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
      if (at == pair.size()) return false;
    }
    if (at != pair.size()) return false;
    auto& sample = out_.samples_.emplace_back();
    std::memcpy(&sample.value, pair.data() + 1, sizeof sample.value);
    sample.time = static_cast<Timestamp>(time);
    return true;
  }

  void ReadSample(std::string_view bytes) {
    if (ReadUsualSample(bytes)) return;
    pbf_reader pair(bytes.data(), bytes.size());
    Sample sample;
    while (pair.next()) {
      if (pair.tag_and_type() == tag_and_type(kFirst, pbf_wire_type::fixed64)) {
        sample.value = pair.get_double();
      } else if (pair.tag_and_type() == tag_and_type(kSecond, pbf_wire_type::varint)) {
        sample.time = pair.get_int64();
      } else {
        pair.skip();
      }
    }
    out_.samples_.push_back(sample);
  }

  void FinishSeries(std::size_t begin) {
    // Writers sort; the specification asks them to.
    const auto by_name = [](const LabelView& a, const LabelView& b) { return a.name < b.name; };
    if (!std::is_sorted(labels_.begin(), labels_.end(), by_name)) {
      std::sort(labels_.begin(), labels_.end(), by_name);
    }
    if (const auto problem = LabelsProblem(labels_); !problem.empty()) {
      if (out_.first_refusal_.empty()) {
        out_.first_refusal_ = problem + " in the series " + Shown(labels_);
      }
      out_.refused_samples_ += out_.samples_.size() - begin;
      out_.samples_.resize(begin);
      return;
    }
    std::erase_if(labels_, [](const LabelView& label) { return label.value.empty(); });
    if (out_.samples_.size() == begin) return;
    out_.series_.push_back({Labels::FromSorted(labels_), begin, out_.samples_.size()});
  }

  void ReadDescription(pbf_reader metadata) {
    MetricDescription description;
    description.type = kTypes[0];
    while (metadata.next()) {
      switch (metadata.tag_and_type()) {
        case tag_and_type(kType, pbf_wire_type::varint): {
          const auto type = static_cast<std::size_t>(metadata.get_enum());
          if (type < kTypes.size()) description.type = kTypes[type];
          break;
        }
        case tag_and_type(kFamily, pbf_wire_type::length_delimited):
          description.name = text::RepairUtf8(ToView(metadata.get_view()));
          break;
        case tag_and_type(kHelp, pbf_wire_type::length_delimited):
          description.help = text::RepairUtf8(ToView(metadata.get_view()));
          break;
        case tag_and_type(kUnit, pbf_wire_type::length_delimited):
          description.unit = text::RepairUtf8(ToView(metadata.get_view()));
          break;
        default:
          metadata.skip();
      }
    }
    if (!description.name.empty()) out_.descriptions_.push_back(std::move(description));
  }

  WriteRequest& out_;
  std::vector<LabelView> labels_;
};

Result<WriteRequest> WriteRequest::Decode(std::string_view body, std::size_t max_bytes) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return Fail(ErrorCode::kInvalid, "snappy: corrupt input");
  }
  if (size > max_bytes) {
    return Fail(ErrorCode::kInvalid,
                "the request is larger than " + std::to_string(max_bytes) + " bytes once unpacked");
  }
  // Snappy cannot pack tighter than this: a small body may not claim much memory.
  constexpr std::size_t kBestRatio = 64;
  const auto corrupt = Fail(ErrorCode::kInvalid, "snappy: corrupt input");
  if (size > kBestRatio * body.size()) return corrupt;
  const auto message = std::make_unique_for_overwrite<char[]>(size);
  if (!snappy::RawUncompress(body.data(), body.size(), message.get())) return corrupt;
  WriteRequest request;
  // A sample takes about 18 bytes and its part of the labels.
  request.samples_.reserve(size / 24);
  try {
    Decoder(request).Read({message.get(), size});
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalid, std::string("protobuf: ") + error.what());
  }
  return request;
}

std::vector<SeriesSink::Run> WriteRequest::Runs() const {
  std::vector<SeriesSink::Run> runs;
  runs.reserve(series_.size());
  for (const auto& [labels, begin, end] : series_) {
    runs.push_back({&labels, std::span(samples_).subspan(begin, end - begin)});
  }
  return runs;
}

}  // namespace vigia::api
