// Any text is a query or a fault with a place; a query that is printed reads as the same query.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/printer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigia::promql;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto query = Parse(input);
  static_cast<void>(Parse(input, Semantics::kPrometheus2));
  static_cast<void>(ParseSelector(input));
  if (!query) return 0;
  const auto printed = ToString((*query)->root());
  const auto again = Parse(printed);
  if (!again || ToString((*again)->root()) != printed) std::abort();
  static_cast<void>(Prettify((*query)->root()));
  return 0;
}
