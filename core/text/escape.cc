#include "core/text/escape.h"

namespace vigia::text {
namespace {

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  const auto special = [&](char c) { return c == '\\' || c == '\n' || (quotes && c == '"'); };
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!special(text[i])) continue;
    out.append(text, begin, i - begin);
    out += '\\';
    out += text[i] == '\n' ? 'n' : text[i];
    begin = i + 1;
  }
  out.append(text, begin);
}

}  // namespace

void AppendLabelValue(std::string& out, std::string_view value) { AppendEscaped(out, value, true); }

void AppendHelp(std::string& out, std::string_view help, bool openmetrics) {
  AppendEscaped(out, help, openmetrics);
}

}  // namespace vigia::text
