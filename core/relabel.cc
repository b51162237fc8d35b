#include "core/relabel.h"

#include <openssl/evp.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/config/reader.h"
#include "core/text/utf8.h"

namespace vigia {
namespace {

constexpr std::string_view kAnything = "(.*)";
constexpr std::string_view kFirstGroup = "$1";
constexpr std::string_view kSemicolon = ";";

enum class Action {
  kReplace,
  kKeep,
  kDrop,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
  kKeepEqual,
  kDropEqual,
};
constexpr std::array<std::string_view, 11> kActions{
    "replace",   "keep",      "drop",      "hashmod",   "labelmap", "labeldrop",
    "labelkeep", "lowercase", "uppercase", "keepequal", "dropequal"};

// UTF-8 names are allowed since Prometheus 3.
bool IsLabelName(std::string_view name) { return !name.empty() && text::IsUtf8(name); }

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The number that `name` is, without leading zeros.
std::optional<int> GroupNumber(std::string_view name) {
  const bool digits = name.find_first_not_of("0123456789") == name.npos;
  if (!digits || name.size() > 8 || (name.size() > 1 && name[0] == '0')) return std::nullopt;
  int number = 0;
  for (const char c : name) number = 10 * number + (c - '0');
  return number;
}

// "a$1b${2}": text with groups of a match put in, as Go's Regexp.Expand does it. `$1x` is the
// group called "1x"; a group that there is not is empty; `$$` is a dollar sign.
class Template {
 public:
  Template(std::string_view text, const RE2& regex) {
    std::string literal;
    while (!text.empty()) {
      const std::size_t dollar = text.find('$');
      literal += text.substr(0, dollar);
      if (dollar == text.npos) break;
      text.remove_prefix(dollar + 1);
      const auto name = TakeName(text);
      if (name.empty()) {
        literal += '$';
        if (text.starts_with('$')) text.remove_prefix(1);
        continue;
      }
      parts_.push_back({std::move(literal), GroupOf(name, regex)});
      literal.clear();
    }
    if (!literal.empty()) parts_.push_back({std::move(literal), -1});
    for (const auto& part : parts_) groups_ = std::max(groups_, part.group + 1);
  }

  // How many groups, the whole match included, Expand() may need.
  int groups() const { return groups_; }

  std::string Expand(const std::vector<re2::StringPiece>& match) const {
    std::string out;
    for (const auto& [literal, group] : parts_) {
      out += literal;
      if (group < 0) continue;
      const auto& piece = match[static_cast<std::size_t>(group)];
      out.append(piece.data(), piece.size());
    }
    return out;
  }

 private:
  // A literal, then a group of the match; -1 for none.
  struct Part {
    std::string literal;
    int group;
  };

  // The name after a dollar sign, which is taken off `text`; empty where there is none.
  static std::string_view TakeName(std::string_view& text) {
    const bool brace = text.starts_with('{');
    const auto rest = text.substr(brace ? 1 : 0);
    const auto end = std::find_if_not(rest.begin(), rest.end(), IsWordByte);
    const auto name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    const auto after = rest.substr(name.size());
    if (name.empty() || (brace && !after.starts_with('}'))) return {};
    text = after.substr(brace ? 1 : 0);
    return name;
  }

  static int GroupOf(std::string_view name, const RE2& regex) {
    if (const auto number = GroupNumber(name)) {
      return *number <= regex.NumberOfCapturingGroups() ? *number : -1;
    }
    const auto& named = regex.NamedCapturingGroups();
    const auto at = named.find(std::string(name));
    return at == named.end() ? -1 : at->second;
  }

  std::vector<Part> parts_;
  int groups_ = 0;
};

// The last 8 bytes of the MD5 sum, as Prometheus takes them.
std::uint64_t Md5Tail(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_md5(), nullptr);
  std::uint64_t tail = 0;
  for (std::size_t i = 8; i < 16; ++i) tail = tail << 8 | sum[i];
  return tail;
}

std::string WithCase(std::string text, bool upper) {
  for (char& c : text) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// A rule as it stands in the file.
struct Fields {
  Action action = Action::kReplace;
  std::vector<std::string> source_labels;
  std::string separator{kSemicolon};
  std::string regex{kAnything};
  std::string target_label;
  std::string replacement{kFirstGroup};
  std::int64_t modulus = 0;
};

RE2::Options RegexOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  return options;
}

bool IsOneOf(Action action, std::initializer_list<Action> actions) {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

// The rules between the fields, as Prometheus checks them.
void Check(const Fields& fields, config::MapReader& reader) {
  const Action action = fields.action;
  const std::string name(kActions[static_cast<std::size_t>(action)]);
  if (action == Action::kHashMod && fields.modulus == 0) {
    reader.Require("modulus", "hashmod divides by it");
  }
  const bool writes = IsOneOf(action, {Action::kReplace, Action::kHashMod, Action::kLowercase,
                                       Action::kUppercase, Action::kKeepEqual, Action::kDropEqual});
  if (writes && !reader.Has("target_label")) {
    reader.Require("target_label", name + " needs it");
  } else if (writes && !IsLabelName(fields.target_label)) {
    reader.Fault("target_label", "is not a label name");
  }
  const bool regexless = IsOneOf(action, {Action::kKeepEqual, Action::kDropEqual});
  const bool names_only = IsOneOf(action, {Action::kLabelDrop, Action::kLabelKeep});
  const bool keeps_text =
      regexless || names_only || IsOneOf(action, {Action::kLowercase, Action::kUppercase});
  if (keeps_text && fields.replacement != kFirstGroup) {
    reader.Fault("replacement", "cannot be set for " + name);
  }
  if (action == Action::kLabelMap && !IsLabelName(fields.replacement)) {
    reader.Fault("replacement", "is not a label name");
  }
  if (regexless && fields.regex != kAnything) reader.Fault("regex", "cannot be set for " + name);
  if ((regexless || names_only) && fields.separator != kSemicolon) {
    reader.Fault("separator", "cannot be set for " + name);
  }
  if ((regexless || names_only) && fields.modulus != 0) {
    reader.Fault("modulus", "cannot be set for " + name);
  }
  if (names_only && !fields.source_labels.empty()) {
    reader.Fault("source_labels", "cannot be set for " + name);
  }
  if (names_only && !fields.target_label.empty()) {
    reader.Fault("target_label", "cannot be set for " + name);
  }
}

}  // namespace

class Relabeling::Rule {
 public:
  explicit Rule(Fields fields)
      : fields_(std::move(fields)),
        regex_(fields_.regex, RegexOptions()),
        target_(fields_.target_label, regex_),
        replacement_(fields_.replacement, regex_) {}

  const RE2& regex() const { return regex_; }

  bool Apply(LabelsBuilder& labels) const {
    const auto& target = fields_.target_label;
    const auto value = Source(labels);
    switch (fields_.action) {
      case Action::kReplace:
        Replace(value, labels);
        return true;
      case Action::kKeep:
        return Matches(value);
      case Action::kDrop:
        return !Matches(value);
      case Action::kHashMod:
        labels.Set(target,
                   std::to_string(Md5Tail(value) % static_cast<std::uint64_t>(fields_.modulus)));
        return true;
      case Action::kLabelMap:
        MapNames(labels);
        return true;
      case Action::kLabelDrop:
        RemoveNames(true, labels);
        return true;
      case Action::kLabelKeep:
        RemoveNames(false, labels);
        return true;
      case Action::kLowercase:
        labels.Set(target, WithCase(value, false));
        return true;
      case Action::kUppercase:
        labels.Set(target, WithCase(value, true));
        return true;
      case Action::kKeepEqual:
        return labels.Get(target) == value;
      case Action::kDropEqual:
        return labels.Get(target) != value;
    }
    return true;
  }

 private:
  std::string Source(const LabelsBuilder& labels) const {
    std::string joined;
    for (std::size_t i = 0; i < fields_.source_labels.size(); ++i) {
      if (i > 0) joined += fields_.separator;
      joined += labels.Get(fields_.source_labels[i]);
    }
    return joined;
  }

  bool Matches(std::string_view text) const {
    return RE2::FullMatch({text.data(), text.size()}, regex_);
  }

  // The groups that `groups` asks for; nothing without a match.
  std::optional<std::vector<re2::StringPiece>> Match(std::string_view text, int groups) const {
    std::vector<re2::StringPiece> match(static_cast<std::size_t>(groups));
    const re2::StringPiece piece(text.data(), text.size());
    if (!regex_.Match(piece, 0, text.size(), RE2::ANCHOR_BOTH, match.data(), groups)) {
      return std::nullopt;
    }
    return match;
  }

  void Replace(const std::string& value, LabelsBuilder& labels) const {
    const auto match = Match(value, std::max(target_.groups(), replacement_.groups()));
    if (!match) return;
    const auto name = target_.Expand(*match);
    if (IsLabelName(name)) labels.Set(name, replacement_.Expand(*match));
  }

  void MapNames(LabelsBuilder& labels) const {
    // A copy: labels that this rule makes are not mapped themselves.
    const auto entries = labels.entries();
    for (const auto& [name, value] : entries) {
      const auto match = Match(name, replacement_.groups());
      if (!match) continue;
      const auto mapped = replacement_.Expand(*match);
      if (IsLabelName(mapped)) labels.Set(mapped, value);
    }
  }

  void RemoveNames(bool matching, LabelsBuilder& labels) const {
    std::vector<std::string> names;
    for (const auto& [name, value] : labels.entries()) {
      if (Matches(name) == matching) names.push_back(name);
    }
    labels.Retain(names, false);
  }

  const Fields fields_;
  const RE2 regex_;
  const Template target_;
  const Template replacement_;
};

Relabeling Relabeling::Read(const config::Node& node, std::string_view context,
                            config::Diagnostics& diagnostics) {
  Relabeling relabeling;
  if (!node.IsList() && !node.IsNull()) {
    diagnostics.Add(node.position, std::string(context) + ": expected a list of rules");
  }
  for (const auto& item : node.items) {
    config::MapReader reader(item, diagnostics, std::string(context));
    Fields fields;
    std::string action(kActions[0]);
    reader.Read("action", action);
    const auto known = std::find(kActions.begin(), kActions.end(), WithCase(action, false));
    if (known == kActions.end()) {
      reader.Fault("action", "'" + action + "' is no action of relabelling");
    } else {
      fields.action = static_cast<Action>(known - kActions.begin());
    }
    reader.Read("source_labels", fields.source_labels);
    reader.Read("separator", fields.separator);
    reader.Read("regex", fields.regex);
    reader.Read("target_label", fields.target_label);
    reader.Read("replacement", fields.replacement);
    reader.Read("modulus", fields.modulus, 1);
    Check(fields, reader);
    auto rule = std::make_shared<const Rule>(std::move(fields));
    if (!rule->regex().ok()) reader.Fault("regex", rule->regex().error());
    reader.Finish();
    relabeling.rules_.push_back(std::move(rule));
  }
  return relabeling;
}

bool Relabeling::Apply(LabelsBuilder& labels) const {
  return std::all_of(rules_.begin(), rules_.end(),
                     [&](const auto& rule) { return rule->Apply(labels); });
}

}  // namespace vigia
