// How a line looks: logfmt and JSON.

#include <array>
#include <ctime>

#include "core/log.h"
#include "core/redact.h"
#include "core/text/utf8.h"

namespace vigia::log {
namespace {

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

std::string Clean(const Field& field) {
  // Long enough for any error; a page of HTML or a query of megabytes does not belong in a log.
  constexpr std::size_t kLongest = 8192;
  if (IsSecretName(field.key) && !field.value.empty()) return std::string(kRedacted);
  // Hidden before it is cut, for half a URL may show its password.
  std::string value = Redact(field.value.substr(0, 8 * kLongest));
  const bool cut = value.size() > kLongest;
  if (cut) value.resize(kLongest);
  return text::RepairUtf8(value) + (cut ? "..." : "");
}

}  // namespace

std::string FormatLine(Format format, std::int64_t time, Level level, std::string_view message,
                       std::initializer_list<Field> fields) {
  std::string line;
  AppendField(line, format, "ts", Timestamp(time));
  AppendField(line, format, "level", kLevelNames[static_cast<std::size_t>(level)]);
  AppendField(line, format, "msg", text::RepairUtf8(message));
  for (const auto& field : fields) AppendField(line, format, field.key, Clean(field));
  if (format == Format::kJson) line += '}';
  return line;
}

}  // namespace vigia::log
