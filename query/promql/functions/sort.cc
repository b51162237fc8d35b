// sort(), sort_desc(), sort_by_label(): they order the answer of an instant query.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <optional>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"

namespace vigia::promql {
namespace {

// Evaluates the vector, and says so where sorting it is in vain: a range query's answer is ordered
// by labels whatever happens here.
QueryResult<Vector> ToBeSorted(Evaluator& evaluator, const Call& call, const Steps& steps) {
  Context& context = evaluator.context();
  if (!context.instant() && !context.is2()) {
    context.annotations.Warn(
        "sort is ineffective for range queries since results are always ordered by labels",
        call.range);
  }
  return evaluator.EvalVector(*call.args[0], steps);
}

template <typename Before>
Vector Reordered(const Vector& vector, Before before) {
  std::vector<std::size_t> order(vector.rows());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), before);
  Vector out(vector.steps);
  out.values.reserve(vector.values.size());
  for (const std::size_t row : order) out.Append(vector, row);
  out.unique_without_name = vector.unique_without_name;
  return out;
}

CallResult SortByValue(Evaluator& evaluator, const Call& call, const Steps& steps,
                       bool descending) {
  auto vector = ToBeSorted(evaluator, call, steps);
  if (!vector || steps.count > 1) {
    if (!vector) return Fail(vector.error());
    return std::move(*vector);
  }
  const auto& values = vector->values;
  return Reordered(*vector, [&](std::size_t a, std::size_t b) {
    // NaN last, whichever way.
    if (std::isnan(values[a]) || std::isnan(values[b])) {
      return !std::isnan(values[a]) && std::isnan(values[b]);
    }
    return descending ? values[a] > values[b] : values[a] < values[b];
  });
}

// A run of digits or of anything else.
std::string_view TakeChunk(std::string_view& rest) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::size_t end = 1;
  while (end < rest.size() && digit(rest[end]) == digit(rest[0])) ++end;
  const auto chunk = rest.substr(0, end);
  rest.remove_prefix(end);
  return chunk;
}

std::optional<std::uint64_t> AsNumber(std::string_view chunk) {
  if (chunk.empty() || chunk.size() > 18) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : chunk) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The natural order of people: "cpu2" before "cpu10".
bool NaturallyBefore(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto x = TakeChunk(a);
    const auto y = TakeChunk(b);
    const auto left = AsNumber(x);
    const auto right = AsNumber(y);
    if (left && right) {
      if (*left != *right) return *left < *right;
    } else if (x != y) {
      return x < y;
    }
  }
  return a.empty() && !b.empty();
}

CallResult SortByLabels(Evaluator& evaluator, const Call& call, const Steps& steps,
                        bool descending) {
  auto vector = ToBeSorted(evaluator, call, steps);
  if (!vector) return Fail(vector.error());
  vector->RemoveDroppedNames();
  return Reordered(*vector, [&](std::size_t a, std::size_t b) {
    const Labels& left = vector->labels[descending ? b : a];
    const Labels& right = vector->labels[descending ? a : b];
    for (std::size_t i = 1; i < call.args.size(); ++i) {
      const auto x = left.Get(StringArgument(call, i));
      const auto y = right.Get(StringArgument(call, i));
      if (x != y) return NaturallyBefore(x, y);
    }
    return left < right;
  });
}

}  // namespace

CallResult Sort(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return SortByValue(evaluator, call, steps, false);
}

CallResult SortDescending(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return SortByValue(evaluator, call, steps, true);
}

CallResult SortByLabel(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return SortByLabels(evaluator, call, steps, false);
}

CallResult SortByLabelDescending(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return SortByLabels(evaluator, call, steps, true);
}

}  // namespace vigia::promql
