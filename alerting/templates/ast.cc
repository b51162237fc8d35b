#include "alerting/templates/ast.h"

namespace vigia::alerting::templates {
namespace {

using Kind = Node::Kind;

void AppendNames(std::string& out, const Node& node) {
  for (const auto& name : node.names) out += "." + name;
}

std::string Pipe(const Node& node) {
  std::string out;
  for (std::size_t i = 0; i < node.variables.size(); ++i) {
    out += (i > 0 ? ", " : "") + node.variables[i];
  }
  if (!out.empty()) out += node.assigns ? " = " : " := ";
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    out += (i > 0 ? " | " : "") + node.children[i]->ToString();
  }
  return out;
}

std::string Command(const Node& node) {
  std::string out;
  for (const auto& child : node.children) {
    if (!out.empty()) out += ' ';
    out += child->kind == Kind::kPipe ? "(" + child->ToString() + ")" : child->ToString();
  }
  return out;
}

std::string Chain(const Node& node) {
  const Node& first = *node.children.front();
  auto out = first.kind == Kind::kPipe ? "(" + first.ToString() + ")" : first.ToString();
  AppendNames(out, node);
  return out;
}

}  // namespace

std::string Node::ToString() const {
  std::string out;
  switch (kind) {
    case Kind::kAction:
      return "{{" + pipe->ToString() + "}}";
    case Kind::kIf:
      return "{{if " + pipe->ToString() + "}}";
    case Kind::kRange:
      return "{{range " + pipe->ToString() + "}}";
    case Kind::kWith:
      return "{{with " + pipe->ToString() + "}}";
    case Kind::kTemplate:
      return "{{template " + text + (pipe ? " " + pipe->ToString() : "") + "}}";
    case Kind::kBreak:
      return "{{break}}";
    case Kind::kContinue:
      return "{{continue}}";
    case Kind::kPipe:
      return Pipe(*this);
    case Kind::kCommand:
      return Command(*this);
    case Kind::kField:
      AppendNames(out, *this);
      return out;
    case Kind::kVariable:
      AppendNames(out, *this);
      return out.substr(1);
    case Kind::kChain:
      return Chain(*this);
    case Kind::kDot:
      return ".";
    case Kind::kNil:
      return "nil";
    case Kind::kText:
    case Kind::kIdentifier:
    case Kind::kConstant:
      return text;
  }
  return out;
}

}  // namespace vigia::alerting::templates
