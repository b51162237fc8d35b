#include "alerting/explain/expression.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "alerting/explain/pairs.h"
#include "alerting/explain/selector.h"
#include "core/number.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/printer.h"

namespace vigia::alerting::explain {
namespace {

using promql::InstantVector;
using promql::NodeKind;

// Parts evaluated: each costs a query.
constexpr std::size_t kMostQueries = 100;
constexpr std::size_t kMostText = 500;

std::string Shortened(const promql::Expr& expr) {
  std::string text = promql::ToString(expr);
  if (text.size() <= kMostText) return text;
  text.resize(kMostText);
  // Not in the middle of a character.
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  return text + "...";
}

bool Holds(promql::Token op, double left, double right) {
  switch (op) {
    case promql::Token::kEqlc:
      return left == right;
    case promql::Token::kNeq:
      return left != right;
    case promql::Token::kLte:
      return left <= right;
    case promql::Token::kLss:
      return left < right;
    case promql::Token::kGte:
      return left >= right;
    default:
      return left > right;
  }
}

std::string Several(std::size_t count) {
  return count == 1 ? "the only series" : "all " + std::to_string(count) + " series";
}

// Without the noise of the subtraction's last digits.
std::string Difference(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

// "{i="a"}: 3 > 5 misses by 2".
std::string NearestText(const Compared& one, std::string_view op) {
  std::string out = one.labels.empty() ? "" : one.labels.ToString() + ": ";
  out += FormatDouble(one.left) + " " + std::string(op) + " " + FormatDouble(one.right);
  if (std::isnan(one.by())) return out + " compares with NaN";
  return one.left == one.right ? out + " are equal" : out + " misses by " + Difference(one.by());
}

// Walks the tree. Each step returns why its part has no result; empty where it has one.
class Walk {
 public:
  explicit Walk(const Question& question)
      : question_(question), deadline_(Deadline::After(SystemClock(), question.timeout)) {}

  Explanation Explain(const promql::Expr& root) {
    const auto result = Evaluate(root, question_.time);
    out_.cause = Part(root, question_.time);
    out_.series = result ? result->size() : 0;
    if (out_.series > 0) out_.cause.clear();
    if (!error_.empty() && out_.series == 0) out_.cause = error_;
    return std::move(out_);
  }

 private:
  std::string Part(const promql::Expr& expr, Timestamp time) {
    switch (expr.kind) {
      case NodeKind::kNumber:
      case NodeKind::kString:
        return {};
      case NodeKind::kVectorSelector:
        return Selector(static_cast<const promql::VectorSelector&>(expr), 0, expr, time);
      case NodeKind::kMatrixSelector: {
        const auto& matrix = static_cast<const promql::MatrixSelector&>(expr);
        return Selector(*matrix.selector, matrix.window, expr, time);
      }
      case NodeKind::kSubquery: {
        const auto& subquery = static_cast<const promql::Subquery&>(expr);
        return Part(*subquery.expr, time - subquery.shift.offset);
      }
      case NodeKind::kUnary:
        return Part(*static_cast<const promql::Unary&>(expr).expr, time);
      case NodeKind::kParen:
        return Part(*static_cast<const promql::Paren&>(expr).expr, time);
      case NodeKind::kAggregate:
        return Part(*static_cast<const promql::Aggregate&>(expr).expr, time);
      case NodeKind::kBinary:
        return Binary(static_cast<const promql::Binary&>(expr), time);
      case NodeKind::kCall:
        return Call(static_cast<const promql::Call&>(expr), time);
    }
    return {};
  }

  std::string Selector(const promql::VectorSelector& selector, std::int64_t window,
                       const promql::Expr& whole, Timestamp time) {
    if (!Room()) return {};
    auto found = ExplainSelector(question_, selector, window, time);
    found.finding.kind = Finding::Kind::kSelector;
    found.finding.expression = Shortened(whole);
    std::string cause;
    if (!found.cause.empty()) cause = found.finding.expression + ": " + found.cause;
    out_.findings.push_back(std::move(found.finding));
    return cause;
  }

  std::string Call(const promql::Call& call, Timestamp time) {
    std::string cause;
    for (const auto& arg : call.args) {
      auto one = Part(*arg, time);
      if (cause.empty()) cause = std::move(one);
    }
    if (call.type != promql::ValueType::kVector) return {};
    const auto result = Evaluate(call, time);
    if (!result || !result->empty()) return {};
    if (call.function.name.starts_with("absent")) {
      return Told(Finding::Kind::kFunction, call,
                  "gives nothing, because there is what it looks for");
    }
    if (!cause.empty()) return cause;
    const bool ranged = std::any_of(call.args.begin(), call.args.end(), [](const auto& arg) {
      return arg->type == promql::ValueType::kMatrix;
    });
    return Told(Finding::Kind::kFunction, call,
                ranged ? "gives nothing: no series has enough samples in the range"
                       : "gives nothing for these series");
  }

  std::string Binary(const promql::Binary& binary, Timestamp time) {
    const auto left_cause = Part(*binary.left, time);
    const auto right_cause = Part(*binary.right, time);
    if (binary.type == promql::ValueType::kScalar) return {};
    const auto left = Evaluate(*binary.left, time);
    const auto right = Evaluate(*binary.right, time);
    if (!left || !right) return {};
    if (binary.op == promql::Token::kOr) {
      if (!left->empty() || !right->empty()) return {};
      return left_cause == right_cause ? left_cause : left_cause + "; and " + right_cause;
    }
    if (left->empty()) return left_cause;
    if (binary.op == promql::Token::kUnless) return Unless(binary, *left, *right, time);
    if (right->empty() && !Fills(binary)) return right_cause;
    if (promql::IsComparison(binary.op) && !binary.return_bool) {
      return Comparison(binary, *left, *right);
    }
    return Matched(binary, *left, *right, time);
  }

  // Whether one side may be missing.
  static bool Fills(const promql::Binary& binary) {
    return binary.matching && (binary.matching->fill_left || binary.matching->fill_right);
  }

  std::string Unless(const promql::Binary& binary, const InstantVector& left,
                     const InstantVector& right, Timestamp time) {
    const auto result = Evaluate(binary, time);
    if (!result || !result->empty()) return {};
    return Told(Finding::Kind::kMatch, binary,
                "the right side (" + std::to_string(right.size()) + " series) takes away " +
                    Several(left.size()) + " of the left one");
  }

  std::string Matched(const promql::Binary& binary, const InstantVector& left,
                      const InstantVector& right, Timestamp time) {
    if (!binary.matching) return {};
    const auto result = Evaluate(binary, time);
    if (!result || !result->empty()) return {};
    return NoPartners(binary, left, right);
  }

  std::string NoPartners(const promql::Binary& binary, const InstantVector& left,
                         const InstantVector& right) {
    std::string text = "none of " + std::to_string(left.size()) +
                       " series of the left side has a partner among " +
                       std::to_string(right.size()) + " of the right one";
    const auto miss = NearestMiss(left, right, *binary.matching);
    if (!miss.empty()) text += ": in the nearest pair " + miss;
    return Told(Finding::Kind::kMatch, binary, std::move(text));
  }

  // What is compared, by the labels of the result.
  static std::vector<Compared> Compare(const promql::Binary& binary, const InstantVector& left,
                                       const InstantVector& right) {
    std::vector<Compared> out;
    const auto add = [&](const Labels& labels, double a, double b) {
      out.push_back({labels, a, b, Holds(binary.op, a, b)});
    };
    if (binary.matching) {
      const bool many_right = binary.matching->card == promql::VectorMatching::Card::kOneToMany;
      for (const auto& [a, b] : PairsOf(left, right, *binary.matching)) {
        add(many_right ? b->labels : a->labels, a->value, b->value);
      }
    } else if (binary.left->type == promql::ValueType::kScalar) {
      for (const auto& sample : right) add(sample.labels, left.front().value, sample.value);
    } else {
      for (const auto& sample : left) add(sample.labels, sample.value, right.front().value);
    }
    return out;
  }

  std::string Comparison(const promql::Binary& binary, const InstantVector& left,
                         const InstantVector& right) {
    auto all = Compare(binary, left, right);
    if (all.empty()) return binary.matching ? NoPartners(binary, left, right) : "";
    if (!Room()) return {};
    const auto held = static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& one) { return one.holds; }));
    // Those that hold, by how much; then those that come nearest.
    std::stable_sort(all.begin(), all.end(), [](const Compared& a, const Compared& b) {
      if (a.holds != b.holds) return a.holds;
      if (std::isnan(a.by()) || std::isnan(b.by()))
        return !std::isnan(a.by()) && std::isnan(b.by());
      return a.holds ? a.by() > b.by() : a.by() < b.by();
    });
    Finding finding{.kind = Finding::Kind::kComparison, .expression = Shortened(binary)};
    finding.series = held;
    finding.op = promql::Spelling(binary.op);
    finding.text = held > 0 ? "true for " + std::to_string(held) + " of " +
                                  std::to_string(all.size()) + " series"
                            : "false for " + Several(all.size()) + "; nearest " +
                                  NearestText(all.front(), finding.op);
    finding.compared.assign(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostSeries)));
    const std::string cause = held > 0 ? "" : finding.expression + " is " + finding.text;
    out_.findings.push_back(std::move(finding));
    return cause;
  }

  std::string Told(Finding::Kind kind, const promql::Expr& expr, std::string text) {
    std::string cause = Shortened(expr) + (kind == Finding::Kind::kMatch ? ": " : " ") + text;
    if (!Room()) return cause;
    Finding finding{.kind = kind, .expression = Shortened(expr)};
    finding.text = std::move(text);
    out_.findings.push_back(std::move(finding));
    return cause;
  }

  bool Room() {
    if (out_.findings.size() < kMostFindings) return true;
    out_.complete = false;
    return false;
  }

  // The samples that a part gives, a scalar as a vector of one; only those that were asked for.
  // Nothing if it cannot be evaluated.
  std::optional<InstantVector> Evaluate(const promql::Expr& expr, Timestamp time) {
    const auto left = deadline_.Left();
    if (++queries_ > kMostQueries || left <= Milliseconds(0)) {
      out_.complete = false;
      return std::nullopt;
    }
    // What is printed parses to the same tree.
    auto answer =
        question_.engine.Instant(question_.source, promql::ToString(expr), time, {.timeout = left});
    if (!answer) {
      if (error_.empty()) error_ = Shortened(expr) + ": " + answer.error().message;
      return std::nullopt;
    }
    if (const auto* scalar = std::get_if<promql::ScalarValue>(&answer->value)) {
      return InstantVector{{Labels(), time, scalar->value}};
    }
    auto* vector = std::get_if<InstantVector>(&answer->value);
    if (!vector) return std::nullopt;
    std::erase_if(*vector,
                  [&](const auto& sample) { return !Concerns(question_.about, sample.labels); });
    return std::move(*vector);
  }

  const Question& question_;
  const Deadline deadline_;
  std::size_t queries_ = 0;
  std::string error_;  // the first
  Explanation out_;
};

}  // namespace

double Compared::by() const { return std::abs(left - right); }

std::string_view Name(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kSelector:
      return "selector";
    case Finding::Kind::kComparison:
      return "comparison";
    case Finding::Kind::kMatch:
      return "match";
    case Finding::Kind::kFunction:
      return "function";
  }
  return "";
}

bool Concerns(const route::Matchers& about, const Labels& labels) {
  return std::all_of(about.begin(), about.end(), [&](const route::Matcher& matcher) {
    const auto value = labels.Get(matcher.name());
    return value.empty() || matcher.MatchesValue(value);
  });
}

Explanation ExplainExpression(const Question& question, const promql::Expr& root) {
  return Walk(question).Explain(root);
}

}  // namespace vigia::alerting::explain
