// Binary operators between two vectors.

#pragma once

#include "query/promql/error.h"
#include "query/promql/eval/context.h"
#include "query/promql/eval/vector.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

// Arithmetic and comparison, one-to-one or many-to-one.
QueryResult<Vector> Join(const Binary& binary, const Vector& left, const Vector& right,
                         Context& context);

// and, or, unless.
QueryResult<Vector> CombineSets(const Binary& binary, Vector left, const Vector& right);

}  // namespace vigia::promql
