#include "alerting/templates/strings.h"

#include "alerting/templates/literal.h"
#include "alerting/templates/print.h"
#include "query/promql/regex.h"

namespace vigia::alerting::templates {
namespace {

// Go's own, whose '.' does not match a line break.
constexpr auto kGoSemantics = promql::Semantics::kPrometheus2;

// A range of small letters and how far their capitals are below. Letters that alternate with
// their capitals have step 2.
struct CaseRange {
  char32_t first;
  char32_t last;
  int distance;
  int step;
};
constexpr CaseRange kCases[] = {
    {'a', 'z', 32, 1},     {0xE0, 0xF6, 32, 1},   {0xF8, 0xFE, 32, 1},   {0x101, 0x12F, 1, 2},
    {0x133, 0x137, 1, 2},  {0x13A, 0x148, 1, 2},  {0x14B, 0x177, 1, 2},  {0x17A, 0x17E, 1, 2},
    {0x3B1, 0x3C1, 32, 1}, {0x3C3, 0x3CB, 32, 1}, {0x430, 0x44F, 32, 1}, {0x450, 0x45F, 80, 1},
    {0x461, 0x481, 1, 2},  {0x48B, 0x4BF, 1, 2},  {0x4D1, 0x52F, 1, 2},
};

char32_t Upper(char32_t rune) {
  for (const auto& range : kCases) {
    if (rune < range.first || rune > range.last) continue;
    if ((rune - range.first) % static_cast<char32_t>(range.step) != 0) continue;
    return rune - static_cast<char32_t>(range.distance);
  }
  return rune == 0xFF ? 0x178 : rune;
}

char32_t Lower(char32_t rune) {
  for (const auto& range : kCases) {
    const char32_t small = rune + static_cast<char32_t>(range.distance);
    if (small < range.first || small > range.last) continue;
    if ((small - range.first) % static_cast<char32_t>(range.step) == 0) return small;
  }
  return rune == 0x178 ? 0xFF : rune;
}

template <typename Change>
std::string MapRunes(std::string_view text, Change change) {
  std::string out;
  while (!text.empty()) {
    const auto rune = DecodeRune(text);
    if (rune.valid) {
      AppendUtf8(out, change(rune.code));
    } else {
      out += text.front();
    }
    text.remove_prefix(rune.size);
  }
  return out;
}

bool IsAsciiWord(char32_t rune) {
  return (rune >= '0' && rune <= '9') || (rune >= 'a' && rune <= 'z') ||
         (rune >= 'A' && rune <= 'Z') || rune == '_';
}
bool IsSeparator(char32_t rune) {
  if (rune < 0x80) return !IsAsciiWord(rune);
  return rune == 0x85 || rune == 0xA0 || (rune >= 0x2000 && rune <= 0x200A) || rune == 0x3000;
}

}  // namespace

std::string ToUpper(std::string_view text) { return MapRunes(text, Upper); }
std::string ToLower(std::string_view text) { return MapRunes(text, Lower); }

std::string Title(std::string_view text) {
  char32_t before = ' ';
  return MapRunes(text, [&](char32_t rune) {
    const bool first = IsSeparator(before);
    before = rune;
    return first ? Upper(rune) : rune;
  });
}

std::string TitleAndLower(std::string_view text) {
  char32_t before = ' ';
  bool joined = false;  // by an apostrophe, full stop or colon between letters
  return MapRunes(text, [&](char32_t rune) {
    const bool first = IsSeparator(before) && !joined;
    joined = !IsSeparator(before) && (rune == '\'' || rune == 0x2019 || rune == '.' || rune == ':');
    before = rune;
    return first ? Upper(rune) : Lower(rune);
  });
}

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

Result<bool> RegexMatches(std::string_view pattern, std::string_view text) {
  const auto regex = promql::Regex::Compile(pattern, kGoSemantics);
  if (!regex) return Fail(regex.error());
  return regex->Search(text);
}

Result<std::string> RegexReplaceAll(std::string_view pattern, std::string_view replacement,
                                    std::string_view text) {
  const auto regex = promql::Regex::Compile(pattern, kGoSemantics);
  if (!regex) return Fail(regex.error());
  return regex->ReplaceAll(text, replacement);
}

bool SplitHostPort(std::string_view text, std::string_view& host, std::string_view& port) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return false;
  host = text.substr(0, colon);
  port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return true;
  }
  return host.find_first_of(":[]") == host.npos && port.find_first_of("[]") == port.npos;
}

}  // namespace vigia::alerting::templates
