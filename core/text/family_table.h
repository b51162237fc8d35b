// Which samples of a page belong together: the families that its HELP, TYPE and UNIT lines
// describe, and those that samples without a description imply.

#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/metric.h"
#include "core/text/format.h"

namespace vigia::text {

// A family under the name that its samples have in text format 0.0.4, whatever the page's
// format: OpenMetrics' counter "x" is "x_total", its info "y" is "y_info". Histograms and
// summaries are called as their samples without suffix. OpenMetrics' "x_created" is a family
// of its own, of unknown type.
struct PageFamily {
  std::string name;
  std::string help;
  std::string unit;
  MetricType type = MetricType::kUnknown;
  std::size_t index = 0;  // counts the families of a page
};

// Not thread-safe.
class FamilyTable {
 public:
  // One family as the page tells of it.
  struct Entry {
    PageFamily family;
    std::string declared_name;  // in HELP, TYPE and UNIT lines
    bool gauge_histogram = false;
    bool has_help = false;
    bool has_type = false;
    bool has_unit = false;
    bool has_samples = false;
    bool ended = false;        // another family began after it
    Entry* created = nullptr;  // OpenMetrics: where its "_created" samples go
  };

  // Begins a new page.
  void Clear(Format format);

  // The family that a description names; it becomes the current one.
  Entry& Describe(std::string_view name);
  void SetType(Entry& entry, MetricType type, bool gauge_histogram);

  // The family of a sample; it becomes the current one.
  Entry& Of(std::string_view sample_name);

  // Whether samples of `entry` may be called `sample_name`, by its type.
  bool Owns(const Entry& entry, std::string_view sample_name) const;

  const std::deque<Entry>& entries() const { return entries_; }

 private:
  Entry& Add(std::string_view name);
  Entry* Find(std::string_view name);
  Entry* FindBySuffix(std::string_view sample_name);
  Entry* CreatedOf(Entry& entry, std::string_view sample_name);
  Entry& MakeCurrent(Entry& entry);

  Format format_ = Format::kText;
  std::deque<Entry> entries_;  // never move
  std::unordered_map<std::string_view, Entry*, StringHash, std::equal_to<>> by_name_;
  Entry* current_ = nullptr;
};

}  // namespace vigia::text
