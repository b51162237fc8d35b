// The log: lines of a constant message and variables as keys, in logfmt or JSON.
//
//     log::Warn("collector failed", {{"collector", "postgres"}, {"error", error.message()}});
//     ts=2026-11-23T20:15:00.123Z level=warn msg="collector failed" collector=postgres error="..."
//
// Error: a person must act. Warn: degraded. Info: the life cycle. Every value passes through
// Redact(). Thread-safe; never throws; a log that cannot be written is dropped.

#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kLogfmt, kJson };

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kLogfmt;
  std::filesystem::path file;                  // empty: standard error
  std::uint64_t max_size = 100 * 1024 * 1024;  // bytes; the file is then renamed to .1, .2, ...
  std::size_t keep = 5;                        // renamed files
};

// Replaces how and where lines are written, from the next line on. On failure (the file cannot
// be opened) everything stays as it was.
Status Configure(const Options& options);

// Whether lines of this level are written: to save making costly values.
bool Enabled(Level level);

struct Field {
  std::string_view key;
  std::string_view value;
};

void Write(Level level, std::string_view message, std::initializer_list<Field> fields);

inline void Debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kWarn, message, fields);
}
inline void Error(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kError, message, fields);
}

// One line without its end, as Write() would write it at `time` (Unix milliseconds). `message`
// and values may hold anything.
std::string FormatLine(Format format, std::int64_t time, Level level, std::string_view message,
                       std::initializer_list<Field> fields);

// `text` with passwords replaced by "***": in URLs (scheme://user:password@host), in key=value
// lists (password=..., with or without quotes), in Authorization headers.
std::string Redact(std::string_view text);

}  // namespace vigia::log
