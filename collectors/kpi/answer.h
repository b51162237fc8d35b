// An Answer is what a query has found: numbers with their labels, ready to be shown again and
// again. Immutable once built.

#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/kpi/definition.h"
#include "collectors/postgres/connection.h"
#include "core/batch.h"
#include "core/sample.h"

namespace vigia::collectors::kpi {

struct Answer {
  struct Point {
    const Mapping* mapping = nullptr;
    const std::string* column = nullptr;  // of `mapping->values`; nullptr for its static value
    std::vector<std::string> keys;        // the texts of `mapping->key_labels`
    double value = 0;
    Timestamp time = 0;
  };
  std::vector<Point> points;
  std::size_t rows = 0;

  using Visitor = std::function<void(const Metric& metric, std::span<const LabelView> labels,
                                     double value, Timestamp time)>;
  // Calls `visit` for each point, as a sample; a time of 0 is that of the answer.
  void ForEach(const Visitor& visit) const;
  void AddTo(Batch& batch) const;
};

// Makes an Answer of the rows of `query`, which outlives it. kInvalid for a column that is missing,
// a value that is no number, and a series that stands in two rows.
class AnswerReader final : public postgres::RowReader {
 public:
  explicit AnswerReader(const Query& query) : query_(query) {}

  Status Columns(std::span<const std::string_view> names) override;
  Status Add(postgres::Row row) override;

  std::shared_ptr<const Answer> Take() { return std::move(answer_); }

 private:
  // Where the columns of a mapping stand in a row.
  struct Places {
    std::vector<std::size_t> keys;
    std::vector<std::size_t> values;
    std::size_t time = 0;
  };

  Status AddPoint(const Mapping& mapping, const std::string* column, std::vector<std::string> keys,
                  double value, Timestamp time);

  const Query& query_;
  std::vector<Places> places_;  // one per mapping
  std::set<std::string> seen_;  // series, as one text each
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
};

// Reads a timestamp as PostgreSQL prints it with DateStyle ISO: "2026-11-23 20:15:00.123+01";
// without an offset it is UTC. kInvalid for anything else, such as "infinity".
Result<Timestamp> ParseTimestamp(std::string_view text);

}  // namespace vigia::collectors::kpi
