#include "core/text/parser.h"

#include <cstring>

#include "core/text/page_rules.h"
#include "core/text/scan.h"
#include "core/text/utf8.h"

namespace vigia::text {
namespace {

// What stands at `at`, for "expected ..., got ...".
std::string Describe(const char* at, const char* end) {
  if (at == end) return "the end of the line";
  const auto byte = static_cast<unsigned char>(*at);
  if (byte >= 0x20 && byte < 0x7F) return {'\'', *at, '\''};
  constexpr char kHex[] = "0123456789ABCDEF";
  return std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

}  // namespace

void PageParser::Begin(std::string_view page, Format format) {
  format_ = format;
  families_.Clear(format);
  error_.reset();
  ended_ = false;
  next_line_ = page.data();
  page_end_ = page.data() + page.size();
  line_begin_ = line_end_ = at_ = next_line_;
  line_number_ = 0;
  last_names_.clear();
  exemplar_names_.clear();
  last_name_ = {};
  last_entry_ = nullptr;
  sample_ = {};
}

Result<bool> PageParser::Next() {
  while (!error_ && !ended_ && NextLine()) {
    switch (ParseLine()) {
      case Line::kSample:
        return true;
      case Line::kEnd:
        ended_ = true;
        break;
      case Line::kOther:
      case Line::kBad:
        break;
    }
  }
  if (error_) return Fail(*error_);
  return false;
}

// False, too, at the end of the page.
bool PageParser::NextLine() {
  if (next_line_ == page_end_) {
    ended_ = true;
    ++line_number_;
    line_begin_ = at_ = line_end_ = page_end_;
    if (!text()) Reject("expected '# EOF', got the end of the page");
    return false;
  }
  const auto left = static_cast<std::size_t>(page_end_ - next_line_);
  const auto* newline = static_cast<const char*>(std::memchr(next_line_, '\n', left));
  line_begin_ = at_ = next_line_;
  line_end_ = newline ? newline : page_end_;
  next_line_ = newline ? newline + 1 : page_end_;
  ++line_number_;
  unescaped_.clear();
  if (static_cast<std::size_t>(line_end_ - line_begin_) > options_.max_line_bytes) {
    return Reject("a line of more than " + std::to_string(options_.max_line_bytes) + " bytes");
  }
  if (!newline && text() && options_.strict) {
    return Reject("the last line does not end with a newline", line_end_);
  }
  return true;
}

PageParser::Line PageParser::ParseLine() {
  if (text()) {
    SkipBlanks();
    if (AtLineEnd()) return Line::kOther;
  }
  if (!AtLineEnd() && *at_ == '#') return ParseComment();
  if (!ParseSample() || !ParseLineEnd() || (options_.strict && !CheckSample())) return Line::kBad;
  return Line::kSample;
}

PageParser::Line PageParser::ParseComment() {
  const char* const comment = at_;
  const auto done = [](bool good) { return good ? Line::kOther : Line::kBad; };
  ++at_;
  const bool blank = !AtLineEnd() && (*at_ == ' ' || (text() && *at_ == '\t'));
  if (blank) ++at_;
  if (text()) SkipBlanks();
  if (!text() && blank && Rest() == "EOF") return ParseEof();

  const auto keyword = Word();
  const char* const after = keyword.data() + keyword.size();
  const bool described = blank && after != line_end_;
  if (described) at_ = after + 1;
  if (described && keyword == "HELP") return done(ParseHelp());
  if (described && keyword == "TYPE") return done(ParseType());
  if (described && keyword == "UNIT" && !text()) return done(ParseUnit());
  if (text()) return Line::kOther;
  return done(Reject(
      "expected '# HELP', '# TYPE', '# UNIT' or '# EOF': OpenMetrics has no comments", comment));
}

PageParser::Line PageParser::ParseEof() {
  if (next_line_ == page_end_) return Line::kEnd;
  ++line_number_;
  line_begin_ = at_ = next_line_;
  Reject("expected nothing after '# EOF'");
  return Line::kBad;
}

bool PageParser::ParseDescribedName(std::string_view keyword, FamilyTable::Entry*& entry) {
  if (text()) SkipBlanks();
  std::string_view name;
  if (!AtLineEnd() && *at_ == '"') {
    if (!ParseQuoted(name)) return false;
    if (name.empty()) return Reject("an empty name", line_begin_);
  } else {
    const char* const end = SkipName(at_, line_end_, true);
    name = {at_, static_cast<std::size_t>(end - at_)};
    if (name.empty()) return Expected("a metric name after " + std::string(keyword));
    at_ = end;
  }
  if (!AtLineEnd() && *at_ != ' ' && !(text() && *at_ == '\t')) {
    return Expected("a blank after the metric name");
  }
  if (!AtLineEnd()) ++at_;
  if (text()) SkipBlanks();
  last_name_ = {};  // the description may change what the next sample belongs to
  entry = &families_.Describe(name);
  return true;
}

bool PageParser::CheckDescription(const FamilyTable::Entry& entry, bool repeated,
                                  std::string_view keyword) {
  if (!options_.strict) return true;
  const auto problem = DescriptionProblem(entry, repeated, keyword);
  return problem.empty() || Reject(problem, line_begin_);
}

bool PageParser::ParseHelp() {
  FamilyTable::Entry* entry;
  if (!ParseDescribedName("HELP", entry)) return false;
  const auto help = Rest();
  if (!IsUtf8(help)) return Reject("the help text is not UTF-8");
  if (!CheckDescription(*entry, entry->has_help, "HELP")) return false;
  entry->has_help = true;
  entry->family.help.clear();
  const bool known = AppendUnescaped(entry->family.help, help, !text());
  return known || !options_.strict ||
         Reject("an escape other than \\\\, \\n and, in OpenMetrics, \\\"");
}

bool PageParser::ParseType() {
  FamilyTable::Entry* entry;
  if (!ParseDescribedName("TYPE", entry)) return false;
  auto word = Rest();
  while (text() && !word.empty() && (word.back() == ' ' || word.back() == '\t')) {
    word.remove_suffix(1);
  }
  const auto type = ParseMetricType(word);
  if (!type || (options_.strict && !IsTypeWord(word, format_))) {
    return Expected(TypeWords(format_));
  }
  if (!CheckDescription(*entry, entry->has_type, "TYPE")) return false;
  entry->has_type = true;
  // A family keeps the type under which its first sample was handed out.
  if (!entry->has_samples) families_.SetType(*entry, *type, word == "gaugehistogram");
  return true;
}

bool PageParser::ParseUnit() {
  FamilyTable::Entry* entry;
  if (!ParseDescribedName("UNIT", entry)) return false;
  const auto unit = Rest();
  if (!CheckDescription(*entry, entry->has_unit, "UNIT")) return false;
  const std::string_view name = entry->declared_name;
  const bool suffix = name.size() > unit.size() + 1 && name.ends_with(unit) &&
                      name[name.size() - unit.size() - 1] == '_';
  if (!unit.empty() && !suffix) return Expected("the unit that ends the metric's name");
  entry->has_unit = true;
  entry->family.unit = unit;
  return true;
}

bool PageParser::Expected(std::string_view what, const char* at) {
  if (!at) at = at_;
  return Reject("expected " + std::string(what) + ", got " + Describe(at, line_end_), at);
}

bool PageParser::Reject(std::string_view problem, const char* at) {
  const auto column = (at ? at : at_) - line_begin_ + 1;
  error_ = Error(ErrorCode::kCorrupt, "line " + std::to_string(line_number_) + ", column " +
                                          std::to_string(column) + ": " + std::string(problem));
  return false;
}

}  // namespace vigia::text
