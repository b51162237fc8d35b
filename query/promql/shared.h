// What the queries of a rule group have in common: sub-expressions that occur in several of them,
// or several times in one, are evaluated once for all queries at one instant.
//
//     Shared shared(queries, {"job:up:sum"});
//     for (const auto* query : queries) engine.Instant(source, *query, now, {.shared = &shared});
//     shared.Forget();
//
// Not thread-safe: the queries are evaluated one after another.

#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/promql/eval/vector.h"
#include "query/promql/syntax/parser.h"

namespace vigia::promql {

class Shared {
 public:
  // A result that waits for the next who needs it.
  struct Slot {
    std::size_t uses = 0;  // in all queries together
    std::size_t left = 0;  // of these, while there is a result
    std::size_t read = 0;  // samples that were read for it
    Vector result;
  };

  // `queries` outlive this. An expression is not shared if it may select a metric out of
  // `written`: between one query and the next there may be more of it.
  Shared(std::span<const ParsedQuery* const> queries,
         const std::set<std::string, std::less<>>& written);

  bool empty() const { return slots_.empty(); }
  // Where the result of `expr` is kept; nullptr if nobody else needs it.
  Slot* Find(const Expr& expr);
  // Before the next instant.
  void Forget();

 private:
  std::vector<Slot> slots_;
  std::unordered_map<const Expr*, std::size_t> places_;  // in slots_
};

}  // namespace vigia::promql
