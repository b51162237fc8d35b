// Any bytes as a page of metrics: the parser stays within them, and what it reads can be
// written and read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/family.h"
#include "core/text/parser.h"

namespace vigia {
namespace {

void Check(bool good) {
  if (!good) std::abort();
}

Labels LabelsOf(const text::PageSample& sample) {
  std::vector<LabelView> labels(sample.labels.begin(), sample.labels.end());
  labels.push_back({kMetricName, sample.name});
  return Labels::FromPairs(labels);
}

void CheckWriting(const Labels& labels) {
  std::string line;
  AppendSeries(line, labels);
  line += " 1\n";
  text::PageParser parser({.strict = true, .max_line_bytes = line.size()});
  parser.Begin(line, text::Format::kText);
  const auto more = parser.Next();
  Check(more && *more && LabelsOf(parser.sample()) == labels);
}

void Parse(std::string_view page, text::Format format, bool strict) {
  text::PageParser parser({.strict = strict, .max_line_bytes = 4096, .max_labels = 32});
  parser.Begin(page, format);
  for (int samples = 0;; ++samples) {
    const auto more = parser.Next();
    if (!more || !*more) return;
    const auto& sample = parser.sample();
    Check(sample.family && !sample.name.empty() && !sample.family->name.empty());
    if (samples < 100) CheckWriting(LabelsOf(sample));
  }
}

}  // namespace
}  // namespace vigia

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view page(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto format = data[0] & 1 ? vigia::text::Format::kOpenMetrics : vigia::text::Format::kText;
  vigia::Parse(page, format, (data[0] & 2) != 0);
  return 0;
}
