// A Page is what a target showed at the last scrape, and what is known of its series from the
// scrapes before.
//
// A series is recognised by its bytes on the page: what its labels became is kept, so that a
// page whose series stay the same costs one comparison per series and no relabelling. Series
// that a page no longer shows are forgotten. Not thread-safe.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/scrape/labelling.h"
#include "core/batch.h"
#include "core/clock.h"
#include "core/slot_table.h"
#include "core/text/parser.h"
#include "core/typed_metric_table.h"

namespace vigia::collectors::scrape {

// Why a series is not shown although no rule drops it.
enum class Cut { kSampleLimit, kLabelLimit, kNoName, kMetricLimit };
inline constexpr std::array<std::string_view, 4> kCutReasons{"sample_limit", "label_limit",
                                                             "no_name", "metric_limit"};

class Page {
 public:
  struct Options {
    Labelling::Options labelling;
    bool honor_timestamps = true;
    std::int64_t sample_limit = 0;  // series that are shown at most; 0 for no limit
  };

  struct Counts {
    std::size_t scraped = 0;    // on the page
    std::size_t relabeled = 0;  // that the rules left, whether cut or not
    std::size_t added = 0;      // shown, and not at the scrape before
    std::array<std::size_t, kCutReasons.size()> cut{};
  };

  explicit Page(Options options)
      : honor_timestamps_(options.honor_timestamps),
        sample_limit_(static_cast<std::size_t>(options.sample_limit)),
        labelling_(std::move(options.labelling)) {}

  // Reads a page; kCorrupt, with line and column, if it is not what `format` promises. After an
  // error the page is empty, and all its series are new the next time.
  Result<Counts> Read(std::string_view text, text::Format format, Deadline deadline);

  // Adds what Read() found.
  void AddTo(Batch& batch) const;

  // Series that are remembered.
  std::size_t size() const { return series_.size(); }

 private:
  struct Series {
    std::string text;                // as it stands on the page
    std::uint64_t hash = 0;          // of it
    const Metric* origin = nullptr;  // the page's family, which decides about `metric`
    const Metric* metric = nullptr;  // nullptr: not shown
    std::optional<Cut> cut;          // why not; nothing if a rule drops it
    bool admitted = false;           // within the sample limit
    std::uint64_t seen = 0;          // the scrape that saw it last
    Labels labels;                   // without the name of the metric
  };
  struct Value {
    std::uint32_t slot;
    double value;
    Timestamp time;
  };

  Status ReadSamples(std::string_view text, text::Format format, Counts& counts, Deadline deadline);
  const Metric* OriginOf(const text::PageFamily& family);
  std::uint32_t SlotOf(const text::PageSample& sample, const Metric* origin);
  void Describe(const text::PageSample& sample, const Metric* origin, Series& series);
  bool Admit(Series& series, Counts& counts);
  void Forget();

  const bool honor_timestamps_;
  const std::size_t sample_limit_;
  const Labelling labelling_;
  // A series with more labels than the parser takes would fail the whole page.
  text::PageParser parser_{{.max_labels = 256}};
  TypedMetricTable families_;
  std::vector<Series> series_;
  SlotTable slots_;  // of series_, by hash
  std::size_t admitted_ = 0;

  // The page of the last Read().
  std::uint64_t scrape_ = 0;
  std::uint32_t next_ = 0;              // the series that is likely to come next
  std::size_t seen_ = 0;                // different series
  std::vector<const Metric*> origins_;  // by PageFamily::index
  std::vector<Value> values_;
};

}  // namespace vigia::collectors::scrape
