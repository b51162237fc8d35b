#include "alerting/rules/data_states.h"

#include <algorithm>

#include "query/promql/functions/function.h"
#include "query/promql/regex.h"

namespace vigia::alerting::rules {
namespace {

using promql::NodeKind;
using Names = std::set<std::string, std::less<>>;

void AddText(const promql::Expr& expr, Names& names) {
  if (expr.kind == NodeKind::kString) {
    names.insert(static_cast<const promql::StringLiteral&>(expr).value);
  }
}

// Labels whose value in a result is not that of the series it was computed from.
void CollectSetLabels(const promql::Expr& expr, Names& names) {
  if (expr.kind == NodeKind::kCall) {
    const auto& call = static_cast<const promql::Call&>(expr);
    const auto name = call.function.name;
    if ((name == "label_replace" || name == "label_join") && call.args.size() > 1) {
      AddText(promql::Unwrap(*call.args[1]), names);
    }
  } else if (expr.kind == NodeKind::kAggregate) {
    const auto& aggregate = static_cast<const promql::Aggregate&>(expr);
    if (aggregate.op == promql::Token::kCountValues && aggregate.parameter) {
      AddText(promql::Unwrap(*aggregate.parameter), names);
    }
  } else if (expr.kind == NodeKind::kBinary) {
    const auto& binary = static_cast<const promql::Binary&>(expr);
    if (binary.matching) {
      names.insert(binary.matching->include.begin(), binary.matching->include.end());
    }
  }
  promql::VisitChildren(expr, [&](const promql::Expr& child) { CollectSetLabels(child, names); });
}

// A selector and how far back it looks.
struct Reach {
  const promql::VectorSelector* selector;
  std::int64_t window;
};

void CollectReaches(const promql::Expr& expr, std::int64_t window, std::vector<Reach>& out) {
  if (expr.kind == NodeKind::kVectorSelector) {
    out.push_back({static_cast<const promql::VectorSelector*>(&expr), window});
    return;
  }
  if (expr.kind == NodeKind::kMatrixSelector) {
    window += static_cast<const promql::MatrixSelector&>(expr).window;
  } else if (expr.kind == NodeKind::kSubquery) {
    window += static_cast<const promql::Subquery&>(expr).window;
  }
  promql::VisitChildren(expr,
                        [&](const promql::Expr& child) { CollectReaches(child, window, out); });
}

Timestamp TimeOf(const promql::TimeShift& shift, Timestamp time) {
  return (shift.at == promql::TimeShift::At::kTime ? shift.time : time) - shift.offset;
}

// What the newest of `samples` says at `time`.
DataState Judge(const Columns& samples, Timestamp time, const DataStates::Options& options) {
  if (samples.size() == 0) return DataState::kGone;
  const double value = samples.values.back();
  if (IsUnknown(value)) return DataState::kUnknown;
  if (IsGone(value)) return DataState::kGone;
  if (samples.times.back() > time - options.lookback) return DataState::kPresent;
  const Timestamp last = samples.times.back();
  const bool restarted =
      last < options.started && options.time < options.started + options.lookback;
  const bool ended_before = options.stopped != 0 && last <= options.stopped - options.lookback;
  return restarted && !ended_before ? DataState::kUnknown : DataState::kGone;
}

void AppendKey(std::string& key, std::string_view text) {
  key += text;
  key += '\xff';
}

// The worst news counts: one unknown series makes a sum unknown.
DataState Worse(DataState a, DataState b) {
  if (a == DataState::kUnknown || b == DataState::kUnknown) return DataState::kUnknown;
  if (a == DataState::kPresent || b == DataState::kPresent) return DataState::kPresent;
  return DataState::kGone;
}

}  // namespace

Result<DataStates> DataStates::Read(const SeriesSource& source, const promql::ParsedQuery& query,
                                    const Options& options) {
  // Far enough to see what was there before a restart.
  constexpr std::int64_t kBeforeRestart = std::int64_t{24} * 3600 * 1000;
  const bool restarted = options.started != 0 && options.time < options.started + options.lookback;
  DataStates out;
  CollectSetLabels(query.root(), out.set_by_query_);
  std::vector<Reach> reaches;
  CollectReaches(query.root(), 0, reaches);
  Columns samples;
  for (const auto& [selector, window] : reaches) {
    const Timestamp time = TimeOf(selector->shift, options.time);
    const std::int64_t back = std::max(options.lookback, window) + (restarted ? kBeforeRestart : 0);
    std::vector<Matcher> matchers = selector->matchers;
    for (auto& matcher : matchers) {
      if (matcher.op == Matcher::Op::kRegex || matcher.op == Matcher::Op::kNotRegex) {
        matcher.value = promql::PatternForSource(matcher.value, query.semantics());
      }
    }
    auto series = source.Select(matchers, {time - back, time});
    if (!series) return Fail(series.error());
    Table& table = out.tables_.emplace_back();
    table.series.reserve(series->size());
    for (const auto& one : *series) {
      samples.Clear();
      if (auto status = one->Read(time - back, time, samples); !status) {
        return Fail(status.error());
      }
      const auto state = Judge(samples, time, options);
      out.any_unknown_ = out.any_unknown_ || state == DataState::kUnknown;
      table.series.push_back({one->labels(), state});
    }
  }
  return out;
}

DataState DataStates::Of(const Labels& result, const Names& overridden) {
  bool gone = false;
  for (auto& table : tables_) {
    const auto state = Of(table, result, overridden);
    if (state == DataState::kUnknown) return state;
    gone = gone || state == DataState::kGone;
  }
  return gone ? DataState::kGone : DataState::kPresent;
}

DataState DataStates::Of(Table& table, const Labels& result, const Names& overridden) {
  // Names of the result that can be compared at all.
  std::vector<std::string_view> names;
  std::string schema;
  for (const auto [name, value] : result) {
    if (name == kMetricName || overridden.contains(name) || set_by_query_.contains(name)) continue;
    names.push_back(name);
    AppendKey(schema, name);
  }
  auto [join, fresh] = table.joins.try_emplace(std::move(schema));
  std::string key;
  if (fresh) {
    for (const auto& [labels, state] : table.series) {
      key.clear();
      for (const auto name : names) AppendKey(key, labels.Get(name));
      const auto [at, first] = join->second.try_emplace(key, state);
      if (!first) at->second = Worse(at->second, state);
    }
  }
  // A series that lacks one of the labels fits any value of it: tried with each name left out
  // in turn only where the exact values are not found.
  key.clear();
  for (const auto name : names) AppendKey(key, result.Get(name));
  if (const auto at = join->second.find(key); at != join->second.end()) return at->second;
  DataState state = DataState::kGone;
  bool related = false;
  for (const auto& [labels, one] : table.series) {
    const bool fits = std::all_of(names.begin(), names.end(), [&, &own = labels](auto name) {
      const auto value = own.Get(name);
      return value.empty() || value == result.Get(name);
    });
    if (!fits) continue;
    state = related ? Worse(state, one) : one;
    related = true;
  }
  join->second.emplace(std::move(key), state);
  return state;
}

}  // namespace vigia::alerting::rules
