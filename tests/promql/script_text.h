// The text of a script taken apart into commands.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "query/promql/series_notation.h"

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

}  // namespace vigia::promql::test
