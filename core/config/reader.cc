#include "core/config/reader.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/number.h"

namespace vigia::config {
namespace {

std::string_view KindName(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "a value";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "";
}

std::string Join(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

// The words of YAML 1.1 count, too: what reads the files of Prometheus and its kind takes them.
Result<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes :
       {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no :
       {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    if (text == no) return false;
  }
  return Fail(ErrorCode::kInvalid,
              "'" + std::string(text) + "' is not a boolean: write true or false");
}

// Also of numbers that are too large for an integer.
bool IsWholeNumber(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

Result<std::uint64_t> ParseBytes(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto unit = text.substr(digits);
  constexpr std::array<std::string_view, 5> kPrefixes{"", "K", "M", "G", "T"};
  const auto number = ParseUint(text.substr(0, digits));
  for (std::size_t power = 0; number && power < kPrefixes.size(); ++power) {
    const std::string prefix(kPrefixes[power]);
    const bool fits = unit == prefix + "B" || (power == 0 && unit.empty()) ||
                      (power > 0 && (unit == prefix + "iB" || unit == prefix));
    if (!fits) continue;
    if (power > 0 && *number >> (64 - 10 * power) != 0) break;
    return *number << (10 * power);
  }
  return Fail(ErrorCode::kInvalid, "'" + std::string(text) +
                                       "' is not a size: write a number and B, KiB, MiB, GiB or "
                                       "TiB, such as 64MiB");
}

}  // namespace

MapReader::MapReader(const Node& node, Diagnostics& diagnostics, std::string context)
    : node_(node), diagnostics_(diagnostics), context_(std::move(context)) {
  if (node.IsMap() || node.IsNull()) return;
  diagnostics_.Add(node.position, (context_.empty() ? "this" : context_) +
                                      " has to be a map of keys and values, not " +
                                      std::string(KindName(node)));
}

const Node* MapReader::Child(std::string_view key) {
  known_.emplace_back(key);
  return node_.Find(key);
}

const Node* MapReader::Scalar(std::string_view key, std::string_view wanted) {
  const Node* node = Child(key);
  if (!node || node->IsScalar()) return node;
  diagnostics_.Add(node->position, std::string(key) + " has to be " + std::string(wanted) +
                                       ", not " + std::string(KindName(*node)));
  return nullptr;
}

template <typename T, typename Parse>
bool MapReader::ReadParsed(std::string_view key, std::string_view wanted, T& out, Parse parse) {
  const Node* node = Scalar(key, wanted);
  if (!node) return false;
  auto value = parse(node->text);
  if (!value) {
    diagnostics_.Add(node->position, value.error().In(key).message());
    return false;
  }
  out = static_cast<T>(*std::move(value));
  return true;
}

bool MapReader::Read(std::string_view key, bool& out) {
  return ReadParsed(key, "true or false", out, ParseBool);
}

bool MapReader::Read(std::string_view key, std::string& out) {
  const Node* node = Scalar(key, "a string");
  if (!node) return false;
  out = node->text;
  return true;
}

bool MapReader::Read(std::string_view key, std::filesystem::path& out) {
  const Node* node = Scalar(key, "a path");
  if (!node) return false;
  out = node->text;
  return true;
}

bool MapReader::Read(std::string_view key, double& out) {
  return ReadParsed(key, "a number", out, [](std::string_view text) {
    auto value = ParseDouble(text);
    if (value && !std::isfinite(*value)) {
      value = Fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is not a finite number");
    }
    return value;
  });
}

bool MapReader::Read(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max) {
  return ReadParsed(key, "a whole number", out, [&](std::string_view text) -> Result<std::int64_t> {
    const auto value = ParseInt(text);
    if (value && *value >= min && *value <= max) return value;
    if (!value && !IsWholeNumber(text)) {
      return Fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is not a whole number");
    }
    return Fail(ErrorCode::kInvalid, std::string(text) + " is not between " + std::to_string(min) +
                                         " and " + std::to_string(max));
  });
}

bool MapReader::Read(std::string_view key, Milliseconds& out) {
  return ReadParsed(
      key, "a duration such as 30s", out, [](std::string_view text) -> Result<Milliseconds> {
        auto value = ParseDuration(text);
        if (value && value->count() == 0) {
          return Fail(ErrorCode::kInvalid, "0 is too short: write a duration such as 30s");
        }
        return value;
      });
}

bool MapReader::Read(std::string_view key, std::vector<std::string>& out) {
  const Node* node = Child(key);
  return node && ReadStrings(*node, key, diagnostics_, out);
}

bool MapReader::Read(std::string_view key, std::map<std::string, std::string>& out) {
  const Node* node = Child(key);
  if (!node) return false;
  if (!node->IsMap()) {
    diagnostics_.Add(node->position,
                     std::string(key) + " has to be a map, not " + std::string(KindName(*node)));
    return false;
  }
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : node->entries) {
    if (!value.IsScalar()) {
      diagnostics_.Add(value.position, std::string(key) + ": " + name.text +
                                           " has to be a string, not " +
                                           std::string(KindName(value)));
      return false;
    }
    values[name.text] = value.text;
  }
  out = std::move(values);
  return true;
}

bool MapReader::ReadBytes(std::string_view key, std::uint64_t& out) {
  return ReadParsed(key, "a size such as 64MiB", out, ParseBytes);
}

bool MapReader::ReadSecret(std::string_view key, Secret& out, PlainSecrets plain) {
  const std::string file_key = std::string(key) + "_file";
  std::string value;
  const bool has_value = Read(key, value);
  std::filesystem::path path;
  const bool has_file = Read(file_key, path);
  if (has_value && has_file) {
    Fault(file_key, "stands beside " + std::string(key) + "; write one of the two");
    return false;
  }
  if (has_value && plain == PlainSecrets::kRefused && !node_.Find(key)->variable) {
    Fault(key, "a secret does not stand in this file; write " + file_key +
                   " with the path of a file that holds it, or ${NAME} to take it from the "
                   "environment");
    return false;
  }
  if (has_value) out = Secret::FromValue(std::move(value));
  if (has_file) out = Secret::FromFile(std::move(path));
  return has_value || has_file;
}

std::size_t MapReader::ReadChoice(std::string_view key, std::span<const std::string_view> words,
                                  std::size_t fallback) {
  std::size_t choice = fallback;
  ReadParsed(key, "a word", choice, [&](std::string_view text) -> Result<std::size_t> {
    const auto at = std::find(words.begin(), words.end(), text);
    if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
    std::string message = "'" + std::string(text) + "' is not one of " + Join(words);
    const auto nearest = Nearest(text, words);
    if (!nearest.empty()) message += "; did you mean '" + std::string(nearest) + "'?";
    return Fail(ErrorCode::kInvalid, std::move(message));
  });
  return choice;
}

void MapReader::Fault(std::string_view key, std::string_view what) {
  for (const auto& [name, value] : node_.entries) {
    if (name.text == key) {
      diagnostics_.Add(name.position, std::string(key) + ": " + std::string(what));
      return;
    }
  }
  diagnostics_.Add(node_.position, std::string(key) + ": " + std::string(what));
}

void MapReader::Require(std::string_view key, std::string_view why) {
  if (Has(key) || node_.IsScalar() || node_.IsList()) return;
  std::string text;
  if (!context_.empty()) text = context_ + ": ";
  text += "the key '" + std::string(key) + "' is missing";
  if (!why.empty()) text += ": " + std::string(why);
  diagnostics_.Add(node_.position, text);
}

void MapReader::Finish() {
  std::vector<std::string_view> known(known_.begin(), known_.end());
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (const auto& [key, value] : node_.entries) {
    if (std::binary_search(known.begin(), known.end(), key.text)) continue;
    std::string text = "unknown key '" + key.text + "'";
    if (!context_.empty()) text += " in " + context_;
    const auto nearest = Nearest(key.text, known);
    if (!nearest.empty()) {
      text += ", did you mean '" + std::string(nearest) + "'?";
    } else if (known.empty()) {
      text += ", which has no keys";
    } else {
      text += "; known keys: " + Join(known);
    }
    diagnostics_.Add(key.position, text);
  }
}

bool ReadStrings(const Node& node, std::string_view what, Diagnostics& diagnostics,
                 std::vector<std::string>& out) {
  std::vector<std::string> values;
  const auto add = [&](const Node& item) {
    if (item.IsScalar()) {
      values.push_back(item.text);
      return true;
    }
    diagnostics.Add(item.position, std::string(what) + " has to be a list of strings, not of " +
                                       (item.IsMap()    ? "maps"
                                        : item.IsList() ? "lists"
                                                        : "nothing"));
    return false;
  };
  if (node.IsList()) {
    if (!std::all_of(node.items.begin(), node.items.end(), add)) return false;
  } else if (!node.IsScalar()) {
    diagnostics.Add(node.position, std::string(what) + " has to be a list of strings, not " +
                                       std::string(KindName(node)));
    return false;
  } else {
    values.push_back(node.text);
  }
  out = std::move(values);
  return true;
}

}  // namespace vigia::config
