// The syntax tree of a template. Immutable once parsed.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "alerting/templates/value.h"

namespace vigia::alerting::templates {

struct Function;

struct Node {
  enum class Kind {
    // Statements.
    kText,      // text
    kAction,    // {{pipe}}
    kIf,        // {{if pipe}} body {{else}} otherwise {{end}}
    kRange,     // {{range pipe}} ...
    kWith,      // {{with pipe}} ...
    kTemplate,  // {{template "text" pipe}}
    kBreak,
    kContinue,
    // Expressions.
    kPipe,        // variables := children[0] | children[1] | ...; children are commands
    kCommand,     // children[0] with the others as arguments
    kField,       // .names[0].names[1]
    kVariable,    // $names[0].names[1]
    kChain,       // (children[0]).names[0]
    kIdentifier,  // a function
    kDot,
    kNil,
    kConstant,  // bool, number, character, string
  };
  using List = std::vector<std::unique_ptr<Node>>;

  Kind kind;
  std::size_t position = 0;  // in bytes from the start of the text
  std::string text;          // as written
  std::vector<std::string> names;
  List children;
  std::vector<std::string> variables;  // of a pipe: declared or assigned
  bool assigns = false;                // `=`, not `:=`
  Value constant;
  bool is_number = false;  // a constant that an int or a float may take
  const Function* function = nullptr;
  std::unique_ptr<Node> pipe;
  List body;
  List otherwise;

  // The source in the form that Go prints in error messages.
  std::string ToString() const;
};

// One named template.
struct Tree {
  std::string name;                         // of the template itself
  std::string file;                         // of the text that it was defined in
  std::shared_ptr<const std::string> text;  // that text, for places in error messages
  Node::List body;
};

}  // namespace vigia::alerting::templates
