// The syntax tree of CEL expressions, and its parser. For cel.cc.

#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/probe/pattern.h"
#include "core/result.h"

namespace vigia::collectors::probe::cel {

struct Node {
  enum class Kind {
    kLiteral,
    kVariable,  // `name`
    kField,     // children[0].name
    kIndex,     // children[0][children[1]]
    kList,
    kMap,     // key, value, key, value ...
    kUnary,   // `name`: ! or -
    kBinary,  // `name`: the operator
    kChoice,  // children[0] ? children[1] : children[2]
    kHas,     // has(children[0].name)
    kCall,    // name(children...)
    kMethod,  // children[0].name(children[1]...)
    kMacro,   // children[0].name(variable, children[1] [, children[2]])
  };

  Kind kind;
  std::size_t column = 0;  // from 1
  std::string name = {};
  std::string variable = {};                         // of a macro
  std::shared_ptr<const nlohmann::json> value = {};  // of a literal
  std::vector<Pattern> pattern = {};                 // of matches() with a literal: one
  std::vector<std::shared_ptr<const Node>> children = {};
};

using NodePtr = std::shared_ptr<const Node>;

// kInvalid, with the column, for what is no CEL, or more of it than is known here.
Result<NodePtr> Parse(std::string_view text);

}  // namespace vigia::collectors::probe::cel
