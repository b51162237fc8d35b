#include "query/promql/shared.h"

#include <algorithm>

#include "query/promql/functions/function.h"
#include "query/promql/syntax/printer.h"

namespace vigia::promql {
namespace {

using Names = std::set<std::string, std::less<>>;

bool MaySelect(const VectorSelector& selector, const Names& names) {
  return std::none_of(selector.matchers.begin(), selector.matchers.end(), [&](const auto& matcher) {
    return matcher.op == Matcher::Op::kEqual && matcher.name == kMetricName &&
           !names.contains(matcher.value);
  });
}

// info() reads series that no selector names.
bool AsksForInfo(const Expr& expr) {
  if (expr.kind == NodeKind::kCall && static_cast<const Call&>(expr).function.name == "info") {
    return true;
  }
  bool below = false;
  VisitChildren(expr, [&](const Expr& child) { below = below || AsksForInfo(child); });
  return below;
}

bool IsShareable(const Expr& expr, const Names& written) {
  if (expr.type != ValueType::kVector || expr.kind == NodeKind::kParen || AsksForInfo(expr)) {
    return false;
  }
  const auto selectors = SelectorsOf(expr);
  return !selectors.empty() &&
         std::none_of(selectors.begin(), selectors.end(),
                      [&](const auto* selector) { return MaySelect(*selector, written); });
}

// Walks the queries in the order of evaluation: what stands below an expression that is known
// already is not evaluated again.
class Survey {
 public:
  explicit Survey(const Names& written) : written_(written) {}

  void Visit(const Expr& expr) {
    // At other instants, or not evaluated by itself.
    if (expr.kind == NodeKind::kSubquery || expr.kind == NodeKind::kMatrixSelector) return;
    if (IsShareable(expr, written_)) {
      auto& places = places_[ToString(expr)];
      places.push_back(&expr);
      if (places.size() > 1) return;
    }
    VisitChildren(expr, [this](const Expr& child) { Visit(child); });
  }

  // By their text.
  const std::unordered_map<std::string, std::vector<const Expr*>>& places() const {
    return places_;
  }

 private:
  const Names& written_;
  std::unordered_map<std::string, std::vector<const Expr*>> places_;
};

}  // namespace

Shared::Shared(std::span<const ParsedQuery* const> queries, const Names& written) {
  Survey survey(written);
  for (const auto* query : queries) survey.Visit(query->root());
  for (const auto& [text, places] : survey.places()) {
    if (places.size() < 2) continue;
    for (const auto* expr : places) places_.emplace(expr, slots_.size());
    slots_.emplace_back().uses = places.size();
  }
}

Shared::Slot* Shared::Find(const Expr& expr) {
  const auto at = places_.find(&expr);
  return at == places_.end() ? nullptr : &slots_[at->second];
}

void Shared::Forget() {
  for (auto& slot : slots_) {
    if (slot.left == 0) continue;
    slot.left = 0;
    slot.result = Vector();
  }
}

}  // namespace vigia::promql
