#include "core/log.h"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>

#include "core/clock.h"
#include "core/log_writer.h"

namespace vigia::log {
namespace {

// Where and how lines are written. Options change rarely, so a mutex around the pointer is
// cheap enough beside the write that follows; the level is looked at for every line.
struct State {
  State();

  std::atomic<Level> level{Level::kInfo};
  std::atomic<Format> format{Format::kLogfmt};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> reported{0};  // of these
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger;  // guarded by mutex
};

State& TheState() {
  static State* const state = new State;  // lines may be written while statics are destroyed
  return *state;
}

class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!writer_.Write({line.data(), line.size()})) ++TheState().dropped;
  }
  void flush_() override {}

 private:
  DescriptorWriter writer_{STDERR_FILENO};
};

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> function)
      : function_(std::move(function)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    function_({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  const std::function<void(std::string_view)> function_;
};

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("vigia", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  // A full disk must not end the process.
  logger->set_error_handler([](const std::string&) { ++TheState().dropped; });
  return logger;
}

State::State() : logger(MakeLogger(std::make_shared<StandardErrorSink>())) {}

// Says what is wrong with the file better than the library does, and makes it unreadable for
// others.
Status TryOpen(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor < 0) return Fail(SystemError(file.string(), errno));
  ::close(descriptor);
  return Ok();
}

Result<spdlog::sink_ptr> MakeSink(const Options& options) {
  if (options.sink) return std::make_shared<FunctionSink>(options.sink);
  if (options.file.empty()) return std::make_shared<StandardErrorSink>();
  if (auto status = TryOpen(options.file); !status) return Fail(status.error());
  try {
    return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file.string(),
                                                                  options.max_size, options.keep);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kUnavailable, options.file.string() + ": " + error.what());
  }
}

void WriteLine(State& state, Level level, std::string_view message,
               std::initializer_list<Field> fields) {
  const auto line = FormatLine(state.format, SystemClock().Wall(), level, message, fields);
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard lock(state.mutex);
    logger = state.logger;
  }
  logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

// After a line that was written: says how many before it were not.
void ReportDropped(State& state) {
  const std::uint64_t dropped = state.dropped;
  const std::uint64_t reported = state.reported.exchange(dropped);
  if (dropped <= reported) return;
  WriteLine(state, Level::kWarn, "log lines were dropped",
            {{"count", std::to_string(dropped - reported)}});
}

}  // namespace

Status Configure(const Options& options) {
  auto sink = MakeSink(options);
  if (!sink) return Fail(sink.error());
  auto logger = MakeLogger(*std::move(sink));
  auto& state = TheState();
  state.level = options.level;
  state.format = options.format;
  const std::lock_guard lock(state.mutex);
  state.logger.swap(logger);  // the old one is closed after the lock is gone
  return Ok();
}

bool Enabled(Level level) { return level >= TheState().level.load(std::memory_order_relaxed); }

std::uint64_t DroppedLines() { return TheState().dropped; }

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  auto& state = TheState();
  try {
    const std::uint64_t before = state.dropped;
    WriteLine(state, level, message, fields);
    if (before == state.dropped && before != state.reported) ReportDropped(state);
  } catch (...) {  // out of memory
    ++state.dropped;
  }
}

}  // namespace vigia::log
