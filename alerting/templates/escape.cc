#include "alerting/templates/escape.h"

#include <array>
#include <cctype>
#include <cstdio>

#include "alerting/templates/print.h"
#include "core/text/percent.h"

namespace vigia::alerting::templates {
namespace {

std::string_view JavaScriptEscape(char c) {
  switch (c) {
    case '\\':
      return "\\\\";
    case '\'':
      return "\\'";
    case '"':
      return "\\\"";
    case '<':
      return "\\u003C";
    case '>':
      return "\\u003E";
    case '&':
      return "\\u0026";
    case '=':
      return "\\u003D";
    default:
      return {};
  }
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string EscapeJavaScript(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto rune = DecodeRune(text);
    if (const auto escape = JavaScriptEscape(text.front()); !escape.empty()) {
      out += escape;
    } else if (rune.code < 0x20 || (rune.code >= 0x80 && !IsPrintable(rune.code))) {
      std::array<char, 16> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "\\u%04X", static_cast<unsigned>(rune.code));
      out += buffer.data();
    } else {
      out += text.substr(0, rune.size);
    }
    text.remove_prefix(rune.size);
  }
  return out;
}

std::string EscapeQuery(std::string_view text) { return text::FormEncode(text); }
std::string EscapePath(std::string_view text) {
  return text::PercentEncode(text, "-_.~$&+:=@", false);
}

}  // namespace vigia::alerting::templates
