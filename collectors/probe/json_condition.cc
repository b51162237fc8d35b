#include "collectors/probe/json_condition.h"

#include <nlohmann/json.hpp>

#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

using Json = nlohmann::json;

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// nullptr where the document has no such place.
const Json* Walk(const Json& root, std::span<const std::variant<std::string, long>> steps) {
  const Json* at = &root;
  for (const auto& step : steps) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      if (!at->is_object()) return nullptr;
      const auto found = at->find(*name);
      if (found == at->end()) return nullptr;
      at = &*found;
    } else {
      if (!at->is_array()) return nullptr;
      const auto size = static_cast<long>(at->size());
      const long given = std::get<long>(step);
      const long index = given < 0 ? size + given : given;
      if (index < 0 || index >= size) return nullptr;
      at = &(*at)[static_cast<std::size_t>(index)];
    }
  }
  return at;
}

}  // namespace

Result<std::vector<JsonCondition::Step>> JsonCondition::ParsePath(std::string_view path) {
  const auto wrong = [&] {
    return Fail(ErrorCode::kInvalid,
                "'" + std::string(path) + "' is not a path such as $.a.b[0]['c d']");
  };
  std::vector<Step> steps;
  std::string_view rest = path;
  if (!rest.starts_with('$')) return wrong();
  rest.remove_prefix(1);
  while (!rest.empty()) {
    if (rest.front() == '.') {
      rest.remove_prefix(1);
      const auto name = rest.substr(0, rest.find_first_of(".["));
      if (name.empty()) return wrong();
      steps.emplace_back(std::string(name));
      rest.remove_prefix(name.size());
      continue;
    }
    if (rest.front() != '[') return wrong();
    rest.remove_prefix(1);
    if (!rest.empty() && (rest.front() == '\'' || rest.front() == '"')) {
      const char quote = rest.front();
      const std::size_t end = rest.find(quote, 1);
      if (end == rest.npos || !rest.substr(end + 1).starts_with(']')) return wrong();
      steps.emplace_back(std::string(rest.substr(1, end - 1)));
      rest.remove_prefix(end + 2);
      continue;
    }
    const std::size_t end = rest.find(']');
    if (end == rest.npos) return wrong();
    const auto index = ParseInt(rest.substr(0, end));
    if (!index) return wrong();
    steps.emplace_back(static_cast<long>(*index));
    rest.remove_prefix(end + 1);
  }
  return steps;
}

std::optional<JsonCondition> JsonCondition::Read(const config::Node& node,
                                                 config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "json");
  JsonCondition condition;
  reader.Require("path", "where in the document to look, such as $.status");
  const bool has_path = reader.Read("path", condition.path_);
  if (has_path) {
    auto steps = ParsePath(condition.path_);
    if (!steps) {
      reader.Fault("path", steps.error().message());
      return std::nullopt;
    }
    condition.steps_ = *std::move(steps);
  }
  std::string text;
  if (reader.Read("equals", text)) condition.equals_ = text;
  if (reader.Read("matches", text)) {
    auto pattern = Pattern::Compile(text);
    if (pattern) condition.matches_ = *std::move(pattern);
    if (!pattern) reader.Fault("matches", pattern.error().message());
  }
  double number = 0;
  if (reader.Read("above", number)) condition.above_ = number;
  if (reader.Read("below", number)) condition.below_ = number;
  bool exists = true;
  if (reader.Read("exists", exists)) condition.exists_ = exists;
  reader.Finish();
  if (!condition.equals_ && !condition.matches_ && !condition.above_ && !condition.below_) {
    condition.exists_ = exists;
  }
  if (!has_path) return std::nullopt;
  return condition;
}

Status CheckJson(std::string_view body, std::span<const JsonCondition> conditions) {
  const Json root = Json::parse(body, nullptr, false);
  if (root.is_discarded()) return Fail(ErrorCode::kCorrupt, "the body is not JSON");
  for (const auto& condition : conditions) {
    const Json* const value = Walk(root, condition.steps_);
    const auto fails = [&](const std::string& what) {
      return Fail(ErrorCode::kUnavailable, condition.path_ + " " + what);
    };
    if (condition.exists_ && *condition.exists_ != (value != nullptr)) {
      return fails(value ? "is there" : "is not there");
    }
    if (!value) {
      if (condition.exists_) continue;  // as wanted
      return fails("is not there");
    }
    const auto text = TextOf(*value);
    if (condition.equals_ && text != *condition.equals_) return fails("has another value");
    if (condition.matches_ && !condition.matches_->Found(text)) return fails("does not match");
    if (!condition.above_ && !condition.below_) continue;
    if (!value->is_number()) return fails("is not a number");
    const double number = value->get<double>();
    if (condition.above_ && !(number > *condition.above_)) return fails("is too low");
    if (condition.below_ && !(number < *condition.below_)) return fails("is too high");
  }
  return Ok();
}

}  // namespace vigia::collectors::probe
