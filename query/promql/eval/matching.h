// Which series of two vectors belong together, and groups of one vector's series: found once for
// all steps.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hash.h"
#include "query/promql/eval/vector.h"

namespace vigia::promql {

// Numbers series by the labels that they agree on: equal numbers from 0 for equal labels.
class Signatures {
 public:
  // The labels named (`on`), or all but those and the metric name.
  Signatures(std::vector<std::string> names, bool on);

  // One number per row. Vectors seen by the same Signatures share the numbers.
  std::vector<std::uint32_t> Of(const Vector& vector);
  std::size_t size() const { return numbers_.size(); }
  // The labels that make up the signature.
  Labels LabelsOf(const Vector& vector, std::size_t row) const;

 private:
  bool Counts(std::string_view label) const;
  void AppendKey(const Labels& labels, bool name_dropped);

  std::vector<std::string> names_;  // sorted
  const bool on_;
  std::string key_;
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> numbers_;
};

}  // namespace vigia::promql
