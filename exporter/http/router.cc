#include "exporter/http/router.h"

namespace vigia::http {
namespace {

// Whether `path` fits `pattern`, part by part; what {name} stood for goes to `parameters`.
bool Fits(std::string_view pattern, std::string_view path,
          std::map<std::string, std::string, std::less<>>& parameters) {
  parameters.clear();
  while (!pattern.empty() || !path.empty()) {
    if (!pattern.starts_with('/') || !path.starts_with('/')) return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto part = path.substr(0, path.find('/'));
    if (wanted.starts_with('{') && wanted.ends_with('}')) {
      if (part.empty()) return false;
      parameters[std::string(wanted.substr(1, wanted.size() - 2))] = part;
    } else if (wanted != part) {
      return false;
    }
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(part.size());
  }
  return true;
}

}  // namespace

// Linear: routes number in the tens, and a comparison ends at the first part that differs.
const Route* Router::Find(Request& request, std::string& allowed) const {
  for (const auto& route : routes_) {
    if (!Fits(route.pattern, request.path, request.path_parameters)) continue;
    if (route.method == request.method) return &route;
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return nullptr;
}

}  // namespace vigia::http
