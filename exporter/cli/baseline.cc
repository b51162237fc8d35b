#include "exporter/cli/baseline.h"

#include <unistd.h>

#include <array>
#include <string_view>

#include "alerting/baseline/replay.h"
#include "exporter/cli/exit.h"

namespace vigia::exporter::cli {
namespace {

namespace baseline = alerting::baseline;

// Answers the complete lines of `pending` and leaves the rest of it.
Status AnswerLines(baseline::Replay& replay, std::string& pending, std::size_t& line,
                   std::string& out) {
  std::size_t begin = 0;
  for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
    ++line;
    const auto status = replay.Line(std::string_view(pending).substr(begin, end - begin), out);
    if (!status) return status;
    begin = end + 1;
  }
  pending.erase(0, begin);
  return Ok();
}

}  // namespace

int ReplayBaseline(const baseline::Detector::Options& options, int in, std::FILE* out) {
  baseline::Replay replay(options);
  std::array<char, 65'536> buffer{};
  std::string pending;
  std::string answer(baseline::kReplayHeader);
  std::size_t line = 0;
  for (bool more = true; more;) {
    const auto got = read(in, buffer.data(), buffer.size());
    if (got < 0) {
      std::fprintf(stderr, "vigia baseline replay: cannot read the input\n");
      return kExitError;
    }
    more = got > 0;
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    if (!more && !pending.empty()) pending += '\n';
    const auto status = AnswerLines(replay, pending, line, answer);
    std::fwrite(answer.data(), 1, answer.size(), out);
    std::fflush(out);
    answer.clear();
    if (!status) {
      std::fprintf(stderr, "vigia baseline replay: line %zu: %s\n", line,
                   status.error().message().c_str());
      return kExitError;
    }
  }
  return kExitFine;
}

}  // namespace vigia::exporter::cli
