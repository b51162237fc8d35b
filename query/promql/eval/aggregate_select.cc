// topk, bottomk, limitk, limit_ratio and count_values.

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/hash.h"
#include "core/text/utf8.h"
#include "query/promql/eval/aggregate.h"
#include "query/promql/eval/matching.h"
#include "query/promql/format.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

// Rows of the groups, in order.
std::vector<std::vector<std::size_t>> Members(const Vector& vector, const Groups& groups) {
  std::vector<std::vector<std::size_t>> members(groups.count());
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    members[groups.of_row[row]].push_back(row);
  }
  return members;
}

// What topk(k, ...) takes at each step; an error where k is no number of series.
QueryResult<std::vector<std::size_t>> Counts(const ScalarColumn& parameter, std::size_t rows,
                                             bool is2) {
  std::vector<std::size_t> counts;
  const bool any =
      std::any_of(parameter.begin(), parameter.end(), [](double k) { return !(k < 1); });
  for (const double k : parameter) {
    if (!any && !is2) {
      counts.push_back(0);  // Prometheus 3 looks no further
    } else if (std::isnan(k) && !is2) {
      return ExecutionError("Parameter value is NaN");
    } else if (is2 && !(k <= kTwoTo63 && k >= -kTwoTo63)) {
      return ExecutionError("Scalar value " + FormatGeneral(k) + " overflows int64");
    } else if (!is2 && k <= -kTwoTo63) {
      return ExecutionError("Scalar value " + FormatGeneral(k) + " underflows int64");
    } else if (!is2 && k >= kTwoTo63) {
      return ExecutionError("Scalar value " + FormatGeneral(k) + " overflows int64");
    } else {
      counts.push_back(k < 1 ? 0 : std::min(rows, static_cast<std::size_t>(std::min(k, 1e15))));
    }
  }
  return counts;
}

// The `count` rows with the largest (or smallest) values at a step, best first. Of equal values
// the earlier rows win.
void TakeExtremes(const Vector& vector, std::vector<std::size_t>& rows, std::size_t step,
                  std::size_t count, bool largest) {
  const auto better = [&](std::size_t a, std::size_t b) {
    const double x = vector.Row(a)[step];
    const double y = vector.Row(b)[step];
    if (std::isnan(x) || std::isnan(y)) {
      if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
      return a < b;
    }
    if (x != y) return largest ? x > y : x < y;
    return a < b;
  };
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, rows.size()));
  std::partial_sort(rows.begin(), middle, rows.end(), better);
  rows.erase(middle, rows.end());
}

// Where the series lies in [0, 1), the same every time.
double Share(const Labels& labels) {
  std::string key;
  for (const auto [name, value] : labels) {
    ((key += name) += '\xff') += value;
    key += '\xff';
  }
  return static_cast<double>(HashBytes(key)) /
         static_cast<double>(std::numeric_limits<std::uint64_t>::max());
}

bool IsWithin(double share, double ratio) {
  ratio = std::clamp(ratio, -1.0, 1.0);
  return ratio >= 0 ? share < ratio : share >= 1 + ratio;
}

QueryResult<Vector> TakeRatio(const Aggregate& aggregate, Vector vector,
                              const ScalarColumn& parameter, Context& context) {
  const auto [least, most] = std::minmax_element(parameter.begin(), parameter.end());
  if (*least == 0 && *most == 0) return Vector(vector.steps);
  for (const double ratio : parameter) {
    if (std::isnan(ratio)) return ExecutionError("Ratio value is NaN");
  }
  for (const double bad : {*most, *least}) {
    if (std::abs(bad) <= 1) continue;
    context.annotations.Warn("ratio value should be between -1 and 1, got " + FormatGeneral(bad) +
                                 ", capping to " + (bad > 0 ? "1" : "-1"),
                             aggregate.parameter->range);
  }
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const double share = Share(vector.LabelsOf(row));
    const auto values = vector.Row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (parameter[i] == 0 || !IsWithin(share, parameter[i])) values[i] = Absent();
    }
  }
  return vector;
}

// The chosen rows at each step: `chosen(step, row)` in the order of choice.
template <typename Choose>
Vector Chosen(const Vector& vector, const Groups& groups, Choose&& choose) {
  const auto members = Members(vector, groups);
  Vector out(vector.steps);
  out.name_dropped = vector.name_dropped;
  out.unique_without_name = vector.unique_without_name;
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> out_rows(vector.rows(), kNone);
  std::vector<std::size_t> rows;
  for (const auto& group : members) {
    for (std::size_t step = 0; step < vector.steps; ++step) {
      rows.clear();
      for (const std::size_t row : group) {
        if (IsPresent(vector.Row(row)[step])) rows.push_back(row);
      }
      choose(rows, step);
      for (const std::size_t row : rows) {
        if (out_rows[row] == kNone) {
          out_rows[row] = out.rows();
          out.Append(vector.labels[row]);
        }
        out.Row(out_rows[row])[step] = vector.Row(row)[step];
      }
    }
  }
  return out;
}

}  // namespace

QueryResult<Vector> AggregateSelection(const Aggregate& aggregate, Vector vector,
                                       const Groups& groups, const ScalarColumn& parameter,
                                       Context& context) {
  if (aggregate.op == Token::kLimitRatio) {
    return TakeRatio(aggregate, std::move(vector), parameter, context);
  }
  const auto counts = Counts(parameter, vector.rows(), context.is2());
  if (!counts) return Fail(counts.error());
  return Chosen(vector, groups, [&](std::vector<std::size_t>& rows, std::size_t step) {
    const std::size_t count = (*counts)[step];
    if (aggregate.op == Token::kLimitk) {
      rows.resize(std::min(rows.size(), count));
    } else {
      TakeExtremes(vector, rows, step, count, aggregate.op == Token::kTopk);
    }
  });
}

namespace {

// Counts how often each value occurs in each group.
class ValueCounter {
 public:
  ValueCounter(const Aggregate& aggregate, const std::string& label, const Vector& vector,
               Context& context)
      : label_(label), vector_(vector), context_(context), out_(vector.steps) {
    const auto& names = aggregate.grouping;
    // `without` the very label of the values counts all of them together.
    one_for_all_ = aggregate.without && std::find(names.begin(), names.end(), label) != names.end();
    tables_.emplace_back(GroupRows(vector, aggregate.grouping, aggregate.without));
    if (context.is2() && !aggregate.without) AddTableOf2(names);
  }

  QueryResult<Vector> Run() {
    for (std::size_t row = 0; row < vector_.rows(); ++row) {
      if (auto status = context_.Check(); !status) return Fail(status.error());
      if (auto status = Count(row); !status) return Fail(status.error());
    }
    if (auto status = MergeEqualRows(out_); !status) return Fail(status.error());
    return std::move(out_);
  }

 private:
  static constexpr auto kNone = std::numeric_limits<std::size_t>::max();

  struct Table {
    explicit Table(Groups given) : groups(std::move(given)), rows(groups.count()) {}

    Groups groups;
    // By group: the row of the result for each value, as text.
    std::vector<std::unordered_map<std::string, std::size_t>> rows;
  };

  // Prometheus 2.42 appends the values' label to the grouping of the query itself and sorts it.
  // Where Go's slice has room for that (of 3, 5, 6 or 7 names), the greatest name is lost from the
  // second step on.
  void AddTableOf2(std::vector<std::string> names) {
    const std::size_t count = names.size();
    const auto greatest = std::max_element(names.begin(), names.end());
    if (count != 3 && !(count >= 5 && count <= 7)) return;
    if (*greatest < label_) return;
    names.erase(greatest);
    tables_.emplace_back(GroupRows(vector_, names, false));
  }

  QueryStatus Count(std::size_t row) {
    const auto values = vector_.Row(row);
    std::size_t out_row = kNone;
    double last = 0;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const double value = values[step];
      if (step == 1) out_row = kNone;  // of another table, perhaps
      if (IsAbsent(value)) continue;
      // Values repeat as a rule: only a change is written down and looked up.
      const bool same = std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(last);
      if (out_row == kNone || !same) {
        auto found = RowOf(step == 0 ? tables_.front() : tables_.back(), row, value);
        if (!found) return Fail(found.error());
        out_row = *found;
        last = value;
      }
      double& count = out_.Row(out_row)[step];
      count = IsAbsent(count) ? 1 : count + 1;
    }
    return {};
  }

  QueryResult<std::size_t> RowOf(Table& table, std::size_t row, double value) {
    const std::uint32_t group = table.groups.of_row[row];
    const std::string text = one_for_all_ ? std::string() : FormatFixed(value);
    const auto [at, added] = table.rows[group].try_emplace(text, out_.rows());
    if (added) {
      if (auto status = context_.CheckSize(out_.rows() + 1, out_.steps); !status) {
        return Fail(status.error());
      }
      out_.Append(LabelsBuilder(table.groups.labels[group]).Set(label_, text).Build());
    }
    return at->second;
  }

  const std::string& label_;
  const Vector& vector_;
  Context& context_;
  bool one_for_all_ = false;
  std::vector<Table> tables_;  // of the first step and of the others
  Vector out_;
};

}  // namespace

QueryResult<Vector> AggregateCountValues(const Aggregate& aggregate, Vector vector,
                                         Context& context) {
  const auto& label = static_cast<const StringLiteral&>(Unwrap(*aggregate.parameter)).value;
  const bool valid =
      context.is2() ? IsLegacyLabelName(label) : !label.empty() && text::IsUtf8(label);
  if (!valid) return ExecutionError("invalid label name " + Quote(label));
  vector.RemoveDroppedNames();
  // The values' label is written over.
  for (auto& labels : vector.labels) labels = LabelsBuilder(labels).Remove(label).Build();
  return ValueCounter(aggregate, label, vector, context).Run();
}

}  // namespace vigia::promql
