#include "alerting/templates/parser.h"

#include <algorithm>

#include "alerting/templates/literal.h"
#include "alerting/templates/print.h"
#include "alerting/templates/token_stream.h"

namespace vigia::alerting::templates {
namespace {

using Kind = Node::Kind;
using NodePtr = std::unique_ptr<Node>;

constexpr int kMaxDepth = 200;

bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

bool IsEmpty(const Node::List& body) {
  return std::all_of(body.begin(), body.end(), [](const NodePtr& node) {
    return node->kind == Kind::kText && IsBlank(node->text);
  });
}

// A recursive descent. The first fault ends everything: after it Next() and Peek() only give the
// end.
class Parser : private TokenStream {
 public:
  Parser(std::string_view name, const std::shared_ptr<const std::string>& text,
         const Vocabulary& vocabulary, Trees& trees)
      : TokenStream(name, *text), text_(text), vocabulary_(vocabulary), trees_(trees) {}

  Status Run() {
    variables_ = {"$"};
    variables_.insert(variables_.end(), vocabulary_.variables.begin(), vocabulary_.variables.end());
    Node::List body;
    while (!failed() && Peek().kind != Token::Kind::kEnd) {
      if (auto node = TopLevel()) body.push_back(std::move(node));
    }
    if (!failed()) Define(std::string(file()), std::move(body));
    if (failed()) return vigia::Fail(ErrorCode::kInvalid, fault());
    for (auto& [name, tree] : found_) {
      auto& known = trees_[name];
      if (!known || !IsEmpty(tree->body)) known = tree;
    }
    return Ok();
  }

 private:
  static NodePtr Make(Kind kind, std::size_t position, std::string_view text = {}) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->position = position;
    node->text = text;
    return node;
  }

  // Statements.
  NodePtr TopLevel() {
    if (Peek().kind == Token::Kind::kLeft) {
      const std::size_t start = position();
      Next();
      if (PeekKeyword("define")) {
        NextNonSpace();
        Definition();
        return nullptr;
      }
      Rewind(start);
    }
    auto node = Statement();
    if (node && (node->kind == Kind::kBreak || node->kind == Kind::kContinue)) return node;
    if (end_keyword_ != nullptr) {
      Fail("unexpected {{" + std::string(end_keyword_) + "}}");
      end_keyword_ = nullptr;
    }
    return node;
  }

  void Definition() {
    const Token& token = NextNonSpace();
    const auto name = Unquoted(token, "define clause");
    Expect(Token::Kind::kRight, "define clause");
    auto outer = std::exchange(variables_, {"$"});
    const int range_depth = std::exchange(range_depth_, 0);
    Node::List body;
    Body(body);
    if (end_keyword_ && std::string_view(end_keyword_) != "end") {
      Fail("unexpected {{else}} in define clause");
    }
    end_keyword_ = nullptr;
    range_depth_ = range_depth;
    variables_ = std::move(outer);
    if (!failed()) Define(name, std::move(body));
  }

  void Define(std::string name, Node::List body) {
    auto tree = std::make_shared<Tree>();
    tree->name = name;
    tree->file = file();
    tree->text = text_;
    tree->body = std::move(body);
    // An empty one does not replace another, which is how files with definitions alone work.
    auto& known = found_[std::move(name)];
    if (!known || !IsEmpty(tree->body)) known = std::move(tree);
  }

  std::string Unquoted(const Token& token, std::string_view context) {
    if (token.kind != Token::Kind::kString && token.kind != Token::Kind::kRawString) {
      if (!failed()) Unexpected(token, context);
      return {};
    }
    auto text = UnquoteString(token.text);
    if (!text) Fail("invalid syntax");
    return text.value_or("");
  }

  // Statements up to {{end}} or {{else}}, which is consumed up to its keyword and named in
  // end_keyword_.
  void Body(Node::List& body) {
    while (!failed()) {
      if (Peek().kind == Token::Kind::kEnd) return Fail("unexpected EOF");
      if (auto node = Statement()) body.push_back(std::move(node));
      if (end_keyword_) return;
    }
  }

  NodePtr Statement() {
    const Token& token = Next();
    if (failed()) return nullptr;
    if (token.kind == Token::Kind::kText) return Make(Kind::kText, token.position, token.text);
    if (token.kind != Token::Kind::kLeft) {
      Unexpected(token, "input");
      return nullptr;
    }
    return Action();
  }

  NodePtr Action() {
    const Token& token = PeekNonSpace();
    if (token.kind == Token::Kind::kKeyword && token.text != "nil") {
      NextNonSpace();
      return Control(token);
    }
    auto node = Make(Kind::kAction, token.position);
    node->pipe = Pipeline("command", Token::Kind::kRight);
    return node;
  }

  NodePtr Control(const Token& token) {
    const auto word = token.text;
    if (word == "if") return Branch(Kind::kIf, "if", token.position);
    if (word == "with") return Branch(Kind::kWith, "with", token.position);
    if (word == "range") return Branch(Kind::kRange, "range", token.position);
    if (word == "template") return TemplateCall();
    if (word == "block") return Block();
    if (word == "break") return Jump(Kind::kBreak, "break", token.position);
    if (word == "continue") return Jump(Kind::kContinue, "continue", token.position);
    if (word == "end") {
      Expect(Token::Kind::kRight, "end");
      end_keyword_ = "end";
    } else if (word == "else") {
      end_keyword_ = "else";  // Branch() reads what follows
      if (!PeekKeyword("if") && !PeekKeyword("with")) Expect(Token::Kind::kRight, "else");
    } else {
      Unexpected(token, "command");
    }
    return nullptr;
  }

  NodePtr Jump(Kind kind, const std::string& word, std::size_t position) {
    const Token& token = NextNonSpace();
    if (token.kind != Token::Kind::kRight) {
      if (!failed()) Unexpected(token, "{{" + word + "}}");
    } else if (range_depth_ == 0) {
      Fail("{{" + word + "}} outside {{range}}");
    }
    return Make(kind, position);
  }

  NodePtr Branch(Kind kind, std::string_view word, std::size_t position) {
    const std::size_t scope = variables_.size();
    auto node = Make(kind, position);
    if (++depth_ > kMaxDepth) Fail("nested too deeply");
    node->pipe = Pipeline(word, Token::Kind::kRight);
    if (kind == Kind::kRange) ++range_depth_;
    Body(node->body);
    if (kind == Kind::kRange) --range_depth_;
    if (end_keyword_ && std::string_view(end_keyword_) == "else") {
      end_keyword_ = nullptr;
      Otherwise(kind, *node);
    }
    end_keyword_ = nullptr;
    --depth_;
    variables_.resize(scope);
    return node;
  }

  // What follows {{else}}; {{else if}} and {{else with}} are a branch of their own in there that
  // shares the {{end}}.
  void Otherwise(Kind kind, Node& node) {
    for (const auto& [inner, word] : {std::pair(Kind::kIf, "if"), std::pair(Kind::kWith, "with")}) {
      if (!PeekKeyword(word)) continue;
      const Token& token = NextNonSpace();
      if (inner != kind) return Unexpected(token, "else");
      node.otherwise.push_back(Branch(inner, word, token.position));
      return;
    }
    Body(node.otherwise);
    if (end_keyword_ && std::string_view(end_keyword_) == "else") {
      Fail("expected end; found {{else}}");
    }
  }

  NodePtr TemplateCall() {
    const Token& token = NextNonSpace();
    auto node = Make(Kind::kTemplate, token.position);
    node->names = {Unquoted(token, "template clause")};
    node->text = Quote(node->names.front());
    if (PeekNonSpace().kind == Token::Kind::kRight) {
      Next();
    } else {
      node->pipe = Pipeline("template clause", Token::Kind::kRight);
    }
    return node;
  }

  // {{block "name" pipe}} body {{end}}: defines the template and calls it.
  NodePtr Block() {
    const Token& token = NextNonSpace();
    auto node = Make(Kind::kTemplate, token.position);
    const auto name = Unquoted(token, "block clause");
    node->names = {name};
    node->text = Quote(name);
    node->pipe = Pipeline("block clause", Token::Kind::kRight);
    Node::List body;
    auto outer = std::exchange(variables_, {"$"});
    Body(body);
    if (end_keyword_ && std::string_view(end_keyword_) == "else") {
      Fail("unexpected {{else}} in block clause");
    }
    end_keyword_ = nullptr;
    variables_ = std::move(outer);
    if (!failed()) Define(name, std::move(body));
    return node;
  }

  // Expressions.
  NodePtr Pipeline(std::string_view context, Token::Kind end) {
    const Token& first = PeekNonSpace();
    auto pipe = Make(Kind::kPipe, first.position);
    if (++depth_ > kMaxDepth) Fail("nested too deeply");
    Declarations(*pipe, context);
    while (!failed()) {
      const Token& token = NextNonSpace();
      if (failed()) break;
      if (token.kind == end) {
        CheckPipeline(*pipe, context);
        break;
      }
      if (!StartsOperand(token)) {
        Unexpected(token, context);
        break;
      }
      Back();
      pipe->children.push_back(Command());
    }
    --depth_;
    return pipe;
  }

  // `$x :=`, `$x =` and, in a range, `$i, $x :=`.
  void Declarations(Node& pipe, std::string_view context) {
    const std::size_t start = position();
    std::vector<std::string> names;
    while (!failed() && PeekNonSpace().kind == Token::Kind::kVariable) {
      names.emplace_back(Next().text);
      const Token& token = PeekNonSpace();
      if (token.kind == Token::Kind::kDeclare || token.kind == Token::Kind::kAssign) {
        Next();
        pipe.assigns = token.kind == Token::Kind::kAssign;
        pipe.variables = names;
        break;
      }
      if (token.kind != Token::Kind::kOther || token.text != ",") break;
      Next();
      if (context != "range" || names.size() == 2) {
        return Fail("too many declarations in " + std::string(context));
      }
    }
    if (pipe.variables.empty()) Rewind(start);
    for (const auto& name : pipe.variables) {
      if (pipe.assigns && !Knows(name)) Fail("undefined variable " + Quote(name));
    }
    if (!pipe.assigns) {
      variables_.insert(variables_.end(), pipe.variables.begin(), pipe.variables.end());
    }
  }

  bool Knows(std::string_view variable) const {
    return std::find(variables_.begin(), variables_.end(), variable) != variables_.end();
  }

  void CheckPipeline(const Node& pipe, std::string_view context) {
    if (pipe.children.empty()) return Fail("missing value for " + std::string(context));
    for (std::size_t i = 1; i < pipe.children.size(); ++i) {
      switch (pipe.children[i]->children.front()->kind) {
        case Kind::kConstant:
        case Kind::kDot:
        case Kind::kNil:
          return Fail("non executable command in pipeline stage " + std::to_string(i + 1));
        default:
          break;
      }
    }
  }

  NodePtr Command() {
    auto command = Make(Kind::kCommand, PeekNonSpace().position);
    while (!failed()) {
      PeekNonSpace();
      if (auto operand = Operand()) command->children.push_back(std::move(operand));
      if (failed()) break;
      const Token& token = Next();
      if (token.kind == Token::Kind::kSpace) continue;
      if (token.kind == Token::Kind::kRight || token.kind == Token::Kind::kRightParen) {
        Back();
      } else if (token.kind != Token::Kind::kPipe && !failed()) {
        Unexpected(token, "operand");
      }
      break;
    }
    if (command->children.empty()) Fail("empty command");
    return command;
  }

  // A term and the fields that follow it without a space.
  NodePtr Operand() {
    auto term = Term();
    if (!term || Peek().kind != Token::Kind::kField) return term;
    const std::size_t position = Peek().position;
    std::vector<std::string> names;
    while (Peek().kind == Token::Kind::kField) names.emplace_back(Next().text.substr(1));
    switch (term->kind) {
      case Kind::kField:
      case Kind::kVariable:
        term->names.insert(term->names.end(), names.begin(), names.end());
        term->position = position;
        return term;
      case Kind::kConstant:
      case Kind::kNil:
      case Kind::kDot:
        Fail("unexpected . after term " + Quote(term->ToString()));
        return term;
      default: {
        auto chain = Make(Kind::kChain, position);
        chain->names = std::move(names);
        chain->children.push_back(std::move(term));
        return chain;
      }
    }
  }

  // nullptr, and nothing consumed, if no term begins here.
  NodePtr Term() {
    const Token& token = PeekNonSpace();
    if (failed() || !StartsOperand(token)) return nullptr;
    Next();
    using K = Token::Kind;
    switch (token.kind) {
      case K::kIdentifier:
        return FunctionName(token);
      case K::kDot:
        return Make(Kind::kDot, token.position, ".");
      case K::kKeyword:
        return Make(Kind::kNil, token.position, "nil");
      case K::kVariable: {
        auto node = Make(Kind::kVariable, token.position);
        node->names.emplace_back(token.text);
        if (!Knows(token.text)) Fail("undefined variable " + Quote(token.text));
        return node;
      }
      case K::kField: {
        auto node = Make(Kind::kField, token.position);
        node->names.emplace_back(token.text.substr(1));
        return node;
      }
      case K::kLeftParen:
        return Pipeline("parenthesized pipeline", K::kRightParen);
      default:
        return Constant(token);
    }
  }

  NodePtr FunctionName(const Token& token) {
    auto node = Make(Kind::kIdentifier, token.position, token.text);
    node->function = FindFunction(vocabulary_.functions, token.text);
    if (!node->function) node->function = FindFunction(BuiltinFunctions(), token.text);
    if (!node->function) Fail("function " + Quote(token.text) + " not defined");
    return node;
  }

  NodePtr Constant(const Token& token) {
    auto node = Make(Kind::kConstant, token.position, token.text);
    auto value = ParseConstant(token);
    if (!value) {
      Fail(value.error().message());
      return node;
    }
    node->is_number = token.kind == Token::Kind::kNumber || token.kind == Token::Kind::kCharacter;
    node->constant = *std::move(value);
    return node;
  }

  const std::shared_ptr<const std::string> text_;
  const Vocabulary& vocabulary_;
  Trees& trees_;
  Trees found_;
  int depth_ = 0;
  int range_depth_ = 0;
  const char* end_keyword_ = nullptr;   // the {{end}} or {{else}} that was just read
  std::vector<std::string> variables_;  // in scope
};

}  // namespace

Status Parse(std::string_view name, std::string_view text, const Vocabulary& vocabulary,
             Trees& trees) {
  return Parser(name, std::make_shared<const std::string>(text), vocabulary, trees).Run();
}

}  // namespace vigia::alerting::templates
