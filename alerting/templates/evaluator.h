// Runs a parsed template. Bounded: output, steps and depth have limits, so that no template can
// stall alerting. Errors read as Go prints them, place included:
//
//     template: page:3:7: executing "page" at <.Foo>: can't evaluate field Foo in type string

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/templates/function.h"
#include "alerting/templates/parser.h"
#include "core/result.h"

namespace vigia::alerting::templates {

struct Limits {
  std::size_t output = 1 << 20;  // bytes, of the text and of each value in it
  std::size_t steps = 200'000;   // statements and calls
  int depth = 100;               // templates that call templates
};

enum class Escaping {
  kNone,  // text/template
  kHtml,  // values are escaped as html/template does in text and quoted attributes
};

struct Execution {
  const Trees& trees;
  std::string_view name;
  const Value& data;
  const Environment& environment;
  std::vector<std::pair<std::string, Value>> variables = {};  // as in Vocabulary
  Escaping escaping = Escaping::kNone;
  Limits limits = {};
};

// Thread-safe: many may run over the same trees.
Result<std::string> Execute(const Execution& execution);

}  // namespace vigia::alerting::templates
