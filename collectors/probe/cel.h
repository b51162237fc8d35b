// A CelExpression is a condition on a JSON body in CEL, the Common Expression Language that
// blackbox_exporter's `fail_if_body_json_matches_cel` is written in:
//
//     body.status == 'ok' && body.checks.all(c, c.up) && size(body.queue) < 10
//
// What is understood: the variable `body`; literals, lists and maps; . and []; arithmetic,
// comparison, in, !, &&, ||, ?:; has(), size(), int(), double(), string(), type conversions of
// those three; startsWith(), endsWith(), contains(), matches(); all(), exists(), exists_one(),
// filter(), map(). What is not: timestamps, durations, bytes, protocol buffers. Semantics of
// https://github.com/google/cel-spec (langdef.md). Immutable; any thread may evaluate.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::collectors::probe {

namespace cel {
struct Node;
}

class CelExpression {
 public:
  // kInvalid, with the column: "column 7: there is no function 'timestamp' here".
  static Result<CelExpression> Compile(const std::string& text);

  // What it says of `json`. kCorrupt for what is no JSON, kUnavailable where evaluation fails (a
  // field that is not there, operands of the wrong types) or gives no boolean.
  Result<bool> Evaluate(std::string_view json) const;

  const std::string& text() const { return text_; }

 private:
  CelExpression(std::string text, std::shared_ptr<const cel::Node> root)
      : text_(std::move(text)), root_(std::move(root)) {}

  std::string text_;
  std::shared_ptr<const cel::Node> root_;
};

}  // namespace vigia::collectors::probe
