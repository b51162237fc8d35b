// A selector as it is asked of another server.

#pragma once

#include <string>

#include "query/promql/syntax/ast.h"

namespace vigia::exporter::cli {

// `name{a="b"}`, without offset and the like.
std::string SelectorText(const promql::VectorSelector& selector);

}  // namespace vigia::exporter::cli
