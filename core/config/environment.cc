#include "core/config/environment.h"

#include "core/labels.h"

namespace vigia::config {
namespace {

// What stands between the braces.
std::string Lookup(std::string_view reference, const Environment& environment,
                   std::vector<std::string>& faults) {
  // A group of a regular expression, as relabelling rules write it.
  const bool group =
      !reference.empty() && reference.find_first_not_of("0123456789") == reference.npos;
  if (group) return "${" + std::string(reference) + "}";
  const std::size_t separator = reference.find(":-");
  const std::string name(reference.substr(0, separator));
  // Names of variables follow the rule of label names.
  if (!IsLegacyLabelName(name)) {
    faults.push_back("'${" + name +
                     "}' is no variable: a name has letters, digits and _; write $${ for the "
                     "text itself");
    return {};
  }
  auto value = environment(name);
  if (value && !value->empty()) return *std::move(value);
  if (separator == reference.npos) {
    faults.push_back("the environment variable " + name +
                     " is not set, or empty; set it, or write ${" + name + ":-default}");
    return {};
  }
  const auto fallback = reference.substr(separator + 2);
  if (fallback.find("${") != fallback.npos) {
    faults.push_back("the default of ${" + name + "} cannot hold another variable");
  }
  return std::string(fallback);
}

}  // namespace

std::string Substitute(std::string_view text, const Environment& environment,
                       std::vector<std::string>& faults) {
  std::string out;
  for (std::size_t at; (at = text.find('$')) != text.npos;) {
    out += text.substr(0, at);
    text.remove_prefix(at + 1);
    if (!text.starts_with('{')) {
      out += '$';
      if (text.starts_with('$')) text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (end == text.npos) {
      faults.push_back("'${' is not closed; write ${NAME}, or $${ for the text itself");
      return out;
    }
    out += Lookup(text.substr(1, end - 1), environment, faults);
    text.remove_prefix(end + 1);
  }
  out += text;
  return out;
}

}  // namespace vigia::config
