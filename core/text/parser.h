// Reads a page of metrics sample by sample, in Prometheus text format 0.0.4 or OpenMetrics 1.0,
// with quoted UTF-8 names ({"my.metric",a="b"}) as Prometheus 3 writes them.
//
//     PageParser parser;
//     parser.Begin(page, Format::kText);
//     for (auto more = parser.Next(); ; more = parser.Next()) {
//       if (!more) return Fail(more.error());
//       if (!*more) break;
//       Use(parser.sample());
//     }
//
// Nothing is copied but what has to be unescaped. By default it accepts what Prometheus
// accepts from a target; `strict` holds the page to every rule of its format that can be
// checked line by line. A parser is reused from page to page and keeps its buffers. Not
// thread-safe.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"
#include "core/text/family_table.h"
#include "core/text/format.h"

namespace vigia::text {

// Everything is valid until the next call of Next() or Begin(); what points into the page
// lives as long as the page, `family` until Begin().
struct PageSample {
  // What was known of it when the sample came: TYPE and HELP stand before the samples.
  const PageFamily* family = nullptr;
  std::string_view name;              // x_bucket, x_sum, x_count for histogram x
  std::span<const LabelView> labels;  // in the page's order, without the name; values may be empty
  double value = 0;
  std::optional<Timestamp> time;
  std::string_view series;  // name and labels as they stand in the page
  std::size_t line = 0;     // counted from 1
};

class PageParser {
 public:
  struct Options {
    bool strict = false;
    std::size_t max_line_bytes = 1 << 20;
    std::size_t max_labels = 128;  // of one sample
  };

  PageParser() : PageParser(Options{}) {}
  explicit PageParser(Options options) : options_(options) {}

  // Starts on a page, which stays unchanged in its place while it is read.
  void Begin(std::string_view page, Format format);

  // Reads up to and with the next sample; false at the end of the page. An error is kCorrupt,
  // tells place and reason ("line 3, column 7: expected '=', got '}'") and stays.
  Result<bool> Next();

  const PageSample& sample() const { return sample_; }

  // The families of the page so far, those without samples too.
  const std::deque<FamilyTable::Entry>& families() const { return families_.entries(); }

 private:
  enum class Line { kSample, kOther, kEnd, kBad };
  // A bool that is false says that error_ has been set.
  bool NextLine();
  Line ParseLine();
  Line ParseComment();
  Line ParseEof();
  bool ParseHelp();
  bool ParseType();
  bool ParseUnit();
  bool ParseDescribedName(std::string_view keyword, FamilyTable::Entry*& entry);
  bool CheckDescription(const FamilyTable::Entry& entry, bool repeated, std::string_view keyword);
  bool ParseSample();
  bool ResolveFamily();
  bool ParseLabels(std::vector<LabelView>& labels, std::string_view* name);
  bool ParseLabelName(std::size_t i, std::string_view& name, bool& quoted);
  bool ParseLabelValue(std::string_view& value);
  bool ParseQuoted(std::string_view& text);
  bool CheckRepeatedLabels(const std::vector<LabelView>& labels, const char* at);
  bool ParseNumber(double& value, std::string_view what);
  bool ParseTime();
  bool ParseExemplar();
  bool ParseLineEnd();
  bool CheckSample();

  bool text() const { return format_ == Format::kText; }
  bool AtLineEnd() const { return at_ == line_end_; }
  void SkipBlanks() {
    while (!AtLineEnd() && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }
  std::string_view Rest() const { return {at_, static_cast<std::size_t>(line_end_ - at_)}; }
  // Up to the next blank.
  std::string_view Word() const {
    const char* end = at_;
    while (end != line_end_ && *end != ' ' && !(*end == '\t' && text())) ++end;
    return {at_, static_cast<std::size_t>(end - at_)};
  }
  bool Expected(std::string_view what, const char* at = nullptr);
  bool Reject(std::string_view problem, const char* at = nullptr);

  const Options options_;
  Format format_ = Format::kText;
  FamilyTable families_;
  std::optional<Error> error_;
  bool ended_ = false;

  // Where we are.
  const char* page_end_ = nullptr;
  const char* next_line_ = nullptr;
  const char* line_begin_ = nullptr;
  const char* line_end_ = nullptr;
  const char* at_ = nullptr;
  std::size_t line_number_ = 0;

  // The sample, and what it shares with the one before: names repeat from line to line.
  PageSample sample_;
  std::vector<LabelView> labels_;
  std::vector<std::string_view> last_names_;
  std::string_view last_name_;
  FamilyTable::Entry* last_entry_ = nullptr;
  FamilyTable::Entry* entry_ = nullptr;
  bool names_repeat_ = false;
  bool has_exemplar_ = false;
  std::vector<LabelView> exemplar_labels_;
  std::vector<std::string_view> exemplar_names_;
  std::string unescaped_;  // of this line; never grows beyond its reserve
};

}  // namespace vigia::text
