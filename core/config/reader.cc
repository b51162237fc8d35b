#include "core/config/reader.h"

#include <algorithm>
#include <array>

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

Result<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is not true or false");
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
  return ReadParsed(key, "a number", out, ParseDouble);
}

bool MapReader::Read(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max) {
  return ReadParsed(key, "a whole number", out, [&](std::string_view text) -> Result<std::int64_t> {
    auto value = ParseInt(text);
    if (!value) {
      return Fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is not a whole number");
    }
    if (*value < min || *value > max) {
      return Fail(ErrorCode::kInvalid, std::string(text) + " is not between " +
                                           std::to_string(min) + " and " + std::to_string(max));
    }
    return value;
  });
}

bool MapReader::Read(std::string_view key, Milliseconds& out) {
  return ReadParsed(key, "a duration such as 30s", out,
                    [](std::string_view text) -> Result<Milliseconds> {
                      auto value = ParseDuration(text);
                      if (value && value->count() == 0) {
                        return Fail(ErrorCode::kInvalid, "has to be longer than 0");
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

bool MapReader::ReadSecret(std::string_view key, Secret& out) {
  const std::string file_key = std::string(key) + "_file";
  std::string value;
  const bool inline_value = Read(key, value);
  std::filesystem::path path;
  const bool from_file = Read(file_key, path);
  if (inline_value && from_file) {
    Fault(file_key, "stands beside " + std::string(key) + "; write one of the two");
    return false;
  }
  if (inline_value) out = Secret::FromValue(std::move(value));
  if (from_file) out = Secret::FromFile(std::move(path));
  return inline_value || from_file;
}

std::size_t MapReader::ReadChoice(std::string_view key, std::span<const std::string_view> words,
                                  std::size_t fallback) {
  std::size_t choice = fallback;
  ReadParsed(key, "a word", choice, [&](std::string_view text) -> Result<std::size_t> {
    const auto at = std::find(words.begin(), words.end(), text);
    if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
    std::string message = "'" + std::string(text) + "' is not one of ";
    for (const auto word : words) {
      if (word != words.front()) message += ", ";
      message += word;
    }
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
  if (Has(key)) return;
  std::string text;
  if (!context_.empty()) text = context_ + ": ";
  text += "the key '" + std::string(key) + "' is missing";
  if (!why.empty()) text += ": " + std::string(why);
  diagnostics_.Add(node_.position, text);
}

void MapReader::Finish() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const auto& [key, value] : node_.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    std::string text = "unknown key '" + key.text + "'";
    if (!context_.empty()) text += " in " + context_;
    const auto nearest = Nearest(key.text, known);
    if (!nearest.empty()) {
      text += ", did you mean '" + std::string(nearest) + "'?";
    } else {
      auto sorted = known;
      std::sort(sorted.begin(), sorted.end());
      text += "; known keys:";
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        text += (i == 0 ? " " : ", ") + std::string(sorted[i]);
      }
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
