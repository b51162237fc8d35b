// A Family is the unit in which readings are kept and shown: all series of one metric
// that one collector instance reports, in a fixed order.
//
// What stays the same from one reading to the next (labels, and the text of each line up
// to its value) lives here, immutable and shared; a reading adds only numbers. As long as
// a collector lists the same series in the same order, every reading refers to the same
// Family, so whoever keeps state per series (a page layout, the history) recognises it by
// address.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/metric.h"

namespace vigia {

// What a family is called; shared by all generations of it.
struct FamilyHead {
  std::string name;
  std::string help;
  std::string unit;
  MetricType type = MetricType::kUnknown;
};

class Family {
 public:
  // `labels` hold "__name__" (a histogram's differ: x_bucket, x_sum, x_count).
  Family(std::shared_ptr<const FamilyHead> head, std::vector<Labels> labels);
  // The next generation of `previous`: the text of series `i` is taken over from its series
  // picks[i] where there is one.
  Family(const Family& previous, std::vector<Labels> labels, std::span<const std::uint32_t> picks);

  const FamilyHead& head() const { return *head_; }
  const std::shared_ptr<const FamilyHead>& shared_head() const { return head_; }
  std::size_t size() const { return labels_.size(); }
  const Labels& labels(std::size_t i) const { return labels_[i]; }

  // The line of series `i` up to its value, in text format 0.0.4: `name{a="b"} `.
  std::string_view line(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : line_ends_[i - 1];
    return {lines_.data() + begin, line_ends_[i] - begin};
  }
  // All lines, one after another.
  std::string_view lines() const { return lines_; }
  // Where each line ends in lines().
  const std::vector<std::uint32_t>& line_ends() const { return line_ends_; }
  // Whether a name among them is not a legacy name and therefore quoted.
  bool has_quoted_names() const { return has_quoted_names_; }

  std::size_t HeapBytes() const;

 private:
  void AppendLine(const Labels& series);

  const std::shared_ptr<const FamilyHead> head_;
  const std::vector<Labels> labels_;
  std::string lines_;
  std::vector<std::uint32_t> line_ends_;
  bool has_quoted_names_ = false;
};

// Appends `name{a="b"}`, without value. Names that are not legacy names are quoted
// (`{"a.b"}`), as in Prometheus' UTF-8 exposition; returns whether there was one.
bool AppendSeries(std::string& out, const Labels& labels);

}  // namespace vigia
