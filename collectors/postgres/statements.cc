// The statements that take most time, from the pg_stat_statements extension.

#include <array>
#include <map>
#include <optional>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr auto kCounter = MetricType::kCounter;

// {rolname, datname, queryid} of the example queries of postgres_exporter, and
// {datname, queryid, user} of its own collector since 0.13.
constexpr std::array<std::string_view, 4> kLabels{"rolname", "datname", "queryid", "user"};
constexpr std::array kValues{
    Value{{"pg_stat_statements_calls", "Times executed.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_total_time_seconds", "Time taken.", kCounter, "seconds"}, 0, 3},
    Value{{"pg_stat_statements_min_time_seconds", "Shortest time taken.", MetricType::kGauge,
           "seconds"},
          0,
          3},
    Value{{"pg_stat_statements_max_time_seconds", "Longest time taken.", MetricType::kGauge,
           "seconds"},
          0,
          3},
    Value{
        {"pg_stat_statements_mean_time_seconds", "Mean time taken.", MetricType::kGauge, "seconds"},
        0,
        3},
    Value{{"pg_stat_statements_stddev_time_seconds", "Standard deviation of the time taken.",
           MetricType::kGauge, "seconds"},
          0,
          3},
    Value{{"pg_stat_statements_rows", "Rows returned or affected.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_shared_blks_hit", "Shared blocks found in the cache.", kCounter},
          0,
          3},
    Value{{"pg_stat_statements_shared_blks_read", "Shared blocks read.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_shared_blks_dirtied", "Shared blocks dirtied.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_shared_blks_written", "Shared blocks written.", kCounter}, 0, 3},
    Value{
        {"pg_stat_statements_local_blks_hit", "Local blocks found in the cache.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_local_blks_read", "Local blocks read.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_local_blks_dirtied", "Local blocks dirtied.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_local_blks_written", "Local blocks written.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_temp_blks_read", "Temporary blocks read.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_temp_blks_written", "Temporary blocks written.", kCounter}, 0, 3},
    Value{{"pg_stat_statements_blk_read_time_seconds", "Time spent reading blocks.", kCounter,
           "seconds"},
          0,
          3},
    Value{{"pg_stat_statements_blk_write_time_seconds", "Time spent writing blocks.", kCounter,
           "seconds"},
          0,
          3},
    Value{{"pg_stat_statements_calls_total", "Times executed.", kCounter}, 1},
    Value{{"pg_stat_statements_seconds_total", "Time taken.", kCounter}, 1},
    Value{{"pg_stat_statements_rows_total", "Rows returned or affected.", kCounter}, 1},
    Value{{"pg_stat_statements_block_read_seconds_total", "Time spent reading blocks.", kCounter,
           "seconds"},
          1},
    Value{{"pg_stat_statements_block_write_seconds_total", "Time spent writing blocks.", kCounter,
           "seconds"},
          1},
};
constexpr Query kStatements{nullptr, kLabels, kValues};
constexpr std::size_t kQueryIdColumn = 2;

constexpr Metric kText{"pg_stat_statements_query_id", "What a queryid stands for; always 1.",
                       kCounter};

// Without texts, which are kept in a file: pg_stat_statements(false). Nested and top-level calls
// of a statement are counted apart since version 14; their labels are the same, so they are
// added up.
std::string StatementsSql(const std::string& schema, int version, std::int64_t max) {
  const std::string prefix = version >= 170000 ? "shared_" : "";
  return R"(
SELECT pg_get_userbyid(s.userid), d.datname, s.queryid, pg_get_userbyid(s.userid), s.calls,
       s.total / 1000, s.fastest / 1000, s.slowest / 1000, s.total / s.calls / 1000,
       sqrt(greatest(0, s.squares / s.calls - (s.total / s.calls) ^ 2)) / 1000, s.rows,
       shared_hit, shared_read, shared_dirtied, shared_written, local_hit, local_read,
       local_dirtied, local_written, temp_read, temp_written, read_time / 1000, write_time / 1000,
       s.calls, s.total / 1000, s.rows, read_time / 1000, write_time / 1000
FROM (SELECT userid, dbid, queryid, sum(calls) AS calls, sum(total_exec_time) AS total,
             min(min_exec_time) AS fastest, max(max_exec_time) AS slowest,
             sum(calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2)) AS squares,
             sum(rows) AS rows, sum(shared_blks_hit) AS shared_hit,
             sum(shared_blks_read) AS shared_read, sum(shared_blks_dirtied) AS shared_dirtied,
             sum(shared_blks_written) AS shared_written, sum(local_blks_hit) AS local_hit,
             sum(local_blks_read) AS local_read, sum(local_blks_dirtied) AS local_dirtied,
             sum(local_blks_written) AS local_written, sum(temp_blks_read) AS temp_read,
             sum(temp_blks_written) AS temp_written, sum()" +
         prefix + "blk_read_time) AS read_time, sum(" + prefix + R"(blk_write_time) AS write_time
      FROM )" +
         schema + R"(.pg_stat_statements(false)
      WHERE queryid IS NOT NULL
      GROUP BY userid, dbid, queryid HAVING sum(calls) > 0
      ORDER BY sum(total_exec_time) DESC LIMIT )" +
         std::to_string(max) + R"() s
JOIN pg_database d ON d.oid = s.dbid)";
}

// Constants are replaced by $1 in these texts, but not in those of utility statements.
std::string TextsSql(const std::string& schema, std::int64_t length) {
  return "SELECT queryid, min(CASE WHEN query ~* 'password' THEN '<hidden>' ELSE left(query, " +
         std::to_string(length) + ") END) FROM " + schema +
         ".pg_stat_statements(true) WHERE queryid IS NOT NULL GROUP BY queryid";
}

class StatementsSubject final : public Subject {
 public:
  explicit StatementsSubject(const StatementOptions& options)
      : Subject("stat_statements"), options_(options) {}

  void Describe(std::vector<Metric>& metrics) const override {
    postgres::Describe(kStatements, metrics);
    metrics.push_back(kText);
  }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    const auto schema = Schema(connection, deadline);
    if (!schema) return Fail(schema.error());
    const auto rows = connection.Query(
        "statements", StatementsSql(*schema, connection.server_version(), options_.max), deadline);
    if (!rows) return Fail(rows.error());
    std::vector<std::string> ids;
    auto status = rows->ForEach([&](Row row) {
      ids.emplace_back(row[kQueryIdColumn].text);
      return AddRow(kStatements, row, batch);
    });
    if (!status || !options_.text) return status;
    return AddTexts(ids, *schema, connection, deadline, batch);
  }

 private:
  // Where the extension lives, quoted.
  static Result<std::string> Schema(Connection& connection, Deadline deadline) {
    const auto rows = connection.Query("statements_schema", R"(
SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements')",
                                       deadline);
    if (!rows) return Fail(rows.error());
    std::optional<std::string> schema;
    auto status = rows->ForEach([&](Row row) {
      schema = row[0].text;
      return Ok();
    });
    if (!status) return Fail(status.error());
    if (schema) return *schema;
    return Fail(ErrorCode::kInvalid, "the extension pg_stat_statements is not in the database '" +
                                         connection.database() + "'");
  }

  // Texts are read only when a statement appears whose text is not known yet.
  Status AddTexts(const std::vector<std::string>& ids, const std::string& schema,
                  Connection& connection, Deadline deadline, Batch& batch) {
    std::map<std::string, std::string> texts;
    bool unknown = false;
    for (const auto& id : ids) {
      const auto at = texts_.find(id);
      unknown |= at == texts_.end();
      texts.emplace(id, at == texts_.end() ? std::string() : at->second);
    }
    if (unknown) {
      const auto rows =
          connection.Query("statements_text", TextsSql(schema, options_.text_length), deadline);
      if (!rows) return Fail(rows.error());
      auto status = rows->ForEach([&](Row row) {
        const auto at = texts.find(std::string(row[0].text));
        if (at != texts.end()) at->second = row[1].text;
        return Ok();
      });
      if (!status) return status;
    }
    texts_ = std::move(texts);
    for (const auto& [id, text] : texts_) {
      if (!text.empty()) batch.Add(kText, {{"queryid", id}, {"query", text}}, 1);
    }
    return Ok();
  }

  const StatementOptions options_;
  std::map<std::string, std::string> texts_;  // of the statements last listed
};

}  // namespace

void AddStatements(Subjects& subjects, const StatementOptions& options) {
  if (options.enabled) subjects.push_back(std::make_unique<StatementsSubject>(options));
}

}  // namespace vigia::collectors::postgres
