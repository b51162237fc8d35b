#include "core/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>

#include "core/text/utf8.h"

namespace vigia::log {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warn", "error", "off"};

std::string_view NameOf(Level level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("vigia", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler([](const std::string&) {});  // a full disk must not end the process
  return logger;
}

// The logger in use. Options change rarely, so a mutex around the pointer is cheap enough
// beside the write that follows.
struct State {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger =
      MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  std::atomic<Level> level = Level::kInfo;
  std::atomic<Format> format = Format::kLogfmt;
};

State& TheState() {
  static State* const state = new State;  // lines may be written while statics are destroyed
  return *state;
}

// 2026-11-23T20:15:00.123Z
std::string Timestamp(std::int64_t time) {
  const std::time_t seconds = time / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text.data(), size);
  const auto milliseconds = std::to_string(1000 + time % 1000);
  return out + "." + milliseconds.substr(1) + "Z";
}

// Appends in quotes, with everything escaped that would end the quotes or the line. JSON's
// escapes serve logfmt too.
void AppendQuoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
      return true;
    }
  }
  return false;
}

void AppendField(std::string& out, Format format, std::string_view key, std::string_view value) {
  if (format == Format::kJson) {
    out += out.empty() ? '{' : ',';
    AppendQuoted(out, key);
    out += ':';
    AppendQuoted(out, value);
    return;
  }
  if (!out.empty()) out += ' ';
  out += key;
  out += '=';
  if (NeedsQuotes(value)) {
    AppendQuoted(out, value);
  } else {
    out += value;
  }
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

constexpr std::string_view kHidden = "***";

// scheme://user:password@host: hides what stands between the colon and the last @ of the
// authority.
void RedactUrls(std::string& text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != text.npos;) {
    const std::size_t begin = at + 3;
    std::size_t end = text.find_first_of("/?# \t\n\"'<>", begin);
    if (end == text.npos) end = text.size();
    at = begin;
    const std::size_t sign = text.rfind('@', end - 1);
    if (end == begin || sign == text.npos || sign < begin) continue;
    const std::size_t colon = text.find(':', begin);
    if (colon > sign) continue;
    text.replace(colon + 1, sign - colon - 1, kHidden);
  }
}

// The end of a value that begins at `begin`: of a quoted one its closing quote (backslash
// escapes), of a bare one the next blank, separator or quote.
std::size_t ValueEnd(const std::string& text, std::size_t begin) {
  const char quote = begin < text.size() ? text[begin] : '\0';
  if (quote == '\'' || quote == '"') {
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        return i + 1;
      }
    }
    return text.size();
  }
  const std::size_t end = text.find_first_of(" \t\n,;&\"'", begin);
  return end == text.npos ? text.size() : end;
}

// password=..., PGPASSWORD=..., "token": "..."
void RedactPairs(std::string& text) {
  constexpr std::array<std::string_view, 6> kWords{"password", "passwd",  "secret",
                                                   "token",    "api_key", "apikey"};
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t length = 0;
    for (const auto word : kWords) {
      if (StartsWithIgnoringCase(std::string_view(text).substr(at), word)) length = word.size();
    }
    if (length == 0) continue;
    std::size_t begin = at + length;
    const auto skip = [&](std::string_view set) {
      while (begin < text.size() && set.find(text[begin]) != set.npos) ++begin;
    };
    skip("\"' ");
    if (begin >= text.size() || (text[begin] != '=' && text[begin] != ':')) continue;
    ++begin;
    skip(" ");
    const std::size_t end = ValueEnd(text, begin);
    if (end > begin) text.replace(begin, end - begin, kHidden);
    at = begin + kHidden.size() - 1;
  }
}

// Authorization: Bearer ..., Proxy-Authorization: Basic ...
void RedactAuthorization(std::string& text) {
  constexpr std::string_view kName = "authorization";
  for (std::size_t at = 0; at + kName.size() < text.size(); ++at) {
    if (!StartsWithIgnoringCase(std::string_view(text).substr(at), kName)) continue;
    const std::size_t begin = text.find_first_not_of("\"' :=", at + kName.size());
    if (begin == text.npos || begin == at + kName.size()) continue;
    std::size_t end = text.find_first_of("\n\r\"'", begin);
    if (end == text.npos) end = text.size();
    text.replace(begin, end - begin, kHidden);
    at = begin;
  }
}

}  // namespace

Status Configure(const Options& options) {
  std::shared_ptr<spdlog::logger> logger;
  try {
    if (options.file.empty()) {
      logger = MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    } else {
      logger = MakeLogger(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          options.file.string(), options.max_size, options.keep));
    }
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kUnavailable, options.file.string() + ": " + error.what());
  }
  auto& state = TheState();
  state.level = options.level;
  state.format = options.format;
  const std::lock_guard lock(state.mutex);
  state.logger = std::move(logger);
  return Ok();
}

bool Enabled(Level level) { return level >= TheState().level.load(std::memory_order_relaxed); }

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!Enabled(level)) return;
  auto& state = TheState();
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto line = FormatLine(state.format, now, level, message, fields);
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard lock(state.mutex);
    logger = state.logger;
  }
  logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::string FormatLine(Format format, std::int64_t time, Level level, std::string_view message,
                       std::initializer_list<Field> fields) {
  std::string line;
  AppendField(line, format, "ts", Timestamp(time));
  AppendField(line, format, "level", NameOf(level));
  AppendField(line, format, "msg", message);
  for (const auto& field : fields) {
    AppendField(line, format, field.key, text::RepairUtf8(Redact(field.value)));
  }
  if (format == Format::kJson) line += '}';
  return line;
}

std::string Redact(std::string_view text) {
  std::string out(text);
  RedactUrls(out);
  RedactPairs(out);
  RedactAuthorization(out);
  return out;
}

}  // namespace vigia::log
