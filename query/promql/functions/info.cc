// info(): adds the labels of info metrics (target_info) to series of the same instance and job.

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"
#include "query/promql/regex.h"

namespace vigia::promql {
namespace {

constexpr std::array<std::string_view, 2> kIdentifyingLabels{"instance", "job"};
constexpr std::string_view kDefaultInfo = "target_info";

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

class InfoJoin {
 public:
  InfoJoin(Evaluator& evaluator, const Call& call, const Steps& steps)
      : evaluator_(evaluator), context_(evaluator.context()), call_(call), steps_(steps) {
    if (call.args.size() > 1) {
      const auto& selector = static_cast<const VectorSelector&>(Unwrap(*call.args[1]));
      for (const auto& matcher : selector.matchers) {
        (matcher.name == kMetricName ? name_matchers_ : data_matchers_).push_back(matcher);
      }
    }
    ignores_info_ = call.args.size() == 1 || !name_matchers_.empty();
    if (name_matchers_.empty()) {
      name_matchers_.push_back(
          {Matcher::Op::kEqual, std::string(kMetricName), std::string(kDefaultInfo)});
    }
  }

  CallResult Run() {
    auto base = evaluator_.EvalVector(*call_.args[0], steps_);
    if (!base) return Fail(base.error());
    base->RemoveDroppedNames();
    if (auto status = FetchInfo(*base); !status) return Fail(status.error());
    for (std::size_t row = 0; row < base->rows(); ++row) {
      if (auto status = Join(*base, row); !status) return Fail(status.error());
    }
    if (auto status = MergeEqualRows(out_); !status) return Fail(status.error());
    return std::move(out_);
  }

 private:
  using Key = std::string;

  // Info series are left as they are.
  bool IsInfo(const Labels& labels) const {
    return ignores_info_ &&
           std::all_of(name_matchers_.begin(), name_matchers_.end(), [&](const Matcher& matcher) {
             return FitsValue(matcher, labels.MetricName(), context_.settings.semantics);
           });
  }

  static Key KeyOf(std::string_view metric, const Labels& labels) {
    Key key(metric);
    for (const auto name : kIdentifyingLabels) (key += '\xff') += labels.Get(name);
    return key;
  }

  QueryStatus FetchInfo(const Vector& base) {
    std::map<std::string_view, std::set<std::string_view>> identities;
    for (const auto& labels : base.labels) {
      if (IsInfo(labels)) continue;
      for (const auto name : kIdentifyingLabels) {
        if (labels.Has(name)) identities[name].insert(labels.Get(name));
      }
    }
    if (identities.empty()) return {};
    std::vector<Matcher> matchers = name_matchers_;
    matchers.insert(matchers.end(), data_matchers_.begin(), data_matchers_.end());
    for (const auto& [name, values] : identities) {
      std::string pattern;
      for (const auto value : values) (pattern += pattern.empty() ? "" : "|") += Escaped(value);
      matchers.push_back({Matcher::Op::kRegex, std::string(name), std::move(pattern)});
    }
    const TimeRange range{steps_.start - context_.settings.lookback, steps_.last()};
    auto series = evaluator_.Select(matchers, range);
    if (!series) return Fail(series.error());
    std::vector<Timestamp> times(steps_.count);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = steps_.At(i);
    // Their times decide which of two info series of one target is the newer.
    auto info = evaluator_.SampleSeries(*series, times, range, true);
    if (!info) return Fail(info.error());
    info_ = std::move(*info);
    for (std::size_t row = 0; row < info_.rows(); ++row) {
      const auto name = info_.labels[row].MetricName();
      info_names_.insert(std::string(name));
      info_rows_[KeyOf(name, info_.labels[row])].push_back(row);
    }
    return {};
  }

  // The newest info series of a target at a step.
  QueryResult<std::optional<std::size_t>> Newest(const std::vector<std::size_t>& rows,
                                                 std::size_t step) const {
    std::optional<std::size_t> best;
    for (const std::size_t row : rows) {
      const double time = info_.Row(row)[step];
      if (IsAbsent(time)) continue;
      const double best_time = best ? info_.Row(*best)[step] : -kInfinity;
      if (best && time == best_time) {
        const auto at = std::to_string(static_cast<std::int64_t>(time * 1000));
        return ExecutionError("found duplicate series for info metric: existing " +
                              info_.labels[*best].ToString() + " @ " + at + ", new " +
                              info_.labels[row].ToString() + " @ " + at);
      }
      if (time > best_time) best = row;
    }
    return best;
  }

  QueryStatus Join(const Vector& base, std::size_t row) {
    const Labels& labels = base.labels[row];
    const auto values = base.Row(row);
    if (IsInfo(labels)) {
      out_.Append(base, row);
      return {};
    }
    std::vector<const std::vector<std::size_t>*> candidates;
    for (const auto& name : info_names_) {
      const auto at = info_rows_.find(KeyOf(name, labels));
      if (at != info_rows_.end()) candidates.push_back(&at->second);
    }
    // The same info series stay together for most steps: one row of output for each combination.
    std::map<std::vector<std::size_t>, std::size_t> rows;
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsAbsent(values[step])) continue;
      std::vector<std::size_t> infos;
      for (const auto* candidate : candidates) {
        auto newest = Newest(*candidate, step);
        if (!newest) return Fail(newest.error());
        if (*newest) infos.push_back(**newest);
      }
      if (infos.empty() && NeedsInfo()) continue;
      const auto [at, added] = rows.try_emplace(infos, out_.rows());
      if (added) {
        auto joined = Joined(labels, infos);
        if (!joined) return Fail(joined.error());
        out_.Append(std::move(*joined));
      }
      out_.Row(at->second)[step] = values[step];
    }
    return {};
  }

  // Whether a series without info series is left out.
  bool NeedsInfo() const {
    return std::any_of(data_matchers_.begin(), data_matchers_.end(), [&](const Matcher& matcher) {
      return !FitsValue(matcher, "", context_.settings.semantics);
    });
  }

  bool IsWanted(std::string_view label) const {
    return data_matchers_.empty() ||
           std::any_of(data_matchers_.begin(), data_matchers_.end(),
                       [&](const Matcher& matcher) { return matcher.name == label; });
  }

  QueryResult<Labels> Joined(const Labels& base, const std::vector<std::size_t>& infos) const {
    LabelsBuilder added;
    for (const std::size_t row : infos) {
      for (const auto [name, value] : info_.labels[row]) {
        if (name == kMetricName || !IsWanted(name)) continue;
        const auto before = added.Get(name);
        if (!before.empty() && before != value) {
          return ExecutionError("conflicting label: " + std::string(name));
        }
        if (!base.Has(name)) added.Set(name, value);
      }
    }
    LabelsBuilder builder(base);
    const Labels more = added.Build();
    for (const auto [name, value] : more) builder.Set(name, value);
    return builder.Build();
  }

  Evaluator& evaluator_;
  Context& context_;
  const Call& call_;
  const Steps& steps_;
  std::vector<Matcher> name_matchers_;
  std::vector<Matcher> data_matchers_;
  bool ignores_info_ = false;
  Vector info_;
  std::set<std::string> info_names_;
  std::unordered_map<Key, std::vector<std::size_t>> info_rows_;
  Vector out_{steps_.count};
};

}  // namespace

CallResult Info(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return InfoJoin(evaluator, call, steps).Run();
}

}  // namespace vigia::promql
