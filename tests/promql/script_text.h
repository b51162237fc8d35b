// The text of a script taken apart: commands, and the notation of series and values.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::promql::test {

struct Command {
  int line = 0;  // from 1
  std::string head;
  std::vector<std::string> body;
};

// Comments and blank lines end a command's body.
std::vector<Command> SplitCommands(std::string_view text);

// The first word of `rest`, which begins behind it afterwards.
std::string_view TakeWord(std::string_view& rest);

// "5m", "-10m" or a bare number of seconds, in milliseconds.
Result<std::int64_t> ParseTime(std::string_view text);

struct SeriesLine {
  Labels labels;
  bool native = false;  // has native histograms, which are left out of the values
  // Per step; nothing where the script says "_".
  std::vector<std::optional<double>> values;
};
Result<SeriesLine> ParseSeriesLine(std::string_view line);

}  // namespace vigia::promql::test
