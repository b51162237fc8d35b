// A Function is what a template can call by name: one row has name, signature and
// implementation. A method is the same, with the value it belongs to as first argument.

#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/templates/value.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::templates {

// One series of an answer to `query`.
struct QuerySample {
  Labels labels;
  double value = 0;
};

// Answers a PromQL query at the time of the evaluation.
using QueryFunction = std::function<Result<std::vector<QuerySample>>(const std::string& query)>;

// What functions know of the world besides their arguments.
struct Environment {
  Timestamp now = 0;
  std::string external_url;
  QueryFunction query = {};  // empty: `query` is an error
};

struct Function {
  std::string_view name;
  // One letter per parameter: s string, i int, f float64, n anything that is a number, a
  // anything, l list of strings, q result of a query, p sample of one, m map, t time, d duration;
  // the last may be followed by `*`: any number of them.
  std::string_view parameters;
  Result<Value> (*call)(const Environment& environment, std::span<const Value> arguments);
};

// Finds a row by its name; nullptr if there is none.
const Function* FindFunction(std::span<const Function> functions, std::string_view name);

// Arguments that the evaluator has already checked against the signature.
inline const std::string& Text(const Value& value) { return *value.string(); }
// The number in an int, float or duration (in seconds), or in a string that holds one.
Result<double> ToFloat(const Value& value);

// The functions that Go's text/template has itself; those of Prometheus' rules; those of
// Alertmanager's notifications.
std::span<const Function> BuiltinFunctions();
std::span<const Function> RuleFunctions();
std::span<const Function> NotificationFunctions();

// Methods of Go's time.Time and time.Duration.
std::span<const Function> TimeMethods();
std::span<const Function> DurationMethods();

}  // namespace vigia::alerting::templates
