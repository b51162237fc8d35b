// label_replace() and label_join().

#include <unordered_map>

#include "core/text/utf8.h"
#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"
#include "query/promql/regex.h"

namespace vigia::promql {
namespace {

bool IsLabelName(std::string_view name, const Context& context) {
  if (context.is2()) return IsLegacyLabelName(name);
  return !name.empty() && text::IsUtf8(name);
}

// A rename may give several series one name: joined where their samples do not overlap.
CallResult Finish(Vector vector) {
  vector.unique_without_name = false;
  if (auto status = MergeEqualRows(vector); !status) return Fail(status.error());
  return vector;
}

Labels WithLabel(const Labels& labels, std::string_view name, std::string_view value) {
  if (labels.Get(name) == value) return labels;
  return LabelsBuilder(labels).Set(name, value).Build();
}

}  // namespace

CallResult LabelReplace(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const std::string& target = StringArgument(call, 1);
  const std::string& replacement = StringArgument(call, 2);
  const std::string& source = StringArgument(call, 3);
  const std::string& pattern = StringArgument(call, 4);
  const auto regex = Regex::CompileAnchored(pattern, evaluator.context().settings.semantics);
  if (!regex) {
    return ExecutionError("invalid regular expression in label_replace(): " + pattern);
  }
  if (!IsLabelName(target, evaluator.context())) {
    return ExecutionError("invalid destination label name in label_replace(): " + target);
  }
  auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  vector->RemoveDroppedNames();
  // A source label has few values as a rule.
  struct Outcome {
    bool matches;
    std::string value;
  };
  std::unordered_map<std::string, Outcome> outcomes;
  for (auto& labels : vector->labels) {
    const auto [at, added] = outcomes.try_emplace(std::string(labels.Get(source)));
    if (added) at->second.matches = regex->Expand(at->first, replacement, at->second.value);
    if (at->second.matches) labels = WithLabel(labels, target, at->second.value);
  }
  return Finish(std::move(*vector));
}

CallResult LabelJoin(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const std::string& target = StringArgument(call, 1);
  const std::string& separator = StringArgument(call, 2);
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    if (!IsLabelName(StringArgument(call, i), evaluator.context())) {
      return ExecutionError("invalid source label name in label_join(): " +
                            StringArgument(call, i));
    }
  }
  if (!IsLabelName(target, evaluator.context())) {
    return ExecutionError("invalid destination label name in label_join(): " + target);
  }
  auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  vector->RemoveDroppedNames();
  std::string joined;
  for (auto& labels : vector->labels) {
    joined.clear();
    for (std::size_t i = 3; i < call.args.size(); ++i) {
      if (i > 3) joined += separator;
      joined += labels.Get(StringArgument(call, i));
    }
    labels = WithLabel(labels, target, joined);
  }
  return Finish(std::move(*vector));
}

}  // namespace vigia::promql
