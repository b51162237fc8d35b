#include "alerting/route/matcher.h"

#include <algorithm>
#include <tuple>

#include "core/text/utf8.h"

namespace vigia::alerting::route {
namespace {

// In quotes, with exactly the escapes that the parser below reads.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

constexpr std::string_view kSpace = " \t\r\n";

std::string_view OpText(Matcher::Op op) {
  switch (op) {
    case Matcher::Op::kEqual:
      return "=";
    case Matcher::Op::kNotEqual:
      return "!=";
    case Matcher::Op::kRegex:
      return "=~";
    case Matcher::Op::kNotRegex:
      return "!~";
  }
  return "";
}

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Reads one list of matchers from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Matchers> Read() {
    const bool braced = Peek() == '{';
    if (braced) ++at_;
    Matchers matchers;
    while (!AtEnd() && !(braced && Peek() == '}')) {
      auto matcher = ReadOne(braced);
      if (!matcher) return Fail(matcher.error());
      matchers.push_back(*std::move(matcher));
      if (Peek() == ',') {
        ++at_;
      } else if (!AtEnd() && !(braced && Peek() == '}')) {
        return Wrong("a comma is missing between two matchers");
      }
    }
    if (braced) {
      if (AtEnd()) return Wrong("the brace { is not closed");
      ++at_;
      if (!AtEnd()) return Wrong("text follows the closing brace");
    }
    if (matchers.empty() && !braced)
      return Wrong("no matcher; write one such as severity=\"page\"");
    return matchers;
  }

 private:
  char Peek() {
    while (at_ < text_.size() && kSpace.find(text_[at_]) != kSpace.npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool AtEnd() { return Peek() == '\0' && at_ >= text_.size(); }

  tl::unexpected<Error> Wrong(std::string_view what) const {
    return Fail(ErrorCode::kInvalid, "matcher '" + std::string(text_) + "', character " +
                                         std::to_string(at_ + 1) + ": " + std::string(what));
  }

  Result<Matcher> ReadOne(bool braced) {
    auto name = ReadName();
    if (!name) return Fail(name.error());
    const auto op = ReadOp();
    if (!op) return Wrong("an operator is missing: write =, !=, =~ or !~");
    auto value = ReadValue(braced);
    if (!value) return Fail(value.error());
    auto matcher = Matcher::Make(*std::move(name), *op, *std::move(value));
    if (!matcher) return Wrong(matcher.error().message());
    return matcher;
  }

  Result<std::string> ReadName() {
    if (Peek() == '"') return ReadQuoted();
    const auto begin = at_;
    while (at_ < text_.size() && std::string_view("=!~,{}\"'`\\").find(text_[at_]) == text_.npos) {
      ++at_;
    }
    const auto name = Trim(text_.substr(begin, at_ - begin));
    if (name.empty()) return Wrong("the name of a label is missing");
    if (name.find_first_of(kSpace) != name.npos) return Wrong("a name with spaces needs quotes");
    return std::string(name);
  }

  std::optional<Matcher::Op> ReadOp() {
    Peek();
    for (const auto op : {Matcher::Op::kRegex, Matcher::Op::kNotRegex, Matcher::Op::kNotEqual,
                          Matcher::Op::kEqual}) {
      if (!text_.substr(at_).starts_with(OpText(op))) continue;
      at_ += OpText(op).size();
      return op;
    }
    return std::nullopt;
  }

  Result<std::string> ReadValue(bool braced) {
    if (Peek() == '"') return ReadQuoted();
    // Bare: up to the next comma, or the brace that ends the list.
    auto end = std::min(text_.find(',', at_), text_.size());
    if (braced) {
      const auto last = text_.find_last_of('}');
      if (last != text_.npos && last >= at_) end = std::min(end, last);
    }
    const auto raw = Trim(text_.substr(at_, end - at_));
    at_ = end;
    if (raw.find('"') != raw.npos) return Wrong("a quote inside a value that has none around it");
    return Unescape(raw);
  }

  Result<std::string> ReadQuoted() {
    const auto begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return Wrong("the quote (\") is not closed");
    }
    return Unescape(text_.substr(begin, at_++ - begin));
  }

  // Only \n, \" and \\ mean something else than themselves: a regular expression needs its others.
  Result<std::string> Unescape(std::string_view raw) const {
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : '\0';
      if (next == 'n' || next == '"' || next == '\\') {
        out += next == 'n' ? '\n' : next;
        ++i;
      } else {
        out += raw[i];
      }
    }
    if (text::Utf8PrefixLength(out) != out.size()) return Wrong("not UTF-8");
    return out;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Matcher> Matcher::Make(std::string name, Op op, std::string value) {
  if (name.empty()) return Fail(ErrorCode::kInvalid, "the name of a label is missing");
  std::optional<promql::Regex> regex;
  if (op == Op::kRegex || op == Op::kNotRegex) {
    auto compiled = promql::Regex::CompileAnchored(value, promql::Semantics::kPrometheus2);
    if (!compiled) return Fail(compiled.error());
    regex = *std::move(compiled);
  }
  return Matcher(std::move(name), op, std::move(value), std::move(regex));
}

bool Matcher::MatchesValue(std::string_view value) const {
  const bool fits = regex_ ? regex_->Matches(value) : value == value_;
  return fits == is_equal();
}

std::string Matcher::ToString() const {
  std::string out = IsLegacyMetricName(name_) ? name_ : Quoted(name_);
  out += OpText(op_);
  out += Quoted(value_);
  return out;
}

bool operator<(const Matcher& a, const Matcher& b) {
  return std::tie(a.name_, a.value_, a.op_) < std::tie(b.name_, b.value_, b.op_);
}

bool MatchesAll(const Matchers& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels); });
}

std::string ToString(const Matchers& matchers) {
  std::string out = "{";
  for (const auto& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += matcher.ToString();
  }
  return out + "}";
}

Result<Matchers> ParseMatchers(std::string_view text) { return Reader(text).Read(); }

}  // namespace vigia::alerting::route
