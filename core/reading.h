// A Reading is what one run of one collector instance saw; a Snapshot is the last good
// reading of every instance. Both are immutable once published, so any thread may read them.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/family.h"
#include "core/sample.h"

namespace vigia {

// The values of a family's series, by index.
struct FamilyReading {
  std::shared_ptr<const Family> family;
  std::vector<double> values;
  // Empty, or one per series: 0 for "when it was read", else the time that the source gave.
  std::vector<Timestamp> times;
};

// Series that a reading does not list although they are not gone: what tells of them could not be
// asked this time.
struct Withheld {
  std::string family;  // also those of a histogram; "pg_settings_<name>" stands for many
  // Only those that have this label; all if its name is empty.
  std::string label_name = {};
  std::string label_value = {};

  bool Covers(const Labels& series) const {
    return CoversName(series.MetricName()) &&
           (label_name.empty() || series.Get(label_name) == label_value);
  }
  bool CoversName(std::string_view name) const {
    const std::string_view pattern = family;
    if (const auto word = pattern.find('<'); word != pattern.npos) {
      return name.starts_with(pattern.substr(0, word));
    }
    if (!name.starts_with(pattern)) return false;
    const auto rest = name.substr(pattern.size());
    return rest.empty() || rest == "_bucket" || rest == "_sum" || rest == "_count";
  }
};

struct Reading {
  Timestamp time = 0;
  std::vector<FamilyReading> families;
  std::vector<Withheld> withheld;

  std::size_t SeriesCount() const {
    std::size_t count = 0;
    for (const auto& family : families) count += family.values.size();
    return count;
  }
};

// Which instance of which collector; both appear as labels of vigia_collector_*.
struct InstanceId {
  std::string collector;  // "postgres", "host.load"
  std::string name;       // "main"

  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;
};

struct Snapshot {
  struct Entry {
    std::shared_ptr<const InstanceId> instance;
    std::shared_ptr<const Reading> reading;
  };

  // Changes whenever an entry does.
  std::uint64_t version = 0;
  // In the order of configuration. An instance whose last run failed, or whose reading is
  // too old to be shown, has no entry.
  std::vector<Entry> entries;
};

// Receives every reading as it is published, from the threads that run collectors (a scrape's own
// among them): calls for one instance come one after another, in the order of what they tell; calls
// for different instances at the same time. History is one.
class ReadingSink {
 public:
  virtual ~ReadingSink() = default;

  // `reading` replaces the instance's previous one: series that it no longer lists are *gone*, or
  // *unknown* where it withholds them.
  virtual void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) = 0;

  // A run failed, or its time was up: all series of the instance are *unknown* from `time` on,
  // until the next Publish(), but those of `last_words` (may be null), which are what the failed
  // run still knew ("pg_up 0"). Called for every failed run; what a run brings after its time was
  // up is not published, but for last words.
  virtual void Withdraw(const InstanceId& instance, Timestamp time,
                        std::shared_ptr<const Reading> last_words) = 0;
};

}  // namespace vigia
