// Databases: pg_stat_database, recovery conflicts, limits, wraparound age, sizes, and the ratios
// of the last interval.

#include <array>
#include <unordered_map>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kUnknown = MetricType::kUnknown;
constexpr auto kGauge = MetricType::kGauge;

// The row of shared objects has datid 0 and no datname; `datname` alone labels what only
// databases have.
constexpr std::array<std::string_view, 2> kLabels{"datid", "datname"};
constexpr std::array kValues{
    Value{{"pg_stat_database_numbackends", "Sessions connected to the database."}},
    // The next four are read again, as columns kCommits to kHits.
    Value{{"pg_stat_database_xact_commit", "Transactions committed.", kCounter}},
    Value{{"pg_stat_database_xact_rollback", "Transactions rolled back.", kCounter}},
    Value{{"pg_stat_database_blks_read", "Blocks read from outside the buffer cache.", kCounter}},
    Value{{"pg_stat_database_blks_hit", "Blocks found in the buffer cache.", kCounter}},
    Value{{"pg_stat_database_tup_returned", "Rows read by scans.", kCounter}},
    Value{{"pg_stat_database_tup_fetched", "Rows fetched by index scans.", kCounter}},
    Value{{"pg_stat_database_tup_inserted", "Rows inserted.", kCounter}},
    Value{{"pg_stat_database_tup_updated", "Rows updated.", kCounter}},
    Value{{"pg_stat_database_tup_deleted", "Rows deleted.", kCounter}},
    Value{
        {"pg_stat_database_conflicts", "Queries cancelled by conflicts with recovery.", kCounter}},
    Value{{"pg_stat_database_temp_files", "Temporary files created by queries.", kCounter}},
    Value{{"pg_stat_database_temp_bytes", "Bytes written to temporary files.", kCounter}},
    Value{{"pg_stat_database_deadlocks", "Deadlocks.", kCounter}},
    Value{{"pg_stat_database_checksum_failures",
           "Pages whose checksum failed; absent without checksums.", kUnknown}},
    Value{{"pg_stat_database_checksum_last_failure", "When a checksum last failed, Unix time.",
           kUnknown}},
    Value{{"pg_stat_database_blk_read_time", "Milliseconds that backends spent reading blocks.",
           kCounter}},
    Value{{"pg_stat_database_blk_write_time", "Milliseconds that backends spent writing blocks.",
           kCounter}},
    Value{{"pg_stat_database_stats_reset", "When these counters were reset, Unix time.", kCounter}},
    Value{{"pg_stat_database_session_time", "Milliseconds that sessions lasted.", kUnknown}},
    Value{{"pg_stat_database_active_time", "Milliseconds that statements took.", kUnknown}},
    Value{{"pg_stat_database_active_time_seconds_total", "Time that statements took.", kCounter,
           "seconds"}},
    Value{{"pg_stat_database_idle_in_transaction_time",
           "Milliseconds that sessions idled in a transaction.", kUnknown}},
    Value{{"pg_stat_database_sessions", "Sessions begun.", kUnknown}},
    Value{{"pg_stat_database_sessions_abandoned", "Sessions whose client vanished.", kUnknown}},
    Value{{"pg_stat_database_sessions_fatal", "Sessions ended by a fatal error.", kUnknown}},
    Value{{"pg_stat_database_sessions_killed", "Sessions ended by an operator.", kUnknown}},
    Value{{"pg_stat_database_conflicts_confl_tablespace",
           "Queries cancelled because a tablespace was dropped.", kCounter}},
    Value{
        {"pg_stat_database_conflicts_confl_lock", "Queries cancelled by lock timeouts.", kCounter}},
    Value{{"pg_stat_database_conflicts_confl_snapshot", "Queries cancelled by old snapshots.",
           kCounter}},
    Value{{"pg_stat_database_conflicts_confl_bufferpin", "Queries cancelled by pinned buffers.",
           kCounter}},
    Value{
        {"pg_stat_database_conflicts_confl_deadlock", "Queries cancelled by deadlocks.", kCounter}},
    Value{{"pg_stat_database_conflicts_confl_active_logicalslot",
           "Logical slots cancelled by conflicts with recovery.", kCounter}},
    Value{{"pg_database_connection_limit", "Sessions that the database allows; -1: any."}, 1},
    // An age is counted in transactions, whatever the name says: as in postgres_exporter.
    Value{{"pg_database_wraparound_age_datfrozenxid_seconds",
           "Age, in transactions, of the oldest row that is not frozen."},
          1},
    Value{{"pg_database_wraparound_age_datminmxid_seconds",
           "Age, in multixacts, of the oldest multixact that is not replaced."},
          1},
    Value{{"vigia_postgres_wraparound_ratio",
           "Share of the transaction or multixact ids that is used up, whichever is more; the "
           "server stops accepting writes before 1.",
           kGauge, "ratio"},
          1},
};
enum Column : std::size_t { kId = 0, kName = 1, kCommits = 3, kRollbacks, kReads, kHits };

std::string DatabaseSql(int version) {
  const std::string sessions =
      version >= 140000 ? "s.session_time, s.active_time, s.active_time / 1000, "
                          "s.idle_in_transaction_time, s.sessions, s.sessions_abandoned, "
                          "s.sessions_fatal, s.sessions_killed"
                        : "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";
  const std::string slots = version >= 160000 ? "c.confl_active_logicalslot" : "NULL";
  return R"(
SELECT s.datid, s.datname, s.numbackends, s.xact_commit, s.xact_rollback, s.blks_read, s.blks_hit,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted, s.conflicts,
       s.temp_files, s.temp_bytes, s.deadlocks, s.checksum_failures,
       trunc(date_part('epoch', s.checksum_last_failure)), s.blk_read_time, s.blk_write_time,
       trunc(date_part('epoch', s.stats_reset)), )" +
         sessions + R"(,
       c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock,
       )" +
         slots +
         R"(,
       d.datconnlimit, age(d.datfrozenxid), mxid_age(d.datminmxid),
       greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) / 2147483647.0
FROM pg_stat_database s
LEFT JOIN pg_database d ON d.oid = s.datid
LEFT JOIN pg_stat_database_conflicts c ON c.datid = s.datid)";
}

constexpr Query kDatabases{DatabaseSql, kLabels, kValues};

// Walks every file of every database; refused for databases that the role may not connect to,
// unless it may read all statistics.
constexpr const char* kSizesSql = R"(
SELECT oid, pg_database_size(oid) FROM pg_database
WHERE has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'MEMBER'))";

constexpr Metric kSize{"pg_database_size_bytes", "Size of the database on disk.", kGauge, "bytes"};
constexpr Metric kHitRatio{"vigia_postgres_cache_hit_ratio",
                           "Share of the blocks read since the last reading that were in the "
                           "buffer cache.",
                           kGauge, "ratio"};
constexpr Metric kCommitRatio{"vigia_postgres_commit_ratio",
                              "Share of the transactions ended since the last reading that were "
                              "committed.",
                              kGauge, "ratio"};

class DatabaseSubject final : public Subject {
 public:
  explicit DatabaseSubject(Milliseconds size_interval)
      : Subject("database"), size_cadence_(size_interval) {}

  void Describe(std::vector<Metric>& metrics) const override {
    metrics.insert(metrics.end(), {kSize, kHitRatio, kCommitRatio});
    postgres::Describe(kDatabases, metrics);
  }

  std::string_view FirstStatement(int) const override { return "database"; }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    if (size_cadence_.Due(deadline)) {
      // So many files that there is no time to look at all: the sizes of before stay.
      auto status = ReadSizes(connection, deadline);
      if (!status && !TimedOut(status, connection)) return status;
      size_cadence_.Done(deadline);
    }
    const auto rows =
        connection.Query("database", DatabaseSql(connection.server_version()), deadline);
    if (!rows) return Fail(rows.error());
    std::unordered_map<std::string, Counters> now;
    auto status = rows->ForEach([&](Row row) -> Status {
      if (auto added = AddRow(kDatabases, row, batch); !added) return added;
      if (row[kName].null) return Ok();
      const std::string id(row[kId].text);
      if (const auto size = sizes_.find(id); size != sizes_.end()) {
        batch.Add(kSize, {{"datname", row[kName].text}}, size->second);
      }
      const auto counters = ReadCounters(row);
      if (!counters) return Fail(counters.error());
      if (const auto before = before_.find(id); before != before_.end()) {
        AddRatios(row[kName].text, before->second, *counters, batch);
      }
      now.emplace(id, *counters);
      return Ok();
    });
    if (status) before_ = std::move(now);
    return status;
  }

 private:
  struct Counters {
    double commits, rollbacks, reads, hits;
  };

  static Result<Counters> ReadCounters(Row row) {
    std::array<double, 4> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto number = ParseNumber(row[kCommits + i].text);
      if (!number) return Fail(number.error());
      numbers[i] = *number;
    }
    return Counters{numbers[0], numbers[1], numbers[2], numbers[3]};
  }

  // Nothing where nothing happened, or the counters were reset.
  static void AddRatio(const Metric& metric, std::string_view database, double good, double bad,
                       Batch& batch) {
    if (good < 0 || bad < 0 || good + bad == 0) return;
    batch.Add(metric, {{"datname", database}}, good / (good + bad));
  }

  static void AddRatios(std::string_view database, const Counters& before, const Counters& now,
                        Batch& batch) {
    AddRatio(kHitRatio, database, now.hits - before.hits, now.reads - before.reads, batch);
    AddRatio(kCommitRatio, database, now.commits - before.commits, now.rollbacks - before.rollbacks,
             batch);
  }

  Status ReadSizes(Connection& connection, Deadline deadline) {
    const auto rows = connection.Query("database_size", kSizesSql, deadline);
    if (!rows) return Fail(rows.error());
    sizes_.clear();
    return rows->ForEach([&](Row row) -> Status {
      if (row[1].null) return Ok();
      const auto size = ParseNumber(row[1].text);
      if (!size) return Fail(size.error());
      sizes_.emplace(row[0].text, *size);
      return Ok();
    });
  }

  Cadence size_cadence_;
  std::unordered_map<std::string, double> sizes_;     // by datid
  std::unordered_map<std::string, Counters> before_;  // by datid, of the last reading
};

}  // namespace

void AddDatabase(Subjects& subjects, Milliseconds size_interval) {
  subjects.push_back(std::make_unique<DatabaseSubject>(size_interval));
}

}  // namespace vigia::collectors::postgres
