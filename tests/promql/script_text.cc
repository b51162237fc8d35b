#include "tests/promql/script_text.h"

#include "core/duration.h"
#include "core/number.h"

namespace vigia::promql::test {
namespace {

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::vector<Command> SplitCommands(std::string_view text) {
  std::vector<Command> commands;
  bool open = false;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line[0] == '#') {
      open = false;
    } else if (open) {
      commands.back().body.emplace_back(line);
    } else {
      commands.push_back({number, std::string(line), {}});
      open = line != "clear";
    }
  }
  return commands;
}

std::string_view TakeWord(std::string_view& rest) {
  rest = Trim(rest);
  const auto end = rest.find_first_of(" \t");
  const auto word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  rest = Trim(rest);
  return word;
}

Result<std::int64_t> ParseTime(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto size = text.substr(negative ? 1 : 0);
  std::int64_t milliseconds = 0;
  if (const auto seconds = ParseDouble(size)) {
    milliseconds = static_cast<std::int64_t>(*seconds * 1000);
  } else {
    const auto duration = ParseDuration(size);
    if (!duration) return Fail(duration.error());
    milliseconds = duration->count();
  }
  return negative ? -milliseconds : milliseconds;
}

}  // namespace vigia::promql::test
