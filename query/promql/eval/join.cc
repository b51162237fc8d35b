#include "query/promql/eval/join.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <span>

#include "query/promql/eval/matching.h"
#include "query/promql/eval/operators.h"

namespace vigia::promql {
namespace {

using Card = VectorMatching::Card;

std::string SeriesText(const Vector& vector, std::size_t row) {
  return vector.LabelsOf(row).ToString();
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Evaluates a join. "Many" is the side that group_left points to (the left one for one-to-one),
// "one" the other.
class Joiner {
 public:
  Joiner(const Binary& binary, const Vector& left, const Vector& right, Context& context)
      : binary_(binary),
        matching_(*binary.matching),
        context_(context),
        swapped_(matching_.card == Card::kOneToMany),
        drops_name_(DropsName(binary.op, binary.return_bool, context.is2())),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right),
        fill_many_(swapped_ ? matching_.fill_right : matching_.fill_left),
        fill_one_(swapped_ ? matching_.fill_left : matching_.fill_right),
        signatures_(matching_.labels, matching_.on),
        many_numbers_(signatures_.Of(many_)),
        one_numbers_(signatures_.Of(one_)),
        out_(left.steps) {}

  QueryResult<Vector> Run();

 private:
  // What stands on the "one" side: a row, or several that never have a sample at the same time
  // and give results of the same labels.
  struct Partner {
    std::size_t row;
    std::span<const double> values;
  };
  // What may meet: of the same signature. A missing side is filled in by a constant.
  struct Pair {
    std::optional<std::size_t> many;
    const Partner* one;
    std::uint32_t signature;
  };

  QueryStatus CheckOneSide();
  QueryStatus CheckOneSide(const std::vector<std::size_t>& rows);
  void FindPartners();
  void MergePartners(const std::vector<std::size_t>& rows, std::vector<Partner>& out);
  QueryStatus FindPairs();
  QueryStatus CheckMatches();
  QueryStatus CheckMatches(std::span<const std::size_t> pairs);
  void Compute(const Pair& pair);
  Labels ResultLabels(const Pair& pair) const;
  // Whether a pair meets at a step (and for Prometheus 2 leaves a result).
  bool Meets(const Pair& pair, std::size_t step) const;
  // Whether somebody stands where a constant is to be filled in.
  bool IsTaken(const Pair& pair, std::size_t step) const;
  double ManyAt(const Pair& pair, std::size_t step) const {
    return pair.many ? many_.Row(*pair.many)[step] : fill_many_.value_or(Absent());
  }
  double OneAt(const Pair& pair, std::size_t step) const {
    return pair.one ? pair.one->values[step] : fill_one_.value_or(Absent());
  }
  // Steps at which the "many" side has any sample: where it has none, nothing is compared, and
  // nothing can be ambiguous.
  const std::vector<bool>& StepsWithMany();

  const Binary& binary_;
  const VectorMatching& matching_;
  Context& context_;
  const bool swapped_;
  const bool drops_name_;
  const Vector& many_;
  const Vector& one_;
  const std::optional<double> fill_many_;
  const std::optional<double> fill_one_;
  Signatures signatures_;
  const std::vector<std::uint32_t> many_numbers_;
  const std::vector<std::uint32_t> one_numbers_;
  // By signature.
  std::vector<std::vector<std::size_t>> one_rows_;
  std::vector<std::vector<std::size_t>> many_rows_;  // only to fill in
  std::vector<std::vector<Partner>> partners_;
  std::deque<std::vector<double>> merged_;  // values of partners that are several rows
  std::vector<Pair> pairs_;
  std::vector<Labels> pair_labels_;
  std::vector<bool> steps_with_many_;
  Vector out_;
};

const std::vector<bool>& Joiner::StepsWithMany() {
  if (!steps_with_many_.empty()) return steps_with_many_;
  steps_with_many_.resize(many_.steps);
  for (std::size_t row = 0; row < many_.rows(); ++row) {
    const auto values = many_.Row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (IsPresent(values[i])) steps_with_many_[i] = true;
    }
  }
  return steps_with_many_;
}

// On the "one" side a signature must not have two samples at a step.
QueryStatus Joiner::CheckOneSide() {
  one_rows_.resize(signatures_.size());
  for (std::size_t row = 0; row < one_.rows(); ++row) one_rows_[one_numbers_[row]].push_back(row);
  for (const auto& rows : one_rows_) {
    if (rows.size() < 2) continue;
    if (auto status = CheckOneSide(rows); !status) return status;
  }
  return {};
}

QueryStatus Joiner::CheckOneSide(const std::vector<std::size_t>& rows) {
  const bool always = fill_many_ || fill_one_;
  for (std::size_t step = 0; step < one_.steps; ++step) {
    if (!always && !StepsWithMany()[step]) continue;
    std::optional<std::size_t> first;
    for (const std::size_t row : rows) {
      if (IsAbsent(one_.Row(row)[step])) continue;
      if (!first) {
        first = row;
        continue;
      }
      return ExecutionError("found duplicate series for the match group " +
                            signatures_.LabelsOf(one_, row).ToString() + " on the " +
                            (swapped_ ? "left" : "right") + " hand-side of the operation: [" +
                            SeriesText(one_, row) + ", " + SeriesText(one_, *first) +
                            "];many-to-many matching not allowed: matching labels must be unique "
                            "on one side");
    }
  }
  return {};
}

// Series that took turns (a restart with another version) would make as many pairs with each
// series of the other side; those whose results are called the same become one.
void Joiner::MergePartners(const std::vector<std::size_t>& rows, std::vector<Partner>& out) {
  std::map<std::vector<std::string_view>, std::vector<double>*> by_included;
  for (const std::size_t row : rows) {
    std::vector<std::string_view> included;
    for (const auto& name : matching_.include) included.push_back(one_.LabelOf(row, name));
    auto& values = by_included[included];
    if (!values) {
      values = &merged_.emplace_back(one_.steps, Absent());
      out.push_back({row, *values});
    }
    const auto more = one_.Row(row);
    for (std::size_t i = 0; i < more.size(); ++i) {
      if (IsPresent(more[i])) (*values)[i] = more[i];
    }
  }
}

void Joiner::FindPartners() {
  partners_.resize(one_rows_.size());
  for (std::size_t i = 0; i < one_rows_.size(); ++i) {
    const auto& rows = one_rows_[i];
    if (rows.size() == 1) partners_[i].push_back({rows[0], one_.Row(rows[0])});
    if (rows.size() > 1) MergePartners(rows, partners_[i]);
  }
}

QueryStatus Joiner::FindPairs() {
  std::size_t count = fill_many_ ? one_.rows() : 0;
  for (const std::uint32_t signature : many_numbers_) {
    count += partners_[signature].size() + (fill_one_ ? 1 : 0);
  }
  if (auto status = context_.CheckSize(count, out_.steps); !status) return status;
  pairs_.reserve(count);
  for (std::size_t row = 0; row < many_.rows(); ++row) {
    const std::uint32_t signature = many_numbers_[row];
    for (const Partner& partner : partners_[signature]) {
      pairs_.push_back({row, &partner, signature});
    }
    // A partner may be missing at some steps only: the constant stands in there.
    if (fill_one_) pairs_.push_back({row, nullptr, signature});
  }
  if (!fill_many_) return {};
  many_rows_.resize(signatures_.size());
  for (std::size_t row = 0; row < many_.rows(); ++row) {
    many_rows_[many_numbers_[row]].push_back(row);
  }
  for (std::uint32_t signature = 0; signature < partners_.size(); ++signature) {
    for (const Partner& partner : partners_[signature]) {
      pairs_.push_back({std::nullopt, &partner, signature});
    }
  }
  return {};
}

bool Joiner::IsTaken(const Pair& pair, std::size_t step) const {
  if (!pair.one) {
    for (const Partner& partner : partners_[pair.signature]) {
      if (IsPresent(partner.values[step])) return true;
    }
  }
  if (!pair.many) {
    for (const std::size_t row : many_rows_[pair.signature]) {
      if (IsPresent(many_.Row(row)[step])) return true;
    }
  }
  return false;
}

bool Joiner::Meets(const Pair& pair, std::size_t step) const {
  const double many = ManyAt(pair, step);
  const double one = OneAt(pair, step);
  if (IsAbsent(many) || IsAbsent(one) || IsTaken(pair, step)) return false;
  if (!context_.is2() || binary_.return_bool || !IsComparison(binary_.op)) return true;
  const double left = swapped_ ? one : many;
  const double right = swapped_ ? many : one;
  return WithOperator(binary_.op, [&](auto op) { return op(left, right) != 0; });
}

Labels Joiner::ResultLabels(const Pair& pair) const {
  const Labels many =
      pair.many ? many_.labels[*pair.many] : signatures_.LabelsOf(one_, pair.one->row);
  const bool no_name = drops_name_ || (pair.many && many_.name_dropped);
  const bool one_to_one = matching_.card == Card::kOneToOne;
  std::vector<LabelView> kept;
  kept.reserve(many.size() + matching_.include.size());
  for (const auto label : many) {
    if (no_name && label.name == kMetricName) continue;
    if (one_to_one && Contains(matching_.labels, label.name) != matching_.on) continue;
    if (!matching_.include.empty() && Contains(matching_.include, label.name)) continue;
    kept.push_back(label);
  }
  if (matching_.include.empty()) return Labels::FromSorted(kept);
  for (const auto& name : matching_.include) {
    // Of group_left(__name__) too nothing is left with bool.
    if (binary_.return_bool && name == kMetricName) continue;
    if (pair.one) {
      kept.push_back({name, one_.LabelOf(pair.one->row, name)});
    } else if (matching_.on && Contains(matching_.labels, name)) {
      kept.push_back({name, many.Get(name)});
    }
  }
  return Labels::FromPairs(kept);
}

// Pairs of one signature must not meet at the same step: for one-to-one none at all, for
// many-to-one none whose results would have the same labels.
QueryStatus Joiner::CheckMatches() {
  std::vector<std::size_t> order(pairs_.size());
  std::iota(order.begin(), order.end(), 0);
  const bool one_to_one = matching_.card == Card::kOneToOne;
  const auto before = [&](std::size_t a, std::size_t b) {
    if (pairs_[a].signature != pairs_[b].signature) {
      return pairs_[a].signature < pairs_[b].signature;
    }
    return !one_to_one && pair_labels_[a].Hash() < pair_labels_[b].Hash();
  };
  if (!std::is_sorted(order.begin(), order.end(), before)) {
    std::sort(order.begin(), order.end(), before);
  }
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= order.size(); ++i) {
    if (i < order.size() && !before(order[i - 1], order[i])) continue;
    if (i - begin > 1) {
      if (auto status = CheckMatches({order.data() + begin, i - begin}); !status) return status;
    }
    begin = i;
  }
  return {};
}

QueryStatus Joiner::CheckMatches(std::span<const std::size_t> pairs) {
  for (std::size_t step = 0; step < out_.steps; ++step) {
    bool met = false;
    for (const std::size_t pair : pairs) {
      if (!Meets(pairs_[pair], step)) continue;
      if (met) {
        return ExecutionError(matching_.card == Card::kOneToOne
                                  ? "multiple matches for labels: many-to-one matching must be "
                                    "explicit (group_left/group_right)"
                                  : "multiple matches for labels: grouping labels must ensure "
                                    "unique matches");
      }
      met = true;
    }
  }
  return {};
}

void Joiner::Compute(const Pair& pair) {
  const auto row = out_.Row(out_.rows() - 1);
  const bool filled = !pair.many || !pair.one;
  WithOperator(binary_.op, [&](auto op) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double many = ManyAt(pair, i);
      const double one = OneAt(pair, i);
      if (IsAbsent(many) || IsAbsent(one) || (filled && IsTaken(pair, i))) continue;
      const double left = swapped_ ? one : many;
      const double right = swapped_ ? many : one;
      row[i] = Apply(op, left, right, left, binary_.return_bool);
    }
  });
}

QueryResult<Vector> Joiner::Run() {
  if (auto status = CheckOneSide(); !status) return Fail(status.error());
  FindPartners();
  if (auto status = FindPairs(); !status) return Fail(status.error());
  pair_labels_.reserve(pairs_.size());
  for (const auto& pair : pairs_) pair_labels_.push_back(ResultLabels(pair));
  if (auto status = CheckMatches(); !status) return Fail(status.error());
  out_.labels.reserve(pairs_.size());
  out_.values.reserve(pairs_.size() * out_.steps);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (i % 64 == 0) {
      if (auto status = context_.Check(); !status) return Fail(status.error());
    }
    out_.Append(pair_labels_[i]);
    Compute(pairs_[i]);
  }
  if (auto status = MergeEqualRows(out_); !status) return Fail(status.error());
  return std::move(out_);
}

// At which steps a signature occurs.
class Presence {
 public:
  Presence(const Vector& vector, const std::vector<std::uint32_t>& numbers, std::size_t signatures)
      : steps_(vector.steps), present_(signatures * vector.steps) {
    for (std::size_t row = 0; row < vector.rows(); ++row) {
      const auto values = vector.Row(row);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (IsPresent(values[i])) present_[numbers[row] * steps_ + i] = true;
      }
    }
  }

  bool At(std::uint32_t signature, std::size_t step) const {
    return present_[signature * steps_ + step];
  }

 private:
  const std::size_t steps_;
  std::vector<bool> present_;
};

void KeepWhere(Vector& vector, const std::vector<std::uint32_t>& numbers, const Presence& presence,
               bool wanted) {
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const auto values = vector.Row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (presence.At(numbers[row], i) != wanted) values[i] = Absent();
    }
  }
}

}  // namespace

QueryResult<Vector> Join(const Binary& binary, const Vector& left, const Vector& right,
                         Context& context) {
  if (left.rows() == 0 && right.rows() == 0) return Vector(left.steps);
  return Joiner(binary, left, right, context).Run();
}

QueryResult<Vector> CombineSets(const Binary& binary, Vector left, const Vector& right) {
  const auto& matching = *binary.matching;
  Signatures signatures(matching.labels, matching.on);
  const auto left_numbers = signatures.Of(left);
  const auto right_numbers = signatures.Of(right);
  if (binary.op != Token::kOr) {
    const Presence presence(right, right_numbers, signatures.size());
    KeepWhere(left, left_numbers, presence, binary.op == Token::kAnd);
    return left;
  }
  const Presence presence(left, left_numbers, signatures.size());
  Vector more = right;
  KeepWhere(more, right_numbers, presence, false);
  left.RemoveDroppedNames();
  left.unique_without_name = false;
  for (std::size_t row = 0; row < more.rows(); ++row) {
    const auto values = more.Row(row);
    if (std::any_of(values.begin(), values.end(), IsPresent)) left.Append(more, row);
  }
  if (auto status = MergeEqualRows(left); !status) return Fail(status.error());
  return left;
}

}  // namespace vigia::promql
