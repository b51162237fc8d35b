#include "core/config/node.h"

#include <algorithm>

namespace vigia::config {
namespace {

void AppendText(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

void Append(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      out += '~';
      break;
    case Node::Kind::kScalar:
      out += node.quoted ? '"' : '=';
      AppendText(out, node.text);
      break;
    case Node::Kind::kList:
      out += '[';
      for (const auto& item : node.items) Append(out, item);
      out += ']';
      break;
    case Node::Kind::kMap: {
      std::vector<const std::pair<Node::Key, Node>*> sorted;
      for (const auto& entry : node.entries) sorted.push_back(&entry);
      std::sort(sorted.begin(), sorted.end(),
                [](auto* a, auto* b) { return a->first.text < b->first.text; });
      out += '{';
      for (const auto* entry : sorted) {
        AppendText(out, entry->first.text);
        Append(out, entry->second);
      }
      out += '}';
      break;
    }
  }
}

}  // namespace

Node::Node() = default;
Node::Node(const Node&) = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(const Node&) = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

const Node* Node::Find(std::string_view key) const {
  for (const auto& [name, node] : entries) {
    if (name.text == key) return &node;
  }
  return nullptr;
}

std::string Canonical(const Node& node) {
  std::string out;
  Append(out, node);
  return out;
}

}  // namespace vigia::config
