// The log: lines of a constant message and variables as keys, in logfmt or JSON.
//
//     log::Warn("collector failed", {{"collector", "postgres"}, {"error", error.message()}});
//     ts=2026-11-23T20:15:00.123Z level=warn msg="collector failed" collector=postgres error="..."
//
// Error: a person must act. Warn: degraded. Info: the life cycle. Secrets in values are hidden
// (redact.h), long values cut. Thread-safe; never throws and never waits long: a line that
// cannot be written is dropped, counted, and reported once lines can be written again.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kLogfmt, kJson };

// The words of configuration and command line, in the order of the enums.
inline constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warn", "error",
                                                             "off"};
inline constexpr std::array<std::string_view, 2> kFormatNames{"logfmt", "json"};

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kLogfmt;
  std::filesystem::path file;  // empty: standard error
  // A file that would become larger is renamed first: vigia.log to vigia.1.log, that to
  // vigia.2.log, and so on; the oldest is deleted.
  std::uint64_t max_size = 100 * 1024 * 1024;
  std::size_t keep = 5;  // renamed files; 0: the file is emptied instead
  // For tests: takes each line, newline included, instead of file and standard error. Called by
  // one thread at a time.
  std::function<void(std::string_view line)> sink = {};
};

// Replaces how and where lines are written, from the next line on; opens the file anew. On
// failure (the file cannot be opened) everything stays as it was.
Status Configure(const Options& options);

// Whether lines of this level are written: to save making costly values.
bool Enabled(Level level);

// Lines that could not be written since the start of the process.
std::uint64_t DroppedLines();

struct Field {
  std::string_view key;
  std::string_view value;
};

void Write(Level level, std::string_view message, std::initializer_list<Field> fields);

inline void Debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (Enabled(Level::kDebug)) Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (Enabled(Level::kInfo)) Write(Level::kInfo, message, fields);
}
inline void Warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (Enabled(Level::kWarn)) Write(Level::kWarn, message, fields);
}
inline void Error(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (Enabled(Level::kError)) Write(Level::kError, message, fields);
}

// One line without its end, as Write() would write it at `time` (Unix milliseconds). `message`
// and values may hold anything.
std::string FormatLine(Format format, std::int64_t time, Level level, std::string_view message,
                       std::initializer_list<Field> fields);

}  // namespace vigia::log
