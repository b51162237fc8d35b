#include "query/promql/eval/join.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "query/promql/eval/matching.h"
#include "query/promql/eval/operators.h"

namespace vigia::promql {
namespace {

using Card = VectorMatching::Card;

std::string SeriesText(const Vector& vector, std::size_t row) {
  return vector.LabelsOf(row).ToString();
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
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right),
        signatures_(matching_.labels, matching_.on),
        many_numbers_(signatures_.Of(many_)),
        one_numbers_(signatures_.Of(one_)),
        out_(left.steps) {}

  QueryResult<Vector> Run();

 private:
  // Rows that may meet: of the same signature; a missing partner is filled in by a constant.
  struct Pair {
    std::optional<std::size_t> many;
    std::optional<std::size_t> one;
    std::uint32_t signature;
  };

  void FindPairs();
  QueryStatus CheckOneSide();
  QueryStatus CheckOneSide(const std::vector<std::size_t>& rows);
  QueryStatus CheckMatches();
  QueryStatus CheckMatches(const std::vector<std::size_t>& pairs);
  void Compute(const Pair& pair);
  Labels ResultLabels(const Pair& pair) const;
  // Whether a pair meets at a step (and for Prometheus 2 leaves a result).
  bool Meets(const Pair& pair, std::size_t step) const;
  double ValueOf(const Vector& vector, std::optional<std::size_t> row, std::size_t step,
                 std::optional<double> fill) const;
  // Steps at which a side has any sample: where one has none, nothing is compared, and nothing
  // can be ambiguous.
  const std::vector<bool>& StepsWithMany();

  std::optional<double> FillMany() const {
    return swapped_ ? matching_.fill_right : matching_.fill_left;
  }
  std::optional<double> FillOne() const {
    return swapped_ ? matching_.fill_left : matching_.fill_right;
  }

  const Binary& binary_;
  const VectorMatching& matching_;
  Context& context_;
  const bool swapped_;
  const Vector& many_;
  const Vector& one_;
  Signatures signatures_;
  const std::vector<std::uint32_t> many_numbers_;
  const std::vector<std::uint32_t> one_numbers_;
  std::vector<std::vector<std::size_t>> one_rows_;   // by signature
  std::vector<std::vector<std::size_t>> many_rows_;  // the same, only to fill in
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
  const bool always = FillMany() || FillOne();
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

void Joiner::FindPairs() {
  for (std::size_t row = 0; row < many_.rows(); ++row) {
    const std::uint32_t signature = many_numbers_[row];
    for (const std::size_t partner : one_rows_[signature]) {
      pairs_.push_back({row, partner, signature});
    }
    // A partner may be missing at some steps only: the constant stands in there.
    if (FillOne()) pairs_.push_back({row, std::nullopt, signature});
  }
  if (FillMany()) {
    many_rows_.resize(signatures_.size());
    for (std::size_t row = 0; row < many_.rows(); ++row) {
      many_rows_[many_numbers_[row]].push_back(row);
    }
    for (std::size_t row = 0; row < one_.rows(); ++row) {
      pairs_.push_back({std::nullopt, row, one_numbers_[row]});
    }
  }
}

double Joiner::ValueOf(const Vector& vector, std::optional<std::size_t> row, std::size_t step,
                       std::optional<double> fill) const {
  return row ? vector.Row(*row)[step] : fill.value_or(Absent());
}

bool Joiner::Meets(const Pair& pair, std::size_t step) const {
  const double many = ValueOf(many_, pair.many, step, FillMany());
  const double one = ValueOf(one_, pair.one, step, FillOne());
  if (IsAbsent(many) || IsAbsent(one)) return false;
  // A constant stands in only where nobody of that signature is.
  if (!pair.one) {
    for (const std::size_t row : one_rows_[pair.signature]) {
      if (IsPresent(one_.Row(row)[step])) return false;
    }
  }
  if (!pair.many) {
    for (const std::size_t row : many_rows_[pair.signature]) {
      if (IsPresent(many_.Row(row)[step])) return false;
    }
  }
  if (!context_.is2() || binary_.return_bool || !IsComparison(binary_.op)) return true;
  const double left = swapped_ ? one : many;
  const double right = swapped_ ? many : one;
  return WithOperator(binary_.op, [&](auto op) { return op(left, right) != 0; });
}

Labels Joiner::ResultLabels(const Pair& pair) const {
  const bool drops_name = DropsName(binary_.op, binary_.return_bool, context_.is2());
  const Labels many =
      pair.many ? many_.LabelsOf(*pair.many) : signatures_.LabelsOf(one_, *pair.one);
  const Labels one = pair.one ? one_.LabelsOf(*pair.one) : signatures_.LabelsOf(many_, *pair.many);
  LabelsBuilder builder(many);
  if (drops_name) builder.Remove(kMetricName);
  if (matching_.card == Card::kOneToOne) builder.Retain(matching_.labels, matching_.on);
  for (const auto& name : matching_.include) builder.Set(name, one.Get(name));
  // Of group_left(__name__) too nothing is left with bool.
  if (binary_.return_bool) builder.Remove(kMetricName);
  return builder.Build();
}

// Pairs of one signature that may meet at the same step: for one-to-one any two, for many-to-one
// those whose results would have the same labels.
QueryStatus Joiner::CheckMatches() {
  const bool one_to_one = matching_.card == Card::kOneToOne;
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> by_signature;
  for (std::size_t i = 0; i < pairs_.size(); ++i) by_signature[pairs_[i].signature].push_back(i);
  for (const auto& [signature, pairs] : by_signature) {
    if (pairs.size() < 2) continue;
    if (one_to_one) {
      if (auto status = CheckMatches(pairs); !status) return status;
      continue;
    }
    std::unordered_map<Labels, std::vector<std::size_t>> by_labels;
    for (const std::size_t pair : pairs) by_labels[pair_labels_[pair]].push_back(pair);
    for (const auto& [labels, same] : by_labels) {
      if (same.size() < 2) continue;
      if (auto status = CheckMatches(same); !status) return status;
    }
  }
  return {};
}

QueryStatus Joiner::CheckMatches(const std::vector<std::size_t>& pairs) {
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
      const double many = ValueOf(many_, pair.many, i, FillMany());
      const double one = ValueOf(one_, pair.one, i, FillOne());
      if (IsAbsent(many) || IsAbsent(one) || (filled && !Meets(pair, i))) continue;
      const double left = swapped_ ? one : many;
      const double right = swapped_ ? many : one;
      row[i] = Apply(op, left, right, left, binary_.return_bool);
    }
  });
}

QueryResult<Vector> Joiner::Run() {
  if (auto status = CheckOneSide(); !status) return Fail(status.error());
  FindPairs();
  if (auto status = context_.CheckSize(pairs_.size(), out_.steps); !status) {
    return Fail(status.error());
  }
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
