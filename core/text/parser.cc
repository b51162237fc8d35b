#include "core/text/parser.h"

#include <algorithm>
#include <cmath>
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

bool PageParser::ParseSample() {
  const char* const begin = at_;
  sample_.line = line_number_;
  has_exemplar_ = false;
  labels_.clear();
  // Most lines begin with the name of the line before.
  const auto repeats = static_cast<std::size_t>(line_end_ - at_) > last_name_.size() &&
                       !last_name_.empty() &&
                       std::memcmp(at_, last_name_.data(), last_name_.size()) == 0 &&
                       (at_[last_name_.size()] == '{' || at_[last_name_.size()] == ' ');
  if (repeats) {
    sample_.name = last_name_;
    at_ += last_name_.size();
  } else {
    const char* const end = SkipName(at_, line_end_, true);
    sample_.name = {at_, static_cast<std::size_t>(end - at_)};
    if (sample_.name.empty() && (AtLineEnd() || *at_ != '{')) return Expected("a metric name");
    at_ = end;
  }
  const char* series_end = at_;
  if (text()) SkipBlanks();
  const bool plain_name = !sample_.name.empty();
  if (!AtLineEnd() && *at_ == '{') {
    if (!ParseLabels(labels_, &sample_.name)) return false;
    series_end = at_;
  }
  if (sample_.name.empty()) return Reject("no metric name", begin);
  sample_.series = {begin, static_cast<std::size_t>(series_end - begin)};
  sample_.labels = labels_;
  if (!repeats && !ResolveFamily()) return false;
  if (repeats) entry_ = last_entry_;
  last_name_ = plain_name ? sample_.name : std::string_view{};
  last_entry_ = entry_;
  sample_.family = &entry_->family;

  if (!text() && (AtLineEnd() || *at_ != ' ')) return Expected("a blank before the value");
  return ParseNumber(sample_.value, "a value") && ParseTime() && ParseExemplar();
}

bool PageParser::ResolveFamily() {
  entry_ = &families_.Of(sample_.name);
  if (!options_.strict) return true;
  const auto problem = MembershipProblem(families_, *entry_, sample_.name);
  return problem.empty() || Reject(problem, line_begin_);
}

// From '{' to after '}'. `name` takes a quoted metric name, where one is allowed.
bool PageParser::ParseLabels(std::vector<LabelView>& labels, std::string_view* name) {
  const char* const begin = at_++;
  names_repeat_ = true;
  for (bool first = true;; first = false) {
    if (text()) SkipBlanks();
    if (!AtLineEnd() && *at_ == '}') {
      if (!first && !text() && options_.strict) return Expected("a label name after ','");
      break;
    }
    LabelView label;
    bool quoted = false;
    const char* const label_begin = at_;
    if (!ParseLabelName(labels.size(), label.name, quoted)) return false;
    if (text()) SkipBlanks();
    if (quoted && !AtLineEnd() && (*at_ == ',' || *at_ == '}')) {
      if (!name) return Expected("'='");
      if (!name->empty()) return Reject("a second metric name", label_begin);
      *name = label.name;
      if (name->empty()) return Reject("an empty name", label_begin);
    } else {
      if (labels.size() == options_.max_labels) {
        return Reject("more than " + std::to_string(options_.max_labels) + " labels", label_begin);
      }
      if (label.name.empty()) return Reject("an empty name", label_begin);
      if (AtLineEnd() || *at_ != '=') return Expected("'='");
      ++at_;
      if (!ParseLabelValue(label.value)) return false;
      labels.push_back(label);
    }
    if (text()) SkipBlanks();
    if (!AtLineEnd() && *at_ == '}') break;
    if (AtLineEnd() || *at_ != ',') return Expected("',' or '}'");
    ++at_;
  }
  ++at_;
  return names_repeat_ || CheckRepeatedLabels(labels, begin);
}

bool PageParser::ParseLabelName(std::size_t i, std::string_view& name, bool& quoted) {
  if (i < last_names_.size()) {
    const auto last = last_names_[i];
    if (static_cast<std::size_t>(line_end_ - at_) > last.size() && at_[last.size()] == '=' &&
        std::memcmp(at_, last.data(), last.size()) == 0) {
      name = last;
      at_ += last.size();
      return true;
    }
  }
  names_repeat_ = false;
  quoted = !AtLineEnd() && *at_ == '"';
  if (quoted) return ParseQuoted(name);
  const char* const end = SkipName(at_, line_end_, false);
  name = {at_, static_cast<std::size_t>(end - at_)};
  if (name.empty()) return Expected("a label name or '}'");
  at_ = end;
  return true;
}

bool PageParser::ParseLabelValue(std::string_view& value) {
  if (text()) SkipBlanks();
  if (AtLineEnd() || *at_ != '"') return Expected("'\"' before the label's value");
  return ParseQuoted(value);
}

// From the opening quote to after the closing one.
bool PageParser::ParseQuoted(std::string_view& quoted) {
  const char* const begin = at_;
  const char* const content = ++at_;
  bool ascii = true;
  bool escaped = false;
  while (true) {
    at_ = FindQuoteOrBackslash(at_, line_end_, page_end_, ascii);
    if (!AtLineEnd() && *at_ == '"') break;
    if (line_end_ - at_ < 2) return Reject("a quote that is never closed", begin);
    escaped = true;
    at_ += 2;
  }
  quoted = {content, static_cast<std::size_t>(at_ - content)};
  ++at_;
  // The byte after a backslash has not been looked at.
  if ((!ascii || escaped) && !IsUtf8(quoted)) return Reject("not UTF-8", content);
  if (!escaped) return true;
  // The line's length is room for all that may be unescaped on it: views stay valid.
  unescaped_.reserve(static_cast<std::size_t>(line_end_ - line_begin_));
  const std::size_t before = unescaped_.size();
  const bool known = AppendUnescaped(unescaped_, quoted, true);
  if (!known && options_.strict) return Reject("an escape other than \\\\, \\\" and \\n", content);
  quoted = std::string_view(unescaped_).substr(before);
  return true;
}

bool PageParser::CheckRepeatedLabels(const std::vector<LabelView>& labels, const char* at) {
  last_names_.clear();
  bool plain = true;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto name = labels[i].name;
    bool repeated = name == kMetricName;
    for (std::size_t j = 0; j < i && !repeated; ++j) repeated = labels[j].name == name;
    if (repeated) {
      last_names_.clear();
      return Reject("a second label '" + std::string(name) + "'", at);
    }
    // Names that had to be unescaped do not outlive their line; quoted ones are not followed
    // by '='.
    plain =
        plain && IsLegacyLabelName(name) && name.data() >= line_begin_ && name.data() < line_end_;
    if (plain) last_names_.push_back(name);
  }
  return true;
}

bool PageParser::ParseNumber(double& value, std::string_view what) {
  if (text()) {
    SkipBlanks();
  } else {
    ++at_;
  }
  const auto word = Word();
  const auto number = ParseValue(word);
  if (!number) {
    return word.empty() ? Expected(what)
                        : Expected(std::string(what) + " that is a number, got '" +
                                   RepairUtf8(word.substr(0, 40)) + "'");
  }
  value = *number;
  at_ += word.size();
  return true;
}

bool PageParser::ParseTime() {
  constexpr double kMaxMilliseconds = 9.2e18;
  sample_.time.reset();
  if (text()) SkipBlanks();
  if (AtLineEnd()) return true;
  if (!text() && Rest().starts_with(" # ")) return true;
  if (!text()) ++at_;
  const auto word = Word();
  const auto number = ParseValue(word);
  const bool whole =
      word.find_first_not_of("0123456789", word.starts_with('-') ? 1 : 0) == word.npos;
  const double milliseconds = number ? (text() ? *number : *number * 1000) : kNaN;
  if (!(std::abs(milliseconds) < kMaxMilliseconds) || (text() && !whole)) {
    return Expected(text() ? "a timestamp in milliseconds" : "a timestamp in seconds");
  }
  sample_.time = static_cast<Timestamp>(std::llround(milliseconds));
  at_ += word.size();
  return true;
}

// ` # {trace_id="x"} 0.5 1700000000.123`: read, and left out.
bool PageParser::ParseExemplar() {
  if (text() || AtLineEnd()) return true;
  if (!Rest().starts_with(" # ")) return Expected("an exemplar or the end of the line");
  at_ += 3;
  if (AtLineEnd() || *at_ != '{') return Expected("'{' of the exemplar's labels");
  has_exemplar_ = true;
  exemplar_labels_.clear();
  std::swap(last_names_, exemplar_names_);
  const bool parsed = ParseLabels(exemplar_labels_, nullptr);
  std::swap(last_names_, exemplar_names_);
  if (!parsed) return false;
  if (AtLineEnd() || *at_ != ' ') return Expected("a blank before the exemplar's value");
  double value;
  if (!ParseNumber(value, "an exemplar's value")) return false;
  if (AtLineEnd()) return true;
  const auto time = sample_.time;
  const bool timed = ParseTime();
  sample_.time = time;
  return timed;
}

bool PageParser::ParseLineEnd() {
  if (text()) SkipBlanks();
  return AtLineEnd() || Expected("the end of the line");
}

bool PageParser::CheckSample() {
  const auto problem =
      SampleProblem(format_, *entry_, sample_, has_exemplar_ ? &exemplar_labels_ : nullptr);
  return problem.empty() || Reject(problem, line_begin_);
}

void PageParser::SkipBlanks() {
  while (!AtLineEnd() && (*at_ == ' ' || *at_ == '\t')) ++at_;
}

// Up to the next blank.
std::string_view PageParser::Word() const {
  const char* end = at_;
  while (end != line_end_ && *end != ' ' && !(*end == '\t' && text())) ++end;
  return {at_, static_cast<std::size_t>(end - at_)};
}

bool PageParser::Expected(std::string_view what, const char* at) {
  if (!at) at = at_;
  std::string problem = "expected " + std::string(what);
  if (problem.find(", got ") == problem.npos) problem += ", got " + Describe(at, line_end_);
  return Reject(problem, at);
}

bool PageParser::Reject(std::string_view problem, const char* at) {
  const auto column = (at ? at : at_) - line_begin_ + 1;
  error_ = Error(ErrorCode::kCorrupt, "line " + std::to_string(line_number_) + ", column " +
                                          std::to_string(column) + ": " + std::string(problem));
  return false;
}

}  // namespace vigia::text
