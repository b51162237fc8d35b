#include "alerting/templates/evaluator.h"

#include <algorithm>

#include "alerting/templates/escape.h"
#include "alerting/templates/print.h"
#include "alerting/templates/signature.h"

namespace vigia::alerting::templates {
namespace {

using Kind = Node::Kind;

enum class Flow { kNext, kBreak, kContinue };

class Evaluator {
 public:
  explicit Evaluator(const Execution& execution) : execution_(execution) {}

  Result<std::string> Run() {
    const auto at = execution_.trees.find(execution_.name);
    if (at == execution_.trees.end()) {
      return Fail(ErrorCode::kInvalid, "template: no template " + Quote(execution_.name));
    }
    tree_ = at->second.get();
    variables_.emplace_back("$", execution_.data);
    for (const auto& variable : execution_.variables) variables_.push_back(variable);
    const auto flow = Body(execution_.data, tree_->body);
    if (!flow) return Fail(flow.error());
    return std::move(out_);
  }

 private:
  using Arguments = std::span<const std::unique_ptr<Node>>;

  // The error of `node`, with its place.
  tl::unexpected<Error> At(const Node& node, const std::string& what) const {
    const std::string_view before =
        std::string_view(*tree_->text).substr(0, std::min(node.position, tree_->text->size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto line_start = before.rfind('\n');
    const auto column = line_start == before.npos ? before.size() : before.size() - line_start - 1;
    auto context = node.ToString();
    if (CountRunes(context) > 20) context = std::string(RunePrefix(context, 20)) + "...";
    return Fail(ErrorCode::kInvalid, "template: " + tree_->file + ":" + std::to_string(line) + ":" +
                                         std::to_string(column) + ": executing " +
                                         Quote(tree_->name) + " at <" + context + ">: " + what);
  }

  Status Step(const Node& node) {
    if (++steps_ <= execution_.limits.steps) return Ok();
    return At(node,
              "exceeded maximum number of steps (" + std::to_string(execution_.limits.steps) + ")");
  }

  Status Write(const Node& node, std::string_view text) {
    if (out_.size() + text.size() > execution_.limits.output) {
      return At(node,
                "exceeded maximum output size (" + std::to_string(execution_.limits.output) + ")");
    }
    out_ += text;
    return Ok();
  }

  // Statements.
  Result<Flow> Body(const Value& dot, const Node::List& body) {
    for (const auto& node : body) {
      const auto flow = Statement(dot, *node);
      if (!flow || *flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> Statement(const Value& dot, const Node& node) {
    if (auto status = Step(node); !status) return Fail(status.error());
    switch (node.kind) {
      case Kind::kText:
        return Then(Write(node, node.text));
      case Kind::kAction:
        return Then(Action(dot, node));
      case Kind::kIf:
      case Kind::kWith:
        return Branch(dot, node);
      case Kind::kRange:
        return Range(dot, node);
      case Kind::kTemplate:
        return Then(Call(dot, node));
      case Kind::kBreak:
        return Flow::kBreak;
      case Kind::kContinue:
        return Flow::kContinue;
      default:
        return At(node, "unknown node");
    }
  }

  static Result<Flow> Then(const Status& status) {
    if (!status) return Fail(status.error());
    return Flow::kNext;
  }

  Status Action(const Value& dot, const Node& node) {
    const auto value = Pipeline(dot, *node.pipe);
    if (!value) return Fail(value.error());
    if (!node.pipe->variables.empty()) return Ok();
    return Print(node, *value);
  }

  Status Print(const Node& node, const Value& value) {
    if (value.IsNil()) {
      return Write(node, execution_.escaping == Escaping::kHtml ? "" : "<no value>");
    }
    auto text = Show(value);
    // What a pipeline comes to is printed without its pointer.
    if (value.structure() && text.starts_with("&{")) text.erase(0, 1);
    const bool markup = value.As<Markup>() != nullptr;
    if (execution_.escaping == Escaping::kNone || markup) return Write(node, text);
    return Write(node, EscapeHtml(text));
  }

  Result<Flow> Branch(const Value& dot, const Node& node) {
    const auto scope = variables_.size();
    const auto value = Pipeline(dot, *node.pipe);
    if (!value) return Fail(value.error());
    Result<Flow> flow = Flow::kNext;
    if (IsTrue(*value)) {
      flow = Body(node.kind == Kind::kWith ? *value : dot, node.body);
    } else {
      flow = Body(dot, node.otherwise);
    }
    variables_.resize(scope);
    return flow;
  }

  Result<Flow> Range(const Value& dot, const Node& node) {
    const auto scope = variables_.size();
    const auto value = Commands(dot, *node.pipe);
    if (!value) return Fail(value.error());
    std::size_t rounds = 0;
    Result<Flow> flow = Flow::kNext;
    const auto round = [&](const Value& key, const Value& item) {
      ++rounds;
      if (auto status = Step(node); !status) {
        flow = Fail(status.error());
        return false;
      }
      SetLoopVariables(*node.pipe, key, item);
      flow = Body(item, node.body);
      variables_.resize(scope);
      return flow && *flow != Flow::kBreak;
    };
    if (const auto* list = value->list()) {
      for (std::size_t i = 0; i < list->items.size() && round(i, list->items[i]);) ++i;
    } else if (const auto* map = value->map()) {
      for (auto at = map->entries.begin();
           at != map->entries.end() && round(at->first, at->second);) {
        ++at;
      }
    } else if (const auto* number = value->As<std::int64_t>()) {
      for (std::int64_t i = 0; i < *number && round(i, i);) ++i;
    } else if (!value->IsNil()) {
      const Node& last = *node.pipe->children.back()->children.front();
      return At(last, "range can't iterate over " + Show(*value));
    }
    if (!flow) return flow;
    if (rounds > 0) return Flow::kNext;
    flow = Body(dot, node.otherwise);
    variables_.resize(scope);
    return flow;
  }

  void SetLoopVariables(const Node& pipe, const Value& key, const Value& item) {
    const auto& names = pipe.variables;
    const auto set = [&](const std::string& name, const Value& value) {
      if (pipe.assigns) {
        Assign(name, value);
      } else {
        variables_.emplace_back(name, value);
      }
    };
    if (names.size() == 2) set(names[0], key);
    if (!names.empty()) set(names.back(), item);
  }

  Status Call(const Value& dot, const Node& node) {
    const auto at = execution_.trees.find(node.names.front());
    if (at == execution_.trees.end()) {
      return At(node, "template " + Quote(node.names.front()) + " not defined");
    }
    if (depth_ == execution_.limits.depth) {
      return At(node, "exceeded maximum template depth (" +
                          std::to_string(execution_.limits.depth) + ")");
    }
    Value argument;
    if (node.pipe) {
      auto value = Pipeline(dot, *node.pipe);
      if (!value) return Fail(value.error());
      argument = *std::move(value);
    }
    const auto* caller = std::exchange(tree_, at->second.get());
    auto outer = std::exchange(variables_, {{"$", argument}});
    ++depth_;
    const auto flow = Body(argument, tree_->body);
    --depth_;
    variables_ = std::move(outer);
    tree_ = caller;
    return flow ? Ok() : Status(Fail(flow.error()));
  }

  // Expressions.
  Result<Value> Pipeline(const Value& dot, const Node& pipe) {
    auto value = Commands(dot, pipe);
    if (!value) return value;
    for (const auto& name : pipe.variables) {
      if (pipe.assigns) {
        Assign(name, *value);
      } else {
        variables_.emplace_back(name, *value);
      }
    }
    return value;
  }

  Result<Value> Commands(const Value& dot, const Node& pipe) {
    Value value;
    const Value* final = nullptr;
    for (const auto& command : pipe.children) {
      if (auto status = Step(*command); !status) return Fail(status.error());
      auto result = Command(dot, *command, final);
      if (!result) return result;
      value = *std::move(result);
      final = &value;
    }
    return value;
  }

  void Assign(std::string_view name, const Value& value) {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first != name) continue;
      at->second = value;
      return;
    }
  }

  // `final` is what the command before in the pipeline gave: the last argument.
  Result<Value> Command(const Value& dot, const Node& command, const Value* final) {
    const Node& first = *command.children.front();
    const Arguments arguments(command.children);
    switch (first.kind) {
      case Kind::kField:
        return Fields(dot, dot, first, first.names, arguments, final);
      case Kind::kChain:
        return Chain(dot, first, arguments, final);
      case Kind::kIdentifier:
        return CallFunction(dot, *first.function, nullptr, first, command, arguments, final);
      case Kind::kVariable:
        return Variable(dot, first, arguments, final);
      default:
        break;
    }
    if (arguments.size() > 1 || final) {
      return At(first, "can't give argument to non-function " + first.ToString());
    }
    if (first.kind == Kind::kPipe) return Pipeline(dot, first);
    if (first.kind == Kind::kDot) return dot;
    if (first.kind == Kind::kNil) return At(first, "nil is not a command");
    return first.constant;
  }

  Result<Value> Variable(const Value& dot, const Node& node, Arguments arguments,
                         const Value* final) {
    const Value* found = nullptr;
    for (const auto& [name, value] : variables_) {
      if (name == node.names.front()) found = &value;
    }
    if (!found) return At(node, "undefined variable: " + node.names.front());
    if (node.names.size() > 1) {
      const Value receiver = *found;
      return Fields(dot, receiver, node, std::span(node.names).subspan(1), arguments, final);
    }
    if (arguments.size() > 1 || final) {
      return At(node, "can't give argument to non-function " + node.ToString());
    }
    return *found;
  }

  Result<Value> Chain(const Value& dot, const Node& node, Arguments arguments, const Value* final) {
    const auto receiver = Argument(dot, 'a', *node.children.front());
    if (!receiver) return receiver;
    return Fields(dot, *receiver, node, node.names, arguments, final);
  }

  // .A.B.C: the last one alone gets the arguments.
  Result<Value> Fields(const Value& dot, const Value& receiver, const Node& node,
                       std::span<const std::string> names, Arguments arguments,
                       const Value* final) {
    Value value = receiver;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
      auto next = Field(dot, value, node, names[i], {}, nullptr);
      if (!next) return next;
      value = *std::move(next);
    }
    return Field(dot, value, node, names.back(), arguments, final);
  }

  Result<Value> Field(const Value& dot, const Value& receiver, const Node& node,
                      const std::string& name, Arguments arguments, const Value* final) {
    if (receiver.IsNil()) return At(node, "nil pointer evaluating interface {}." + name);
    if (const auto* method = FindFunction(MethodsOf(receiver), name)) {
      return CallFunction(dot, *method, &receiver, node, node, arguments, final);
    }
    const bool has_arguments = arguments.size() > 1 || final;
    if (const auto* structure = receiver.structure()) {
      for (const auto& [field, value] : structure->fields) {
        if (field != name) continue;
        if (has_arguments) {
          return At(node, name + " has arguments but cannot be invoked as function");
        }
        return value;
      }
    }
    if (const auto* map = receiver.map()) {
      if (has_arguments) return At(node, name + " is not a method but has arguments");
      const Value* value = map->Find(name);
      return value ? *value : map->missing;
    }
    return At(node, "can't evaluate field " + name + " in type " + std::string(TypeName(receiver)));
  }

  // `node` names the function, `call` is all of the call.
  Result<Value> CallFunction(const Value& dot, const Function& function, const Value* receiver,
                             const Node& node, const Node& call, Arguments words,
                             const Value* final) {
    const Signature signature(function.parameters);
    const Arguments arguments = words.empty() ? words : words.subspan(1);
    const std::size_t given = arguments.size() + (final ? 1 : 0);
    if (auto status = CheckCount(node, function, signature, given); !status) {
      return Fail(status.error());
    }
    if (function.name == "and" || function.name == "or") {
      return ShortCircuit(dot, function.name == "or", arguments, final);
    }
    std::vector<Value> values;
    if (receiver) values.push_back(*receiver);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      auto value = Argument(dot, signature.Letter(i), *arguments[i]);
      if (!value) return value;
      values.push_back(*std::move(value));
    }
    if (final) {
      const char letter = signature.Letter(arguments.size());
      if (!FitsParameter(*final, letter)) return At(node, Misfit(*final, letter));
      values.push_back(*final);
    }
    auto result = function.call(execution_.environment, values);
    if (!result) {
      return At(call,
                "error calling " + std::string(function.name) + ": " + result.error().message());
    }
    return Bounded(node, *std::move(result));
  }

  Status CheckCount(const Node& node, const Function& function, const Signature& signature,
                    std::size_t given) {
    const std::string name(function.name);
    const auto fixed = signature.fixed();
    if (signature.variadic ? given >= fixed : given == fixed) return Ok();
    return At(node, "wrong number of args for " + name + ": want " +
                        (signature.variadic ? "at least " : "") + std::to_string(fixed) + " got " +
                        std::to_string(given));
  }

  // The first argument that decides, or the last; those after it are not evaluated.
  Result<Value> ShortCircuit(const Value& dot, bool decides, Arguments arguments,
                             const Value* final) {
    Value value;
    for (const auto& argument : arguments) {
      auto next = Argument(dot, 'a', *argument);
      if (!next) return next;
      value = *std::move(next);
      if (IsTrue(value) == decides) return value;
    }
    return final ? *final : value;
  }

  // No value may outgrow the output: doubling a string in a loop ends here.
  Result<Value> Bounded(const Node& node, Value value) {
    const auto* text = value.string();
    const auto* list = value.list();
    if ((text && text->size() > execution_.limits.output) ||
        (list && list->items.size() > execution_.limits.output / 16)) {
      return At(node, "exceeded maximum size of a value");
    }
    return value;
  }

  // An argument for a parameter of that letter.
  Result<Value> Argument(const Value& dot, char letter, const Node& node) {
    if (node.kind == Kind::kConstant) {
      auto constant = FitConstant(node, letter);
      if (!constant) return At(node, constant.error());
      return *std::move(constant);
    }
    if (node.kind == Kind::kNil) {
      if (letter == 'a' || letter == 'n') return Value();
      return At(node, "cannot assign nil to " + std::string(ParameterType(letter)));
    }
    auto value = Operand(dot, node);
    if (!value || FitsParameter(*value, letter)) return value;
    return At(node, Misfit(*value, letter));
  }

  Result<Value> Operand(const Value& dot, const Node& node) {
    switch (node.kind) {
      case Kind::kDot:
        return dot;
      case Kind::kField:
        return Fields(dot, dot, node, node.names, {}, nullptr);
      case Kind::kVariable:
        return Variable(dot, node, {}, nullptr);
      case Kind::kChain:
        return Chain(dot, node, {}, nullptr);
      case Kind::kIdentifier:
        return CallFunction(dot, *node.function, nullptr, node, node, {}, nullptr);
      case Kind::kPipe:
        return Pipeline(dot, node);
      default:
        return At(node, "can't handle " + node.ToString());
    }
  }

  const Execution& execution_;
  const Tree* tree_ = nullptr;
  std::vector<std::pair<std::string, Value>> variables_;  // innermost last
  std::string out_;
  std::size_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::string> Execute(const Execution& execution) { return Evaluator(execution).Run(); }

}  // namespace vigia::alerting::templates
