// A history in a temporary folder, on a clock that stands still.

#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/history/history.h"
#include "tests/support/temp_dir.h"

namespace vigia::history {

// What a history holds, in a form that can be compared; values by their bits.
using Content = std::map<std::string, std::vector<std::pair<Timestamp, std::uint64_t>>>;

inline constexpr TimeRange kAllTime{std::numeric_limits<Timestamp>::min(),
                                    std::numeric_limits<Timestamp>::max()};

Content ReadEverything(const History& history);

class Fixture {
 public:
  explicit Fixture(Options options = {});

  History* operator->() { return history.get(); }
  History& operator*() { return *history; }

  // Ends the history and opens it again.
  void Reopen();
  void Close() { history.reset(); }

  SeriesSink::Outcome Append(const Labels& labels, Timestamp time, double value);
  // Appends `count` samples at 15 s steps, from where the last Fill() ended, to each of `series`
  // series; returns all that it ever appended.
  Content Fill(int series, int count);

  Columns Read(const Labels& labels, Timestamp from = kAllTime.from, Timestamp to = kAllTime.to);
  Content ReadAll() { return ReadEverything(*history); }
  // Names of the selected series.
  std::vector<std::string> Select(std::vector<Matcher> matchers);

  test::TempDir dir;
  ManualClock clock;
  const Timestamp start = clock.Wall();
  Options options;
  std::vector<std::string> problems;
  std::vector<std::string> recoveries;
  std::unique_ptr<History> history;

 private:
  Timestamp next_ = start;
  Content filled_;
};

}  // namespace vigia::history
