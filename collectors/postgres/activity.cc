// Sessions: counts by state, long transactions, idle times, autovacuum workers, the connection
// limit. All from pg_stat_activity, which shows other roles' sessions to pg_monitor only.

#include <array>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr std::array<std::string_view, 2> kStateLabels{"datname", "state"};
constexpr std::array kStateValues{
    Value{{"pg_stat_activity_count", "Sessions by database and state."}},
    Value{{"pg_stat_activity_max_tx_duration",
           "Age in seconds of the longest transaction among the sessions in this state."}},
};
constexpr Query kStates{[](int) -> std::string {
                          return R"(
SELECT d.datname, s.state, coalesce(a.sessions, 0), coalesce(a.longest, 0)
FROM pg_database d
CROSS JOIN (VALUES ('active'), ('idle'), ('idle in transaction'),
                   ('idle in transaction (aborted)'), ('fastpath function call'),
                   ('disabled')) s (state)
LEFT JOIN (SELECT datid, state, count(*) AS sessions,
                  max(date_part('epoch', clock_timestamp() - xact_start)) AS longest
           FROM pg_stat_activity GROUP BY datid, state) a
  ON a.datid = d.oid AND a.state = s.state
ORDER BY 1, 2)";
                        },
                        kStateLabels, kStateValues};

constexpr std::array kConnectionValues{
    Value{{"vigia_postgres_connections", "Sessions of clients."}},
    Value{{"vigia_postgres_connections_max",
           "Sessions that ordinary roles may have: max_connections without the reserved ones."}},
};
constexpr Query kConnections{
    [](int version) -> std::string {
      std::string reserved = "current_setting('superuser_reserved_connections')::int";
      if (version >= 160000) reserved += " - current_setting('reserved_connections')::int";
      return "SELECT count(*), current_setting('max_connections')::int - " + reserved +
             " FROM pg_stat_activity WHERE backend_type = 'client backend'";
    },
    {},
    kConnectionValues};

constexpr std::array kTransactionValues{
    Value{{"pg_long_running_transactions", "Transactions open for more than a minute."}},
    Value{{"pg_long_running_transactions_oldest_timestamp_seconds",
           "Age in seconds of the oldest open transaction, 0 if none (an age, whatever the name "
           "says: as in postgres_exporter)."}},
};
constexpr Query kTransactions{[](int) -> std::string {
                                return R"(
SELECT count(*) FILTER (WHERE age >= 60), coalesce(max(age), 0)
FROM (SELECT date_part('epoch', clock_timestamp() - xact_start) AS age
      FROM pg_stat_activity
      WHERE xact_start IS NOT NULL AND state IS DISTINCT FROM 'idle'
        AND backend_type <> 'autovacuum worker' AND pid <> pg_backend_pid()) t)";
                              },
                              {},
                              kTransactionValues};

constexpr std::array<std::string_view, 1> kThresholdLabels{"threshold"};
constexpr std::array kThresholdValues{
    Value{{"pg_long_running_transactions_count",
           "Transactions open for longer than the threshold in seconds."}},
};
constexpr Query kThresholds{[](int) -> std::string {
                              return R"(
SELECT t.threshold, count(a.xact_start)
FROM (VALUES (60), (300), (600), (1800)) t (threshold)
LEFT JOIN pg_stat_activity a
  ON date_part('epoch', clock_timestamp() - a.xact_start) >= t.threshold
  AND a.state IS DISTINCT FROM 'idle' AND a.backend_type <> 'autovacuum worker'
  AND a.pid <> pg_backend_pid()
GROUP BY t.threshold ORDER BY t.threshold)";
                            },
                            kThresholdLabels, kThresholdValues};

constexpr std::array<std::string_view, 1> kRelationLabels{"relname"};
constexpr std::array kAutovacuumValues{
    Value{{"pg_stat_activity_autovacuum_timestamp_seconds",
           "When the autovacuum worker that is on this table began."}},
};
// The worker's query reads "autovacuum: VACUUM ANALYZE schema.table (to prevent wraparound)".
constexpr Query kAutovacuum{[](int) -> std::string {
                              return R"(
SELECT split_part(split_part(query, '.', 2), ' ', 1), min(date_part('epoch', xact_start))
FROM pg_stat_activity
WHERE backend_type = 'autovacuum worker' AND query LIKE 'autovacuum:%.%'
GROUP BY 1)";
                            },
                            kRelationLabels, kAutovacuumValues};

constexpr Metric kIdleSeconds{"pg_process_idle_seconds",
                              "How long idle sessions have been idle, by application.",
                              MetricType::kHistogram, "seconds"};
constexpr std::array kIdleBounds{1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 300.0};

// A histogram of the sessions that are idle right now: its counts fall as well as rise.
class IdleSubject final : public Subject {
 public:
  IdleSubject() : Subject("process_idle") {
    sql_ = "SELECT application_name, sum(idle), count(*)";
    for (const double bound : kIdleBounds) {
      sql_ += ", count(*) FILTER (WHERE idle <= " + std::to_string(static_cast<int>(bound)) + ")";
    }
    sql_ +=
        " FROM (SELECT application_name, date_part('epoch', clock_timestamp() - state_change) AS "
        "idle"
        " FROM pg_stat_activity WHERE state = 'idle') a"
        " GROUP BY application_name ORDER BY count(*) DESC, application_name LIMIT 50";
  }

  void Describe(std::vector<Metric>& metrics) const override { metrics.push_back(kIdleSeconds); }

  std::string_view FirstStatement(int) const override { return "process_idle"; }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    const auto rows = connection.Query("process_idle", sql_, deadline);
    if (!rows) return Fail(rows.error());
    return rows->ForEach([&](Row row) -> Status {
      std::array<double, kIdleBounds.size() + 2> numbers{};
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto number = ParseNumber(row[i + 1].text);
        if (!number) return Fail(number.error());
        numbers[i] = *number;
      }
      HistogramValue idle{.buckets = {}, .sum = numbers[0], .count = numbers[1]};
      for (std::size_t i = 0; i < kIdleBounds.size(); ++i) {
        idle.buckets.push_back({kIdleBounds[i], numbers[i + 2]});
      }
      batch.AddHistogram(kIdleSeconds, {{"application_name", row[0].text}}, idle);
      return Ok();
    });
  }

 private:
  std::string sql_;
};

}  // namespace

void AddActivity(Subjects& subjects) {
  subjects.push_back(MakeQuerySubject("stat_activity", kStates));
  subjects.push_back(MakeQuerySubject("connections", kConnections));
  subjects.push_back(MakeQuerySubject("long_running_transactions", kTransactions));
  subjects.push_back(MakeQuerySubject("long_running_transaction_thresholds", kThresholds));
  subjects.push_back(MakeQuerySubject("stat_activity_autovacuum", kAutovacuum));
  subjects.push_back(std::make_unique<IdleSubject>());
}

}  // namespace vigia::collectors::postgres
