#include "collectors/probe/cel_syntax.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "collectors/probe/cel_lexer.h"
#include "core/number.h"

namespace vigia::collectors::probe::cel {
namespace {

using Json = nlohmann::json;

// Deeper than anybody writes by hand, and shallow enough for any stack.
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxLength = 16 * 1024;

// How many arguments functions and methods take, without the receiver.
struct Signature {
  std::string_view name;
  std::size_t arguments;
};
constexpr std::array kFunctions{
    Signature{"size", 1},   Signature{"int", 1},  Signature{"uint", 1}, Signature{"double", 1},
    Signature{"string", 1}, Signature{"bool", 1}, Signature{"dyn", 1}};
constexpr std::array kMethods{Signature{"size", 0}, Signature{"startsWith", 1},
                              Signature{"endsWith", 1}, Signature{"contains", 1},
                              Signature{"matches", 1}};
constexpr std::array<std::string_view, 5> kMacros{"all", "exists", "exists_one", "filter", "map"};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { Advance(); }

  NodePtr Whole() {
    auto root = Choice();
    if (token_.kind != Token::Kind::kEnd) Unexpected();
    return root;
  }

 private:
  struct Level {
    explicit Level(Parser& parser) : depth(parser.depth_) {
      if (++depth > kMaxDepth) throw Fault{parser.token_.column, "nested too deeply"};
    }
    ~Level() { --depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    int& depth;
  };

  void Advance() { token_ = lexer_.Next(); }
  bool At(std::string_view sign) const {
    return token_.kind == Token::Kind::kSign && token_.text == sign;
  }
  bool Take(std::string_view sign) {
    if (!At(sign)) return false;
    Advance();
    return true;
  }
  void Need(std::string_view sign) {
    if (!Take(sign)) throw Fault{token_.column, "expected '" + std::string(sign) + "'"};
  }
  [[noreturn]] void Unexpected() const {
    throw Fault{token_.column, token_.kind == Token::Kind::kEnd
                                   ? "the expression ends too early"
                                   : "'" + token_.text + "' is not expected here"};
  }

  static NodePtr Make(Node node) { return std::make_shared<const Node>(std::move(node)); }

  NodePtr Choice() {
    const Level level(*this);
    auto condition = Binary(0);
    if (!At("?")) return condition;
    Node node{Node::Kind::kChoice, token_.column};
    Advance();
    auto first = Binary(0);
    Need(":");
    node.children = {std::move(condition), std::move(first), Choice()};
    return Make(std::move(node));
  }

  // Operators by how tightly they bind; all of one row are taken from left to
  // right.
  NodePtr Binary(std::size_t row) {
    static const std::array<std::vector<std::string_view>, 5> kRows{
        {{"||"}, {"&&"}, {"<", "<=", ">", ">=", "==", "!=", "in"}, {"+", "-"}, {"*", "/", "%"}}};
    if (row == kRows.size()) return Unary();
    auto left = Binary(row + 1);
    const auto& signs = kRows[row];
    const auto at_one = [&] {
      const bool can = token_.kind == Token::Kind::kSign ||
                       (token_.kind == Token::Kind::kWord && token_.text == "in");
      return can && std::find(signs.begin(), signs.end(), token_.text) != signs.end();
    };
    while (at_one()) {
      Node node{Node::Kind::kBinary, token_.column, token_.text};
      Advance();
      node.children = {std::move(left), Binary(row + 1)};
      left = Make(std::move(node));
    }
    return left;
  }

  NodePtr Unary() {
    const Level level(*this);
    if (!At("!") && !At("-")) return Member();
    Node node{Node::Kind::kUnary, token_.column, token_.text};
    Advance();
    node.children = {Unary()};
    return Make(std::move(node));
  }

  NodePtr Member() {
    auto node = Primary();
    while (true) {
      const std::size_t column = token_.column;
      if (Take("[")) {
        Node index{Node::Kind::kIndex, column};
        index.children = {std::move(node), Choice()};
        Need("]");
        node = Make(std::move(index));
        continue;
      }
      if (!Take(".")) return node;
      if (token_.kind != Token::Kind::kWord) Unexpected();
      Node next{Node::Kind::kField, token_.column, token_.text};
      Advance();
      next.children = {std::move(node)};
      if (At("(")) Method(next);
      node = Make(std::move(next));
    }
  }

  void Method(Node& node) {
    Need("(");
    if (std::find(kMacros.begin(), kMacros.end(), node.name) != kMacros.end()) return Macro(node);
    node.kind = Node::Kind::kMethod;
    Arguments(node);
    CheckCall(node, kMethods, node.children.size() - 1, "method");
    if (node.name == "matches") CompilePattern(node);
  }

  static void CompilePattern(Node& node) {
    const auto& argument = *node.children[1];
    if (argument.kind != Node::Kind::kLiteral || !argument.value->is_string()) {
      throw Fault{argument.column, "matches() takes a string in quotes here"};
    }
    auto pattern = Pattern::Compile(argument.value->get<std::string>());
    if (!pattern) throw Fault{argument.column, pattern.error().message()};
    node.pattern.push_back(*std::move(pattern));
  }

  void Macro(Node& node) {
    node.kind = Node::Kind::kMacro;
    if (token_.kind != Token::Kind::kWord) {
      throw Fault{token_.column, node.name + "() begins with the name of a variable"};
    }
    node.variable = token_.text;
    Advance();
    Need(",");
    variables_.push_back(node.variable);
    node.children.push_back(Choice());
    if (node.name == "map" && Take(",")) node.children.push_back(Choice());
    variables_.pop_back();
    Need(")");
  }

  void Arguments(Node& node) {
    while (!Take(")")) {
      node.children.push_back(Choice());
      if (At(")")) continue;
      Need(",");
    }
  }

  static void CheckCall(const Node& node, std::span<const Signature> known, std::size_t arguments,
                        std::string_view what) {
    for (const auto& signature : known) {
      if (signature.name != node.name) continue;
      if (signature.arguments == arguments) return;
      throw Fault{node.column, node.name + "() takes " + std::to_string(signature.arguments) +
                                   (signature.arguments == 1 ? " argument" : " arguments")};
    }
    throw Fault{node.column, "there is no " + std::string(what) + " '" + node.name + "' here"};
  }

  NodePtr Primary() {
    Node node{Node::Kind::kLiteral, token_.column, token_.text};
    switch (token_.kind) {
      case Token::Kind::kString:
        node.value = std::make_shared<const Json>(token_.text);
        Advance();
        return Make(std::move(node));
      case Token::Kind::kNumber:
        node.value = std::make_shared<const Json>(Number());
        Advance();
        return Make(std::move(node));
      case Token::Kind::kWord:
        return Word(std::move(node));
      default:
        break;
    }
    if (Take("(")) {
      auto inner = Choice();
      Need(")");
      return inner;
    }
    if (Take("[")) return Entries(Node::Kind::kList, "]", std::move(node));
    if (Take("{")) return Entries(Node::Kind::kMap, "}", std::move(node));
    Unexpected();
  }

  NodePtr Entries(Node::Kind kind, std::string_view end, Node node) {
    node.kind = kind;
    while (!Take(end)) {
      node.children.push_back(Choice());
      if (kind == Node::Kind::kMap) {
        Need(":");
        node.children.push_back(Choice());
      }
      if (At(end)) continue;
      Need(",");
    }
    return Make(std::move(node));
  }

  Json Number() const {
    std::string_view text = token_.text;
    const bool positive = text.ends_with('u') || text.ends_with('U');
    if (positive) text.remove_suffix(1);
    if (text.starts_with("0x") || text.starts_with("0X")) {
      text.remove_prefix(2);
      std::int64_t value = 0;
      const auto digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
      if (!text.empty() && text.size() < 16 && std::all_of(text.begin(), text.end(), digit)) {
        for (const char c : text) {
          const auto lower = std::tolower(static_cast<unsigned char>(c));
          value = value * 16 + (lower >= 'a' ? lower - 'a' + 10 : lower - '0');
        }
        return value;
      }
    } else if (const auto whole = ParseInt(text)) {
      return *whole;
    } else if (const auto real = ParseDouble(text); real && !positive) {
      return *real;
    }
    throw Fault{token_.column, "'" + token_.text + "' is not a number"};
  }

  NodePtr Word(Node node) {
    const bool truth = node.name == "true";
    if (truth || node.name == "false" || node.name == "null") {
      node.value = std::make_shared<const Json>(node.name == "null" ? Json() : Json(truth));
      Advance();
      return Make(std::move(node));
    }
    Advance();
    if (Take("(")) return Call(std::move(node));
    node.kind = Node::Kind::kVariable;
    const bool known = node.name == "body" || std::find(variables_.begin(), variables_.end(),
                                                        node.name) != variables_.end();
    if (!known) throw Fault{node.column, "'" + node.name + "' is not known; the root is 'body'"};
    return Make(std::move(node));
  }

  NodePtr Call(Node node) {
    node.kind = Node::Kind::kCall;
    Arguments(node);
    if (node.name != "has") {
      CheckCall(node, kFunctions, node.children.size(), "function");
      return Make(std::move(node));
    }
    if (node.children.size() != 1 || node.children[0]->kind != Node::Kind::kField) {
      throw Fault{node.column, "has() takes a field, as in has(body.name)"};
    }
    node.kind = Node::Kind::kHas;
    node.name = node.children[0]->name;
    node.children = {node.children[0]->children[0]};
    return Make(std::move(node));
  }

  Lexer lexer_;
  Token token_;
  int depth_ = 0;
  std::vector<std::string> variables_;  // of the macros around
};

}  // namespace

Result<NodePtr> Parse(std::string_view text) {
  if (text.size() > kMaxLength) return Fail(ErrorCode::kInvalid, "longer than 16 KiB");
  try {
    return Parser(text).Whole();
  } catch (const Fault& fault) {
    return Fail(ErrorCode::kInvalid, "column " + std::to_string(fault.column) + ": " + fault.what);
  }
}

}  // namespace vigia::collectors::probe::cel
