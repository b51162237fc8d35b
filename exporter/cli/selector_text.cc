#include "exporter/cli/selector_text.h"

#include "query/promql/syntax/printer.h"

namespace vigia::exporter::cli {

std::string SelectorText(const promql::VectorSelector& selector) {
  std::string inner;
  for (const auto& matcher : selector.matchers) {
    if (!selector.name.empty() && matcher.name == kMetricName) continue;
    inner += (inner.empty() ? "" : ",") + promql::ToString(matcher);
  }
  return selector.name + (inner.empty() && !selector.name.empty() ? "" : "{" + inner + "}");
}

}  // namespace vigia::exporter::cli
