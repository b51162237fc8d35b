#include "core/text/page_rules.h"

#include <algorithm>
#include <cmath>

#include "core/text/parser.h"
#include "core/text/scan.h"

namespace vigia::text {
namespace {

// OpenMetrics allows so many characters in the labels of an exemplar, names included.
constexpr std::size_t kMaxExemplarCharacters = 128;

const LabelView* FindLabel(const PageSample& sample, std::string_view name) {
  const auto at = std::find_if(sample.labels.begin(), sample.labels.end(),
                               [&](const LabelView& label) { return label.name == name; });
  return at == sample.labels.end() ? nullptr : &*at;
}

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::size_t CountCharacters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string BoundProblem(Format format, const PageSample& sample, std::string_view name) {
  const auto* label = FindLabel(sample, name);
  if (!label) return Quoted(sample.name) + " without the label " + Quoted(name);
  const auto bound = ParseValue(label->value);
  if (!bound || std::isnan(*bound)) {
    return "the label " + Quoted(name) + " is not a number: " + Quoted(label->value);
  }
  if (name == "quantile" && (*bound < 0 || *bound > 1)) {
    return "a quantile outside of 0 to 1: " + Quoted(label->value);
  }
  if (format == Format::kOpenMetrics && std::isfinite(*bound) &&
      label->value.find_first_of(".eE") == label->value.npos) {
    return "the label " + Quoted(name) + " is not a float: " + Quoted(label->value) + " for " +
           Quoted(std::string(label->value) + ".0");
  }
  return {};
}

std::string CountProblem(const PageSample& sample) {
  if (sample.value >= 0) return {};
  return Quoted(sample.name) + " is a count, which is never " +
         (std::isnan(sample.value) ? "NaN" : "negative");
}

std::string StateProblem(const PageSample& sample) {
  if (!FindLabel(sample, sample.name)) {
    return "a state of " + Quoted(sample.name) + " without the label " + Quoted(sample.name);
  }
  return sample.value == 0 || sample.value == 1 ? "" : "a state is 0 or 1";
}

std::string ExemplarProblem(const PageSample& sample, const std::vector<LabelView>& labels) {
  if (!sample.name.ends_with("_bucket") && !sample.name.ends_with("_total")) {
    return "an exemplar on " + Quoted(sample.name) + ": only buckets and counters have them";
  }
  std::size_t characters = 0;
  for (const auto& [name, value] : labels) {
    characters += CountCharacters(name) + CountCharacters(value);
  }
  return characters <= kMaxExemplarCharacters ? ""
                                              : "the labels of an exemplar exceed 128 characters";
}

}  // namespace

bool IsTypeWord(std::string_view word, Format format) {
  const bool both =
      word == "counter" || word == "gauge" || word == "histogram" || word == "summary";
  if (format == Format::kText) return both || word == "untyped";
  return both || word == "unknown" || word == "info" || word == "stateset" ||
         word == "gaugehistogram";
}

std::string TypeWords(Format format) {
  return format == Format::kText
             ? "counter, gauge, histogram, summary or untyped"
             : "counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown";
}

std::string DescriptionProblem(const FamilyTable::Entry& entry, bool repeated,
                               std::string_view keyword) {
  if (repeated) return "a second " + std::string(keyword) + " of " + Quoted(entry.declared_name);
  if (entry.has_samples) {
    return std::string(keyword) + " of " + Quoted(entry.declared_name) + " after its samples";
  }
  if (entry.ended) return "lines of " + Quoted(entry.declared_name) + " stand apart";
  return {};
}

std::string MembershipProblem(const FamilyTable& families, const FamilyTable::Entry& entry,
                              std::string_view sample_name) {
  if (entry.ended) return "lines of " + Quoted(entry.declared_name) + " stand apart";
  if (families.Owns(entry, sample_name)) return {};
  return "no sample of " + std::string(TypeNameInOpenMetrics(entry.family.type)) + " " +
         Quoted(entry.declared_name) + " is called " + Quoted(sample_name);
}

std::string SampleProblem(Format format, const FamilyTable::Entry& entry, const PageSample& sample,
                          const std::vector<LabelView>* exemplar) {
  if (exemplar) {
    auto problem = ExemplarProblem(sample, *exemplar);
    if (!problem.empty()) return problem;
  }
  const auto suffix = sample.name.substr(std::min(entry.declared_name.size(), sample.name.size()));
  switch (entry.family.type) {
    case MetricType::kCounter:
      return format == Format::kOpenMetrics ? CountProblem(sample) : "";
    case MetricType::kHistogram: {
      if (suffix != "_bucket") return suffix == "_count" ? CountProblem(sample) : "";
      auto problem = BoundProblem(format, sample, "le");
      return problem.empty() ? CountProblem(sample) : problem;
    }
    case MetricType::kSummary:
      if (suffix.empty()) return BoundProblem(format, sample, "quantile");
      return suffix == "_count" ? CountProblem(sample) : "";
    case MetricType::kInfo:
      return sample.value == 1 ? "" : "an info is always 1";
    case MetricType::kStateSet:
      return StateProblem(sample);
    default:
      return {};
  }
}

}  // namespace vigia::text
