// Replay: a recorded series through the detector, row by row, exactly as the daemon would have
// seen it.
//
// Input is CSV with the header "timestamp,value": rows in time order, timestamps
// "YYYY-MM-DD HH:MM:SS" (UTC) or Unix seconds, values a number or nothing (missing). Each row is
// answered by one of
//
//     timestamp,value,expected,lower,upper,score,state,alert,since
//
// before the next is read; the columns are those of a Verdict, `since` in the form of the input's
// timestamps, empty where nothing is known.
//
// Not thread-safe.

#pragma once

#include <string>
#include <string_view>

#include "alerting/baseline/detector.h"
#include "core/result.h"

namespace vigia::alerting::baseline {

inline constexpr std::string_view kReplayHeader =
    "timestamp,value,expected,lower,upper,score,state,alert,since\n";

// "2024-01-31 23:59:59" or a number of seconds -> Unix seconds; kInvalid otherwise.
Result<std::int64_t> ParseReplayTime(std::string_view text);

class Replay {
 public:
  explicit Replay(const Detector::Options& options) : detector_(options) {}

  // Takes one line without its end and appends its answer to `out`; nothing for the header and for
  // empty lines. kInvalid names what is wrong with the line.
  Status Line(std::string_view line, std::string& out);

 private:
  Detector detector_;
  bool started_ = false;
  bool in_seconds_ = false;
};

}  // namespace vigia::alerting::baseline
