// The parser of PromQL, as Prometheus understands it: same language, same error texts, same
// positions.
//
// Input is bounded in length, nesting and number of matchers; beyond it parsing fails like on
// any other error, never by exhausting the stack.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/error.h"
#include "query/promql/syntax/ast.h"
#include "query/promql/syntax/options.h"

namespace vigia::promql {

inline constexpr std::size_t kMaxQueryBytes = 1 << 20;
// Levels of the syntax tree; an operand of a chain `a + b + c` is a level, too.
inline constexpr int kMaxHeight = 1000;
// Of one selector; and the regular expressions of a whole query, each of which is compiled.
inline constexpr std::size_t kMaxMatchers = 1000;

// A query, ready to be evaluated any number of times, from any number of threads.
class ParsedQuery {
 public:
  ParsedQuery(std::string text, ExprPtr root, Semantics semantics)
      : text_(std::move(text)), root_(std::move(root)), semantics_(semantics) {}

  const std::string& text() const { return text_; }
  const Expr& root() const { return *root_; }
  Semantics semantics() const { return semantics_; }
  // What the query reads, in the order of its text.
  std::vector<const VectorSelector*> Selectors() const { return SelectorsOf(*root_); }

 private:
  const std::string text_;
  const ExprPtr root_;
  const Semantics semantics_;
};
using ParsedQueryPtr = std::shared_ptr<const ParsedQuery>;

// kBadData with "1:5: parse error: ..." if it is not PromQL.
QueryResult<ParsedQueryPtr> Parse(std::string_view query,
                                  Semantics semantics = Semantics::kPrometheus3);

// A selector alone, `up{job="x"}`, as in match[]; may select everything.
QueryResult<std::vector<Matcher>> ParseSelector(std::string_view text,
                                                Semantics semantics = Semantics::kPrometheus3);

// Whether every series fits, even one without labels: what no query may ask for.
bool FitsEverything(std::span<const Matcher> matchers,
                    Semantics semantics = Semantics::kPrometheus3);

}  // namespace vigia::promql
