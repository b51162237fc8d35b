#include "core/config/yaml_error.h"

#include <array>

namespace vigia::config {
namespace {

struct Explanation {
  std::string_view phrase;  // of yaml-cpp
  std::string_view meaning;
};

constexpr std::array kExplanations{
    Explanation{"illegal map value",
                "this ':' makes no sense here; indent the key like its neighbours, complete the "
                "line above, or put quotes around a value that holds ': '"},
    Explanation{"end of map not found",
                "no key of this map begins here; indent it like its neighbours"},
    Explanation{"end of sequence not found",
                "no item of this list begins here; begin it with '- ', indented like its "
                "neighbours"},
    Explanation{"illegal flow end",
                "this bracket closes nothing; put quotes around a value that "
                "begins with it"},
    Explanation{"unknown token",
                "no value begins with this character; put quotes around the value"},
    Explanation{
        "unknown escape character",
        "no such escape in double quotes; write \\\\ for a backslash, or use single quotes"},
    Explanation{"bad character found while scanning hex",
                "not a hexadecimal digit; write \\\\ for "
                "a backslash, or use single quotes"},
    Explanation{"illegal document indicator in scalar",
                "a document ends here (--- or ...), but a quote is still open; close it where its "
                "value ends"},
    Explanation{"illegal block entry",
                "a list cannot begin here; begin it on a line of its own, or put quotes around a "
                "value that begins with '- '"},
    Explanation{"illegal map key", "a key cannot stand here; begin the map on a line of its own"},
    Explanation{"illegal tab", kTabFault},
    Explanation{"the referenced anchor is not defined",
                "an alias (*) of an anchor (&) that does not exist; put quotes around a value that "
                "begins with '*'"},
    Explanation{"alias not found after",
                "no name after '*'; put quotes around a value that begins with '*'"},
    Explanation{"anchor not found after",
                "no name after '&'; put quotes around a value that begins with '&'"},
    Explanation{"unexpected character in block scalar",
                "unexpected text after | or >; the block begins on the next line"},
};

}  // namespace

std::string ExplainYamlError(std::string_view message) {
  for (const auto& explanation : kExplanations) {
    if (message.starts_with(explanation.phrase)) return std::string(explanation.meaning);
  }
  return "not valid YAML: " + std::string(message);
}

}  // namespace vigia::config
