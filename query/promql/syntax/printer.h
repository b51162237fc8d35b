// Writes expressions as Prometheus does.

#pragma once

#include <string>
#include <string_view>

#include "query/promql/syntax/ast.h"

namespace vigia::promql {

// On one line, in canonical form (Expr.String()): parses to the same tree.
std::string ToString(const Expr& expr);

// What format_query answers: expressions longer than 100 characters broken into lines and
// indented (Prettify).
std::string Prettify(const Expr& expr);

// "=~".
std::string_view Spelling(Matcher::Op op);
// `job=~"a|b"`, with names quoted where they have to be.
std::string ToString(const Matcher& matcher);

// "[5m:1m] @ 12.000 offset 3s" and the parts of it, without what comes before.
std::string TimeSuffix(const Subquery& subquery);
std::string TimeSuffix(const TimeShift& shift);

// " on (job) group_left (x)" with a leading blank each; empty where nothing was said.
std::string MatchingText(const Binary& binary);
// "sum by (job) " up to the parenthesis.
std::string AggregateHead(const Aggregate& aggregate);

}  // namespace vigia::promql
