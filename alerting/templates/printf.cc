// fmt.Sprintf: verbs, flags, widths, precisions, argument indexes, and Go's way to say in the
// text what is wrong with them: %!d(string=hi), %!s(MISSING), %!(EXTRA int=1).

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "alerting/templates/function.h"
#include "alerting/templates/go_time.h"
#include "alerting/templates/literal.h"
#include "alerting/templates/print.h"

namespace vigia::alerting::templates {
namespace {

struct Flags {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  std::optional<int> width;
  std::optional<int> precision;
};

std::string Digits(std::uint64_t value, int base, bool capitals) {
  std::array<char, 70> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, base);
  std::string text(buffer.data(), end.ptr);
  if (capitals) {
    for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  }
  return text;
}

// One verb applied to one value.
class Printer {
 public:
  Printer(const Flags& flags, char32_t verb) : flags_(flags), verb_(verb) {}

  std::string Print(const Value& value, int depth = 0) const {
    if (verb_ == 'T') return Pad(std::string(TypeName(value)));
    if (value.IsNil()) return verb_ == 'v' ? Pad("<nil>") : Bad(value);
    if (const auto* text = value.string()) return String(value, *text);
    if (const auto* markup = value.As<Markup>()) return String(value, markup->text);
    if (const auto own = OwnText(value)) return String(value, *own);
    if (const auto* truth = value.As<bool>()) return Bool(value, *truth);
    if (const auto* number = value.As<std::int64_t>()) return Integer(value, *number);
    if (const auto* duration = value.As<GoDuration>()) return Integer(value, duration->nanoseconds);
    if (const auto* number = value.As<double>()) return Float(value, *number);
    if (depth > 20) return "...";
    if (const auto* list = value.list()) return Items(*list, depth);
    if (const auto* map = value.map()) return Entries(*map, depth);
    if (const auto* structure = value.structure()) return Fields(*structure, depth);
    return Bad(value);
  }

 private:
  // What the value's method String gives, where the verb asks for text.
  std::optional<std::string> OwnText(const Value& value) const {
    if (verb_ != 'v' && verb_ != 's' && verb_ != 'q' && verb_ != 'x' && verb_ != 'X') return {};
    if (verb_ == 'v' && flags_.sharp) return {};
    const auto* method = FindFunction(MethodsOf(value), "String");
    if (!method) return {};
    const auto text = method->call({}, {&value, 1});
    if (!text || !text->string()) return {};
    return *text->string();
  }

  std::string Bad(const Value& value) const {
    std::string out = "%!";
    AppendUtf8(out, verb_);
    if (value.IsNil()) return out + "(<nil>)";
    return out + "(" + std::string(TypeName(value)) + "=" + Show(value) + ")";
  }

  std::string Pad(std::string text) const {
    const auto width = static_cast<std::size_t>(flags_.width.value_or(0));
    const auto size = CountRunes(text);
    if (size >= width) return text;
    if (flags_.minus) return text + std::string(width - size, ' ');
    if (!flags_.zero) return std::string(width - size, ' ') + text;
    const std::size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
    return text.insert(sign, width - size, '0');
  }

  std::string String(const Value& value, std::string_view text) const {
    if (flags_.precision && verb_ != 'x' && verb_ != 'X') {
      text = RunePrefix(text, static_cast<std::size_t>(*flags_.precision));
    }
    switch (verb_) {
      case 'v':
        return Pad(flags_.sharp ? Quote(text) : std::string(text));
      case 's':
        return Pad(std::string(text));
      case 'q':
        if (flags_.sharp && text.find('`') == text.npos) return Pad("`" + std::string(text) + "`");
        return Pad(Quote(text));
      case 'x':
      case 'X':
        return Pad(Hexadecimal(text));
      default:
        return Bad(value);
    }
  }

  std::string Hexadecimal(std::string_view text) const {
    if (flags_.precision) text = text.substr(0, static_cast<std::size_t>(*flags_.precision));
    const std::string prefix = flags_.sharp ? (verb_ == 'X' ? "0X" : "0x") : "";
    std::string out = text.empty() ? "" : prefix;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (flags_.space && i > 0) out += " " + prefix;
      const auto byte = Digits(static_cast<unsigned char>(text[i]), 16, verb_ == 'X');
      out += (byte.size() < 2 ? "0" : "") + byte;
    }
    return out;
  }

  std::string Bool(const Value& value, bool truth) const {
    if (verb_ != 't' && verb_ != 'v') return Bad(value);
    return Pad(truth ? "true" : "false");
  }

  std::string Integer(const Value& value, std::int64_t number) const {
    switch (verb_) {
      case 'v':
      case 'd':
        return Whole(number, 10, "");
      case 'b':
        return Whole(number, 2, flags_.sharp ? "0b" : "");
      case 'o':
        return Whole(number, 8, flags_.sharp ? "0" : "");
      case 'O':
        return Whole(number, 8, "0o");
      case 'x':
        return Whole(number, 16, flags_.sharp ? "0x" : "");
      case 'X':
        return Whole(number, 16, flags_.sharp ? "0X" : "");
      case 'c':
      case 'q':
      case 'U':
        return Character(static_cast<char32_t>(number));
      default:
        return Bad(value);
    }
  }

  std::string Whole(std::int64_t number, int base, std::string_view prefix) const {
    const bool negative = number < 0;
    const auto magnitude =
        negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    const std::string sign = negative ? "-" : flags_.plus ? "+" : flags_.space ? " " : "";
    auto digits = Digits(magnitude, base, verb_ == 'X');
    auto least = static_cast<std::size_t>(flags_.precision.value_or(1));
    if (flags_.precision == 0 && number == 0) return Pad("");
    Flags flags = flags_;
    if (flags_.precision) {
      flags.zero = false;
    } else if (flags_.zero && flags_.width && !flags_.minus) {
      const auto width = static_cast<std::size_t>(*flags_.width);
      least = std::max(least, width - std::min(width, sign.size()));
      flags.zero = false;
    }
    if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
    return Printer(flags, verb_).Pad(sign + std::string(prefix) + digits);
  }

  std::string Character(char32_t code) const {
    const char32_t valid = code > 0x10FFFF ? U'\uFFFD' : code;
    std::string text;
    AppendUtf8(text, valid);
    if (verb_ == 'c') return Pad(text);
    if (verb_ == 'q') {
      auto quoted = Quote(text);
      quoted = quoted.substr(1, quoted.size() - 2);
      if (quoted == "\\\"") quoted = "\"";
      if (quoted == "'") quoted = "\\'";
      return Pad("'" + quoted + "'");
    }
    const auto digits = Digits(code, 16, true);
    auto out = "U+" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
    if (flags_.sharp) out += " '" + text + "'";
    return Pad(out);
  }

  std::string Float(const Value& value, double number) const {
    constexpr std::string_view kVerbs = "veEfFgG";
    if (verb_ >= 0x80 || kVerbs.find(static_cast<char>(verb_)) == kVerbs.npos) return Bad(value);
    const char letter = static_cast<char>(verb_);
    const bool general = letter == 'v' || letter == 'g' || letter == 'G';
    const int precision = flags_.precision.value_or(general ? -1 : 6);
    const char form = letter == 'v' ? 'g' : letter == 'F' ? 'f' : letter;
    auto text = FormatFloat(number, form, precision);
    const bool finite = text.find_first_of("IN") == text.npos;
    if (!flags_.plus && text.starts_with('+')) text.erase(0, 1);
    if (!flags_.plus && !finite && text == "Inf") text = "+Inf";
    if (flags_.plus && text.front() != '-' && text.front() != '+') text.insert(0, "+");
    if (flags_.space && text.front() != '-' && text.front() != '+') text.insert(0, " ");
    Flags flags = flags_;
    if (!finite) flags.zero = false;
    return Printer(flags, verb_).Pad(text);
  }

  std::string Items(const List& list, int depth) const {
    std::string out = "[";
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      out += (i > 0 ? " " : "") + Print(list.items[i], depth + 1);
    }
    return out + "]";
  }

  std::string Entries(const Map& map, int depth) const {
    std::string out = "map[";
    for (const auto& [key, value] : map.entries) {
      if (out.size() > 4) out += ' ';
      out += Print(key, depth + 1) + ":" + Print(value, depth + 1);
    }
    return out + "]";
  }

  std::string Fields(const Struct& structure, int depth) const {
    // A pointer shows itself at the top only.
    std::string out = structure.type.starts_with('*') && depth == 0 ? "&{" : "{";
    bool first = true;
    for (const auto& [name, value] : structure.fields) {
      if (!first) out += ' ';
      first = false;
      if (flags_.plus) out += std::string(name) + ":";
      out += Print(value, depth + 1);
    }
    return out + "}";
  }

  const Flags flags_;
  const char32_t verb_;
};

class Formatter {
 public:
  Formatter(std::string_view format, std::span<const Value> values)
      : format_(format), values_(values) {}

  std::string Run() {
    while (at_ < format_.size()) {
      const auto percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent < format_.size()) Verb();
    }
    if (!reordered_ && next_ < values_.size()) Extra();
    return std::move(out_);
  }

 private:
  char Peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  void Verb() {
    Flags flags = ReadFlags();
    after_index_ = false;
    bad_index_ = false;
    ReadIndex();
    if (!ReadNumber(flags.width, "%!(BADWIDTH)")) return;
    if (flags.width && *flags.width < 0) {
      flags.width = -*flags.width;
      flags.minus = true;
    }
    if (flags.minus) flags.zero = false;
    if (Peek() == '.') {
      ++at_;
      ReadIndex();
      const auto before = flags.precision;
      if (!ReadNumber(flags.precision, "%!(BADPREC)")) return;
      if (flags.precision && *flags.precision < 0) flags.precision.reset();
      if (!before && !flags.precision && !star_) flags.precision = 0;
    }
    if (!after_index_) ReadIndex();
    Apply(flags);
  }

  Flags ReadFlags() {
    Flags flags;
    for (;; ++at_) {
      switch (Peek()) {
        case '#':
          flags.sharp = true;
          continue;
        case '0':
          flags.zero = true;
          continue;
        case '+':
          flags.plus = true;
          continue;
        case '-':
          flags.minus = true;
          continue;
        case ' ':
          flags.space = true;
          continue;
        default:
          return flags;
      }
    }
  }

  // `[2]`: the argument that comes next.
  void ReadIndex() {
    if (Peek() != '[') return;
    reordered_ = true;
    const auto end = format_.find(']', at_);
    int index = 0;
    const auto inside = format_.substr(at_ + 1, end == format_.npos ? 0 : end - at_ - 1);
    const auto parsed = std::from_chars(inside.data(), inside.data() + inside.size(), index);
    at_ = end == format_.npos ? at_ + 1 : end + 1;
    if (parsed.ec != std::errc() || parsed.ptr != inside.data() + inside.size() || index < 1 ||
        static_cast<std::size_t>(index) > values_.size()) {
      bad_index_ = true;
      return;
    }
    next_ = static_cast<std::size_t>(index) - 1;
    after_index_ = true;
  }

  // A number or `*`, which takes it from the arguments. False if the verb is over.
  bool ReadNumber(std::optional<int>& number, std::string_view complaint) {
    star_ = Peek() == '*';
    if (star_) {
      ++at_;
      const auto* value = next_ < values_.size() ? values_[next_].As<std::int64_t>() : nullptr;
      if (next_ < values_.size()) ++next_;
      after_index_ = false;
      if (value && std::abs(*value) <= kMaxWidth) {
        number = static_cast<int>(*value);
      } else {
        out_ += complaint;
      }
      return true;
    }
    if (Peek() < '0' || Peek() > '9') return true;
    int digits = 0;
    while (Peek() >= '0' && Peek() <= '9') {
      digits = std::min(digits * 10 + (Peek() - '0'), kMaxWidth + 1);
      ++at_;
    }
    if (digits > kMaxWidth) {
      out_ += "%!(NOVERB)";
      at_ = format_.size();
      next_ = values_.size();
      return false;
    }
    number = digits;
    if (after_index_) bad_index_ = true;  // "%[3]2d"
    return true;
  }

  void Apply(const Flags& flags) {
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const auto rune = DecodeRune(format_.substr(at_));
    at_ += rune.size;
    std::string verb;
    AppendUtf8(verb, rune.code);
    if (rune.code == '%') {
      out_ += '%';
    } else if (bad_index_) {
      out_ += "%!" + verb + "(BADINDEX)";
    } else if (next_ >= values_.size()) {
      out_ += "%!" + verb + "(MISSING)";
    } else {
      out_ += Printer(flags, rune.code).Print(values_[next_++]);
    }
  }

  void Extra() {
    out_ += "%!(EXTRA ";
    for (std::size_t i = next_; i < values_.size(); ++i) {
      if (i > next_) out_ += ", ";
      if (values_[i].IsNil()) {
        out_ += "<nil>";
      } else {
        out_ += std::string(TypeName(values_[i])) + "=" + Show(values_[i]);
      }
    }
    out_ += ')';
  }

  const std::string_view format_;
  const std::span<const Value> values_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;  // argument
  bool reordered_ = false;
  bool after_index_ = false;
  bool bad_index_ = false;
  bool star_ = false;
  std::string out_;
};

}  // namespace

std::string Sprintf(std::string_view format, std::span<const Value> values) {
  return Formatter(format, values).Run();
}

}  // namespace vigia::alerting::templates
