#include "collectors/postgres/subject.h"

#include <array>
#include <cassert>
#include <charconv>

namespace vigia::collectors::postgres {
namespace {

inline constexpr std::size_t kMaxLabels = 8;

class QuerySubject final : public Subject {
 public:
  QuerySubject(std::string_view name, const Query& query) : Subject(name), query_(query) {}

  void Describe(std::vector<Metric>& metrics) const override {
    postgres::Describe(query_, metrics);
  }

  std::string_view FirstStatement(int version) const override {
    return version < query_.min_version ? std::string_view() : name();
  }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    if (connection.server_version() < query_.min_version) return Ok();
    if (version_ != connection.server_version()) {
      version_ = connection.server_version();
      sql_ = query_.sql(version_);
    }
    const auto rows = connection.Query(std::string(name()), sql_, deadline);
    if (!rows) return Fail(rows.error());
    return rows->ForEach([&](Row row) { return AddRow(query_, row, batch); });
  }

 private:
  const Query& query_;
  int version_ = 0;
  std::string sql_;  // for version_
};

}  // namespace

Result<double> ParseNumber(std::string_view text) {
  const char* const end = text.data() + text.size();
  // Nearly all are integers, and those are read faster as such.
  if (text.size() <= 15) {
    std::int64_t integer = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, integer);
    if (error == std::errc() && stop == end) return static_cast<double>(integer);
  }
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  return Fail(ErrorCode::kCorrupt, "'" + std::string(text.substr(0, 40)) + "' is not a number");
}

Status AddRow(const Query& query, Row row, Batch& batch) {
  assert(row.size() == query.labels.size() + query.values.size());
  std::array<LabelView, kMaxLabels> labels;
  const std::size_t label_count = query.labels.size();
  for (std::size_t i = 0; i < label_count; ++i) labels[i] = {query.labels[i], row[i].text};
  for (std::size_t i = 0; i < query.values.size(); ++i) {
    const Cell& cell = row[label_count + i];
    if (cell.null) continue;
    const auto number = ParseNumber(cell.text);
    if (!number) return Fail(number.error());
    const Value& value = query.values[i];
    const std::size_t count =
        std::min<std::size_t>(value.label_count, label_count - value.first_label);
    batch.Add(value.metric, std::span<const LabelView>(labels).subspan(value.first_label, count),
              *number);
  }
  return Ok();
}

void Describe(const Query& query, std::vector<Metric>& metrics) {
  for (const auto& value : query.values) metrics.push_back(value.metric);
}

std::unique_ptr<Subject> MakeQuerySubject(std::string_view name, const Query& query) {
  return std::make_unique<QuerySubject>(name, query);
}

}  // namespace vigia::collectors::postgres
