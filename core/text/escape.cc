#include "core/text/escape.h"

namespace vigia::text {
namespace {

void AppendEscaped(std::string& out, std::string_view text, std::string_view special) {
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find_first_of(special, begin)) != text.npos; begin = at + 1) {
    out.append(text, begin, at - begin);
    out += '\\';
    out += text[at] == '\n' ? 'n' : text[at];
  }
  out.append(text, begin);
}

}  // namespace

void AppendLabelValue(std::string& out, std::string_view value) {
  AppendEscaped(out, value, "\\\"\n");
}

void AppendHelp(std::string& out, std::string_view help, bool openmetrics) {
  AppendEscaped(out, help, openmetrics ? "\\\"\n" : "\\\n");
}

}  // namespace vigia::text
