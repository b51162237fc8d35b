// A configuration file as a tree of nodes that know where they stand.
//
// Values stay text until somebody who knows the type reads them (reader.h). Immutable once
// loaded, so any thread may read.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::config {

// Line and column from 1; 0:0 where there is none.
struct Position {
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Key {
    std::string text;
    Position position;
  };

  // Declared here and defined where the pair below is complete.
  Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;
  ~Node();

  Kind kind = Kind::kNull;
  Position position;
  std::string text;       // of a scalar
  bool quoted = false;    // the scalar stood in quotes, or in a block: a string for certain
  bool variable = false;  // the scalar's text comes from the environment, at least in part
  std::vector<Node> items;
  std::vector<std::pair<Key, Node>> entries;  // in file order, keys unique

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }

  // The entry under `key`, or nullptr.
  const Node* Find(std::string_view key) const;
};

// The same text for equal trees, whatever their layout in the file: tells whether a reload
// changed anything.
std::string Canonical(const Node& node);

}  // namespace vigia::config
