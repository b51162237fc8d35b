// What a JSON body has to say: a path into it and a comparison.
//
//     { path: "$.checks[0].status", equals: "ok" }
//     { path: "$.queue.length", below: 1000 }
//
// Paths are the plain part of JSONPath: $, .name, ['name'], [index]; a negative index counts from
// the end. Immutable; any thread may check.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collectors/probe/pattern.h"
#include "core/config/reader.h"

namespace vigia::collectors::probe {

class JsonCondition {
 public:
  // Reads `path` and at least one of equals, matches, above, below, exists.
  static std::optional<JsonCondition> Read(const config::Node& node,
                                           config::Diagnostics& diagnostics);

 private:
  using Step = std::variant<std::string, long>;
  friend Status CheckJson(std::string_view body, std::span<const JsonCondition> conditions);

  static Result<std::vector<Step>> ParsePath(std::string_view path);

  std::string path_;
  std::vector<Step> steps_;
  std::optional<std::string> equals_;  // as JSON would print it, strings without quotes
  std::optional<Pattern> matches_;
  std::optional<double> above_;
  std::optional<double> below_;
  std::optional<bool> exists_;
};

// Ok if `body` is JSON that meets all conditions; else what it does not meet.
Status CheckJson(std::string_view body, std::span<const JsonCondition> conditions);

}  // namespace vigia::collectors::probe
