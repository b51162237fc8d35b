// What the parser and the evaluator know about a function: one row per function in table.cc.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "query/promql/error.h"
#include "query/promql/syntax/ast.h"
#include "query/promql/syntax/options.h"

namespace vigia::promql {

class Evaluator;
struct Steps;
struct WindowInput;
struct Vector;
struct Operand;

// Of one sample: abs(), sqrt().
using MathFunction = double (*)(double value);
// Of the windows of one series, one result per step: rate(), sum_over_time().
using WindowFunction = void (*)(const WindowInput& input, std::span<double> out);
// Whatever does not fit the other two.
using SpecialFunction = QueryResult<Operand> (*)(Evaluator& evaluator, const Call& call,
                                                 const Steps& steps);

struct Function {
  static constexpr std::size_t kMaxArgs = 5;
  enum Flags : std::uint8_t {
    kNone = 0,
    kExperimental = 1,
    kOnly3 = 2,     // not in Prometheus 2.42
    kOnly2 = 4,     // gone since
    kUsesTime = 8,  // differs from step to step even if its arguments do not
    kKeepsName = 16,
  };

  std::string_view name;
  std::array<ValueType, kMaxArgs> arg_types;
  std::uint8_t arg_count;
  // How many arguments of the last type may come beside it; -1 for any number, and then (as with
  // every number but 0) that one may be missing, too.
  std::int8_t variadic;
  ValueType returns;
  std::uint8_t flags;
  std::variant<MathFunction, WindowFunction, SpecialFunction> implementation;

  std::span<const ValueType> args() const { return {arg_types.data(), arg_count}; }
  bool Has(Flags flag) const { return (flags & flag) != 0; }
};

// All of them, in no particular order.
std::span<const Function> Functions();

// nullptr if Prometheus of that version has no such function.
const Function* FindFunction(std::string_view name, Semantics semantics);

}  // namespace vigia::promql
