#include "core/config/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/file.h"
#include "core/text/utf8.h"

namespace vigia::config {
namespace {

Position ToPosition(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

// The end of the quoted text that begins at `begin`, or npos if its quote is never closed.
std::size_t QuoteEnd(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return i;
      ++i;  // '' is a quote inside
    }
  }
  return std::string_view::npos;
}

Position PositionAt(std::string_view text, std::size_t offset) {
  Position position{1, 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
  }
  return position;
}

// Walks the tree of yaml-cpp and builds ours, reporting what yaml-cpp lets pass.
class Converter {
 public:
  Converter(std::string_view text, const YamlOptions& options, Diagnostics& diagnostics)
      : text_(text), options_(options), diagnostics_(diagnostics) {}

  Node Convert(const YAML::Node& from, int depth) {
    Node node;
    node.position = ToPosition(from.Mark());
    if (!Within(node.position, depth)) return node;
    switch (from.Type()) {
      case YAML::NodeType::Scalar:
        ConvertScalar(from, node);
        break;
      case YAML::NodeType::Sequence:
        node.kind = Node::Kind::kList;
        for (const auto& item : from) {
          if (full_) break;
          node.items.push_back(Convert(item, depth + 1));
        }
        break;
      case YAML::NodeType::Map:
        ConvertMap(from, node, depth);
        break;
      default:
        break;
    }
    return node;
  }

 private:
  // Aliases are shared in yaml-cpp's tree, so a small file may stand for a huge one.
  bool Within(Position position, int depth) {
    if (full_) return false;
    if (++visited_ > options_.limits.max_nodes) {
      full_ = true;
      diagnostics_.Add(position, "more than " + std::to_string(options_.limits.max_nodes) +
                                     " values, aliases counted each time they are used");
    } else if (depth > options_.limits.max_depth) {
      full_ = true;
      diagnostics_.Add(
          position, "nested deeper than " + std::to_string(options_.limits.max_depth) + " levels");
    }
    return !full_;
  }

  void ConvertScalar(const YAML::Node& from, Node& node) {
    node.kind = Node::Kind::kScalar;
    node.text = from.Scalar();
    node.quoted = from.Tag() == "!";
    CheckQuotes(from);
    if (options_.environment) Substitute(node);
  }

  // yaml-cpp takes a quote that is never closed for one that closes at the end of the file.
  void CheckQuotes(const YAML::Node& from) {
    const auto mark = from.Mark();
    if (from.Tag() != "!" || mark.is_null() || mark.pos < 0) return;
    const auto begin = static_cast<std::size_t>(mark.pos);
    if (begin >= text_.size() || (text_[begin] != '"' && text_[begin] != '\'')) return;
    if (QuoteEnd(text_, begin) != text_.npos || full_) return;
    full_ = true;  // what follows was swallowed: nothing sensible to say about it
    diagnostics_.Add(ToPosition(mark), std::string("this quote (") + text_[begin] +
                                           ") is never closed; close it at the end of the value");
  }

  void ConvertMap(const YAML::Node& from, Node& node, int depth) {
    node.kind = Node::Kind::kMap;
    std::map<std::string, Position, std::less<>> seen;
    for (const auto& entry : from) {
      if (full_) return;
      const auto position = ToPosition(entry.first.Mark());
      if (!entry.first.IsScalar()) {
        diagnostics_.Add(position, "a key has to be a plain word, not a list, a map or nothing");
        continue;
      }
      CheckQuotes(entry.first);
      const auto& key = entry.first.Scalar();
      if (key == "<<" && entry.first.Tag() != "!") {
        diagnostics_.Add(position, "merge keys (<<) are not supported; write the keys out");
        continue;
      }
      const auto [at, first] = seen.emplace(key, position);
      if (!first) {
        diagnostics_.Add(position, "the key '" + key +
                                       "' stands here twice; the first is at line " +
                                       std::to_string(at->second.line));
        continue;
      }
      node.entries.emplace_back(Node::Key{key, position}, Convert(entry.second, depth + 1));
    }
  }

  // ${NAME}, ${NAME:-default}, and $$ for a dollar sign; any other $ stands for itself.
  void Substitute(Node& node) {
    if (node.text.find('$') == std::string::npos) return;
    std::string out;
    std::string_view rest = node.text;
    for (std::size_t at; (at = rest.find('$')) != rest.npos;) {
      out += rest.substr(0, at);
      rest.remove_prefix(at + 1);
      const std::size_t end = rest.starts_with('{') ? rest.find('}') : rest.npos;
      if (rest.starts_with('$')) {
        out += '$';
        rest.remove_prefix(1);
      } else if (end != rest.npos) {
        out += Lookup(rest.substr(1, end - 1), node.position);
        rest.remove_prefix(end + 1);
      } else {
        out += '$';
      }
    }
    out += rest;
    node.text = std::move(out);
  }

  std::string Lookup(std::string_view reference, Position position) {
    const std::size_t fallback = reference.find(":-");
    const std::string name(reference.substr(0, fallback));
    if (const auto value = options_.environment(name); value && !value->empty()) return *value;
    if (fallback != reference.npos) return std::string(reference.substr(fallback + 2));
    diagnostics_.Add(position, "the environment has no ${" + name + "}; set it, or write ${" +
                                   name + ":-default}, or $$ for a dollar sign");
    return {};
  }

  const std::string_view text_;
  const YamlOptions& options_;
  Diagnostics& diagnostics_;
  std::size_t visited_ = 0;
  bool full_ = false;  // a limit was reached, or the rest makes no sense
};

// What yaml-cpp says, and what is most often meant by it.
std::string Explain(const std::string& message) {
  if (message.find("illegal map value") != std::string::npos ||
      message.find("mapping values are not allowed") != std::string::npos) {
    return message + "; put quotes around a value that holds ': '";
  }
  if (message.find("end of map") != std::string::npos ||
      message.find("end of sequence") != std::string::npos) {
    return message + "; is the indentation right, is a bracket missing?";
  }
  if (message.find("found character that cannot start any token") != std::string::npos ||
      message.find("unknown token") != std::string::npos) {
    return message + "; put quotes around a value that begins with a special character";
  }
  return message;
}

bool CheckBytes(std::string_view text, const YamlLimits& limits, Diagnostics& diagnostics) {
  if (text.size() > limits.max_bytes) {
    diagnostics.Add({1, 1}, "larger than " + std::to_string(limits.max_bytes) + " bytes");
    return false;
  }
  if (const std::size_t nul = text.find('\0'); nul != text.npos) {
    diagnostics.Add(PositionAt(text, nul), "a NUL byte; this has to be a text file");
    return false;
  }
  if (const std::size_t good = text::Utf8PrefixLength(text); good < text.size()) {
    diagnostics.Add(PositionAt(text, good), "not UTF-8");
    return false;
  }
  return true;
}

}  // namespace

Node ParseYaml(std::string_view text, const YamlOptions& options, Diagnostics& diagnostics) {
  if (!CheckBytes(text, options.limits, diagnostics)) return {};
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return {};
    if (documents.size() > 1) {
      diagnostics.Add(ToPosition(documents[1].Mark()),
                      "a second document begins here (---); a file holds one");
    }
    return Converter(text, options, diagnostics).Convert(documents[0], 0);
  } catch (const YAML::Exception& error) {
    diagnostics.Add(ToPosition(error.mark), Explain(error.msg));
  } catch (const std::exception& error) {
    diagnostics.Add({1, 1}, std::string("not YAML: ") + error.what());
  }
  return {};
}

Node LoadYaml(const std::filesystem::path& path, const YamlOptions& options,
              Diagnostics& diagnostics) {
  const auto text = ReadFile(path, options.limits.max_bytes + 1);
  if (!text) {
    // The diagnostics name the file already.
    std::string_view message = text.error().message();
    const std::string prefix = path.string() + ": ";
    if (message.starts_with(prefix)) message.remove_prefix(prefix.size());
    diagnostics.Add({}, message);
    return {};
  }
  return ParseYaml(*text, options, diagnostics);
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return value;
}

}  // namespace vigia::config
