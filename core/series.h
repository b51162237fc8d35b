// The face of the history: what the query engine, the rules and remote write see of stored
// samples. Implementations are thread-safe.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/labels.h"
#include "core/metric.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia {

// Selects series by one label; a label that is missing counts as empty. Regular expressions
// are RE2, match the whole value, and their '.' matches line breaks, too.
struct Matcher {
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };

  Op op = Op::kEqual;
  std::string name;
  std::string value;

  friend bool operator==(const Matcher&, const Matcher&) = default;
};

// Samples of one series, column by column, times ascending and unique.
struct Columns {
  std::vector<Timestamp> times;
  std::vector<double> values;

  std::size_t size() const { return times.size(); }
  void Clear() {
    times.clear();
    values.clear();
  }
};

// One selected series. It stays readable while somebody holds it, whatever retention does.
class StoredSeries {
 public:
  virtual ~StoredSeries() = default;

  virtual const Labels& labels() const = 0;

  // Appends the samples with from <= time <= to to `out`, stale markers included.
  virtual Status Read(Timestamp from, Timestamp to, Columns& out) const = 0;
};

// A half-open question: series that may have samples in [from, to].
struct TimeRange {
  Timestamp from = 0;
  Timestamp to = 0;
};

class SeriesSource {
 public:
  virtual ~SeriesSource() = default;

  // Series that fit all matchers and may have samples in `range`, sorted by labels.
  // kInvalid for a regular expression that does not compile.
  virtual Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(
      std::span<const Matcher> matchers, TimeRange range) const = 0;

  // Sorted, unique; of the series that fit `matchers` (all series if empty).
  virtual Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers,
                                                      TimeRange range) const = 0;
  virtual Result<std::vector<std::string>> LabelValues(std::string_view label,
                                                       std::span<const Matcher> matchers,
                                                       TimeRange range) const = 0;
};

class SeriesSink {
 public:
  virtual ~SeriesSink() = default;

  struct Entry {
    Labels labels;
    Sample sample;
  };

  // What became of the entries of one Append().
  struct Outcome {
    std::size_t stored = 0;
    std::size_t duplicate = 0;  // same time and value as stored: ignored
    std::size_t out_of_order =
        0;  // older than the window that accepts them, or another value at a stored time
    std::size_t refused = 0;  // a limit (series, memory) was reached
  };

  // Adds samples; what cannot be stored is counted, the rest is stored all the same. Returns
  // an error only if nothing can be stored at all (disk full, closed).
  virtual Result<Outcome> Append(std::span<const Entry> entries) = 0;

  // Samples of one series, borrowed.
  struct Run {
    const Labels* labels = nullptr;
    std::span<const Sample> samples;
  };

  // The same for whole runs, as remote write brings them.
  virtual Result<Outcome> AppendRuns(std::span<const Run> runs);
};

}  // namespace vigia
