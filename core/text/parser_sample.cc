// The part of PageParser that reads samples.

#include <cmath>
#include <cstring>

#include "core/text/page_rules.h"
#include "core/text/parser.h"
#include "core/text/scan.h"
#include "core/text/utf8.h"

namespace vigia::text {

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
    if (word.empty()) return Expected(what);
    return Reject("expected " + std::string(what) + " that is a number, got '" +
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

}  // namespace vigia::text
