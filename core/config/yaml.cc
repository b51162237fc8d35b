#include "core/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <unordered_map>

#include "core/base64.h"
#include "core/config/yaml_error.h"
#include "core/config/yaml_text.h"
#include "core/file.h"

namespace vigia::config {
namespace {

// Expanded aliases and variables may take more room than the file, but not much more.
constexpr std::size_t kMaxExpansion = 4;
constexpr std::string_view kBinaryTag = "tag:yaml.org,2002:binary";

struct Size {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  int depth = 0;  // levels below the node
};

Size Measure(const Node& node) {
  Size size{.nodes = 1, .bytes = node.text.size(), .depth = 0};
  const auto add = [&](const Node& child) {
    const Size below = Measure(child);
    size.nodes += below.nodes;
    size.bytes += below.bytes;
    size.depth = std::max(size.depth, below.depth + 1);
  };
  for (const auto& item : node.items) add(item);
  for (const auto& [key, value] : node.entries) {
    size.bytes += key.text.size();
    add(value);
  }
  return size;
}

// Builds our tree from yaml-cpp's events, and reports what yaml-cpp lets pass. Once something is
// wrong that makes the rest meaningless, the rest is ignored.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const YamlText& text, const YamlOptions& options, Diagnostics& diagnostics)
      : text_(text), options_(options), diagnostics_(diagnostics) {}

  bool gave_up() const { return gave_up_; }
  Node TakeRoot() { return std::move(root_); }
  // The innermost bracket that is not closed yet.
  std::optional<Position> OpenBracket() const {
    if (frames_.empty() || !frames_.back().flow) return std::nullopt;
    return frames_.back().node.position;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1 || gave_up_) return;
    const bool marked = Rest(mark).starts_with("---");
    GiveUp(At(mark), marked
                         ? "a second document begins here (---); a file holds one"
                         : "this does not belong to what stands above; is it indented like that?");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (gave_up_) return;
    if (ExpectsKey()) return RefuseKey(At(mark));
    Node node;
    node.position = NullPosition(mark);
    Add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (gave_up_) return;
    if (ExpectsKey()) return RefuseKey(At(mark));
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end()) {
      return GiveUp(At(mark),
                    "this alias stands inside the value that it refers to, or refers to a key");
    }
    if (!Charge(At(mark), Measure(at->second))) return;
    Node node = at->second;
    node.position = At(mark);
    Add(std::move(node), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (gave_up_ || !CheckScalar(mark, tag)) return;
    if (ExpectsKey()) return SetKey(mark, tag, value);
    Node node;
    node.kind = Node::Kind::kScalar;
    node.position = At(mark);
    node.quoted = tag != "?";
    node.text = tag == kBinaryTag ? Decode(node.position, value) : value;
    if (options_.environment && tag != kBinaryTag) Expand(node);
    if (!Charge(node.position, {.nodes = 1, .bytes = node.text.size(), .depth = 0})) return;
    Add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, style, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, style, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A list or map that is not complete yet.
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool flow = false;    // [...] or {...}
    int indent = -1;      // of a block: the column of its keys or dashes, from 0
    bool is_key = false;  // it stands where a key belongs, which is a fault
    // Of a map:
    Node::Key key = {};  // whose value comes next
    bool has_key = false;
    bool keep = true;  // false: the key was a fault, its value is dropped
    std::unordered_map<std::string, int> lines = {};  // where each key stands
  };

  static std::size_t Offset(const YAML::Mark& mark) {
    return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
  }
  std::string_view Rest(const YAML::Mark& mark) const {
    return text_.text().substr(std::min(Offset(mark), text_.text().size()));
  }
  Position At(const YAML::Mark& mark) const { return text_.At(Offset(mark)); }

  // The mark of a value that is not there is that of whatever comes next.
  Position NullPosition(const YAML::Mark& mark) const {
    const auto at = Rest(mark);
    if (frames_.empty() || at.starts_with('~')) return At(mark);
    const auto& frame = frames_.back();
    if (frame.node.IsMap()) return frame.key.position;
    const bool written = at.starts_with("null") || at.starts_with("Null") || at.starts_with("NULL");
    return written ? At(mark) : frame.node.position;
  }

  void GiveUp(Position position, std::string_view what) {
    gave_up_ = true;
    root_ = {};
    diagnostics_.Add(position, what);
  }

  bool ExpectsKey() const {
    return !frames_.empty() && frames_.back().node.IsMap() && !frames_.back().has_key;
  }

  // The column that the lines of a value have to be right of.
  int Indent() const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      if (!frame->flow && frame->indent >= 0) return frame->indent;
    }
    return -1;
  }

  // Counts what a value adds to the tree; aliases add as much as what they stand for.
  bool Charge(Position position, Size size) {
    nodes_ += size.nodes;
    bytes_ += size.bytes;
    const auto& limits = options_.limits;
    if (nodes_ > limits.max_nodes) {
      GiveUp(position, "more than " + std::to_string(limits.max_nodes) +
                           " values, aliases counted each time they are used");
    } else if (bytes_ > kMaxExpansion * limits.max_bytes) {
      GiveUp(position, "aliases and variables make this larger than " +
                           std::to_string(kMaxExpansion * limits.max_bytes) + " bytes");
    } else if (static_cast<int>(frames_.size()) + size.depth > limits.max_depth) {
      GiveUp(position, "nested deeper than " + std::to_string(limits.max_depth) + " levels");
    }
    return !gave_up_;
  }

  // Of !!binary: base64, perhaps over several lines.
  std::string Decode(Position position, const std::string& text) {
    std::string packed;
    for (const char c : text) {
      if (c != ' ' && c != '\n' && c != '\t') packed += c;
    }
    auto bytes = DecodeBase64(packed);
    if (bytes) return *std::move(bytes);
    diagnostics_.Add(position, "!!binary: " + bytes.error().message());
    return {};
  }

  bool CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag == kBinaryTag || tag.empty() || tag == "?" || tag == "!" ||
        tag == "tag:yaml.org,2002:str")
      return true;
    diagnostics_.Add(At(mark), "tags such as !name are not supported; remove it");
    return false;
  }

  // In a block, YAML wants spaces, and yaml-cpp does not always say so.
  bool CheckTabs(const YAML::Mark& mark) {
    const auto tab = text_.TabBefore(Offset(mark));
    if (!tab || (!frames_.empty() && frames_.back().flow)) return true;
    GiveUp(text_.At(*tab), kTabFault);
    return false;
  }

  bool CheckScalar(const YAML::Mark& mark, const std::string& tag) {
    if (!CheckTabs(mark)) return false;
    CheckTag(mark, tag);
    const auto fault = text_.CheckQuotes(Offset(mark), Indent());
    if (!fault) return true;
    GiveUp(text_.At(fault->offset), fault->what);
    return false;
  }

  void RefuseKey(Position position) {
    diagnostics_.Add(position, "a key has to be text, not a list, a map, an alias or nothing");
    frames_.back().has_key = true;
    frames_.back().keep = false;
  }

  void SetKey(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    auto& frame = frames_.back();
    if (!frame.flow && frame.indent < 0) frame.indent = mark.column;
    frame.has_key = true;
    frame.keep = false;
    const auto position = At(mark);
    if (!Charge(position, {.nodes = 0, .bytes = text.size(), .depth = 0})) return;
    if (text == "<<" && tag == "?") {
      diagnostics_.Add(position, "merge keys (<<) are not supported; write the keys out");
      return;
    }
    const auto [first, is_new] = frame.lines.emplace(text, position.line);
    if (!is_new) {
      diagnostics_.Add(position, "the key '" + text + "' stands here twice; the first is at line " +
                                     std::to_string(first->second));
      return;
    }
    frame.keep = true;
    frame.key = {text, position};
  }

  void Expand(Node& node) {
    if (node.text.find('$') == node.text.npos) return;
    const Environment lookup = [&](const std::string& name) {
      node.variable = true;
      return options_.environment(name);
    };
    std::vector<std::string> faults;
    node.text = Substitute(node.text, lookup, faults);
    for (const auto& fault : faults) diagnostics_.Add(node.position, fault);
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style, Node::Kind kind) {
    if (gave_up_ || !CheckTabs(mark) || !Charge(At(mark), Size{})) return;
    CheckTag(mark, tag);
    Frame frame;
    frame.is_key = ExpectsKey();
    frame.node.kind = kind;
    frame.node.position = At(mark);
    frame.anchor = anchor;
    frame.flow = style == YAML::EmitterStyle::Flow;
    // With a tag or an anchor the mark is that of these, perhaps lines above.
    const bool at_dash = kind == Node::Kind::kList && Rest(mark).starts_with('-');
    if (!frame.flow && at_dash) frame.indent = mark.column;
    frames_.push_back(std::move(frame));
  }

  void Close() {
    if (gave_up_) return;
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.is_key) return RefuseKey(frame.node.position);
    Add(std::move(frame.node), frame.anchor);
  }

  // Puts a complete node where it belongs.
  void Add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      // The copy counts too: anchors inside anchors would multiply it.
      auto size = Measure(node);
      size.depth = 0;
      if (!Charge(node.position, size)) return;
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      if (documents_ == 1) root_ = std::move(node);
      return;
    }
    auto& frame = frames_.back();
    if (frame.node.IsList()) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    if (frame.keep) frame.node.entries.emplace_back(std::move(frame.key), std::move(node));
    frame.has_key = false;
    frame.keep = true;
  }

  const YamlText& text_;
  const YamlOptions& options_;
  Diagnostics& diagnostics_;
  int documents_ = 0;
  bool gave_up_ = false;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  Node root_;
};

void AddParserFault(const YAML::Exception& error, const YamlText& text, const Builder& builder,
                    Diagnostics& diagnostics) {
  const std::string_view message = error.msg;
  const auto offset = error.mark.pos < 0 ? 0 : static_cast<std::size_t>(error.mark.pos);
  const auto position = text.At(offset);
  // A tab in the indentation shows up as all sorts of faults further right.
  if (const auto tab = text.TabBefore(offset)) {
    diagnostics.Add(text.At(*tab), kTabFault);
  } else if (message.find("flow not found") != message.npos && builder.OpenBracket()) {
    diagnostics.Add(
        *builder.OpenBracket(),
        "the bracket that opens here is not closed before line " + std::to_string(position.line));
  } else if (message.starts_with("end of") && !text.IsFirstOnLine(offset)) {
    diagnostics.Add(position, "this cannot stand here; put quotes around the whole value");
  } else {
    diagnostics.Add(position, ExplainYamlError(message));
  }
}

}  // namespace

Node ParseYaml(std::string_view text, const YamlOptions& options, Diagnostics& diagnostics) {
  Node nothing;
  nothing.position = {1, 1};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > options.limits.max_bytes) {
    diagnostics.Add({1, 1}, "larger than " + std::to_string(options.limits.max_bytes) + " bytes");
    return nothing;
  }
  const YamlText lines(text);
  if (const auto fault = FindBadByte(text)) {
    diagnostics.Add(lines.At(fault->offset), fault->what);
    return nothing;
  }
  try {
    Builder builder(lines, options, diagnostics);
    try {
      std::istringstream stream{std::string(text)};
      YAML::Parser parser(stream);
      while (!builder.gave_up() && parser.HandleNextDocument(builder)) {
      }
    } catch (const YAML::Exception& error) {
      // What follows an earlier fault is its consequence.
      if (!builder.gave_up()) AddParserFault(error, lines, builder, diagnostics);
      return nothing;
    }
    Node root = builder.TakeRoot();
    return root.position.line == 0 ? nothing : root;
  } catch (const std::exception& error) {
    diagnostics.Add({1, 1}, std::string("cannot be read as YAML: ") + error.what());
  }
  return nothing;
}

Node LoadYaml(const std::filesystem::path& path, const YamlOptions& options,
              Diagnostics& diagnostics) {
  const auto text = ReadFile(path, options.limits.max_bytes + 4);
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
