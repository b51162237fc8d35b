#include "collectors/kpi/parameters.h"

#include <algorithm>
#include <vector>

#include "core/config/diagnostics.h"

namespace vigia::collectors::kpi {
namespace {

constexpr std::size_t kLongestName = 63;  // NAMEDATALEN - 1 of PostgreSQL
constexpr std::size_t kMostParts = 3;

bool IsBare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// Takes one part off the front of `name`; empty if there is none.
std::string TakePart(std::string_view& name) {
  std::string part;
  if (name.starts_with('"')) {
    const auto end = name.find('"', 1);
    if (end == name.npos) return {};
    part = name.substr(1, end - 1);
    name.remove_prefix(end + 1);
  } else {
    const auto end = std::find_if_not(name.begin(), name.end(), IsBare);
    part.assign(name.begin(), end);
    name.remove_prefix(part.size());
  }
  return part;
}

Result<std::string> QuoteText(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      return Fail(ErrorCode::kInvalid, "holds a backslash or a control character");
    }
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted;
}

Error Unknown(const std::string& name, const Parameters& parameters) {
  std::vector<std::string_view> known;
  for (const auto& [key, value] : parameters) known.push_back(key);
  std::string message = "{{" + name + "}} is not a parameter";
  const auto nearest = config::Nearest(name, known);
  if (!nearest.empty()) message += ", did you mean {{" + std::string(nearest) + "}}?";
  return {ErrorCode::kInvalid, std::move(message)};
}

}  // namespace

bool IsParameterName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

Result<std::string> QuoteIdentifier(std::string_view name) {
  std::string_view rest = name;
  std::string quoted;
  for (std::size_t parts = 1; parts <= kMostParts; ++parts) {
    const std::string part = TakePart(rest);
    if (part.empty() || part.size() > kLongestName || part.find('\0') != part.npos) break;
    quoted += '"' + part + '"';
    if (rest.empty()) return quoted;
    if (rest.front() != '.') break;
    rest.remove_prefix(1);
    quoted += '.';
  }
  return Fail(ErrorCode::kInvalid,
              "'" + std::string(name.substr(0, 80)) + "' is not the name of a table or column");
}

Result<std::string> Substitute(std::string_view sql, const Parameters& parameters,
                               std::set<std::string>& used) {
  std::string out;
  while (true) {
    const auto open = sql.find("{{");
    const auto close = open == sql.npos ? sql.npos : sql.find("}}", open);
    if (close == sql.npos) break;
    const std::string name(sql.substr(open + 2, close - open - 2));
    if (!IsParameterName(name)) {
      out += sql.substr(0, open + 1);
      sql.remove_prefix(open + 1);
      continue;
    }
    const auto parameter = parameters.find(name);
    if (parameter == parameters.end()) return Fail(Unknown(name, parameters));
    const bool text = open > 0 && sql[open - 1] == '\'' && sql.substr(close + 2).starts_with('\'');
    const auto value = text ? QuoteText(parameter->second) : QuoteIdentifier(parameter->second);
    if (!value) return Fail(value.error().In("{{" + name + "}}"));
    out += sql.substr(0, open);
    out += *value;
    sql.remove_prefix(close + 2);
    used.insert(name);
  }
  out += sql;
  return out;
}

}  // namespace vigia::collectors::kpi
