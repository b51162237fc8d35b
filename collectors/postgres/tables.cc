#include "collectors/postgres/tables.h"

#include <array>
#include <cmath>

namespace vigia::collectors::postgres {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

constexpr std::array<std::string_view, 3> kTableLabels{"datname", "schemaname", "relname"};
constexpr std::array<std::string_view, 4> kIndexLabels{"datname", "schemaname", "relname",
                                                       "indexrelname"};

FoldedColumn constexpr Activity(std::string_view name, std::string_view help) {
  return {{name, help, kCounter}, true};
}
FoldedColumn constexpr Count(std::string_view name, std::string_view help) {
  return {{name, help, kCounter}};
}
FoldedColumn constexpr Gauge(std::string_view name, std::string_view help,
                             std::string_view unit = {}) {
  return {{name, help, kGauge, unit}};
}
FoldedColumn constexpr Time(std::string_view name, std::string_view help) {
  return {{name, help, kGauge}, false, false};
}

constexpr std::array kTableColumns{
    Activity("pg_stat_user_tables_seq_scan", "Sequential scans begun."),
    Count("pg_stat_user_tables_seq_tup_read", "Rows read by sequential scans."),
    Activity("pg_stat_user_tables_idx_scan", "Index scans begun."),
    Count("pg_stat_user_tables_idx_tup_fetch", "Rows fetched by index scans."),
    Activity("pg_stat_user_tables_n_tup_ins", "Rows inserted."),
    Activity("pg_stat_user_tables_n_tup_upd", "Rows updated."),
    Activity("pg_stat_user_tables_n_tup_del", "Rows deleted."),
    Count("pg_stat_user_tables_n_tup_hot_upd", "Rows updated without an index update."),
    Gauge("pg_stat_user_tables_n_live_tup", "Live rows, estimated."),
    Gauge("pg_stat_user_tables_n_dead_tup", "Dead rows, estimated."),
    Gauge("pg_stat_user_tables_n_mod_since_analyze", "Rows changed since the last ANALYZE."),
    Time("pg_stat_user_tables_last_vacuum", "Last manual VACUUM, Unix time; 0: never."),
    Time("pg_stat_user_tables_last_autovacuum", "Last automatic VACUUM, Unix time; 0: never."),
    Time("pg_stat_user_tables_last_analyze", "Last manual ANALYZE, Unix time; 0: never."),
    Time("pg_stat_user_tables_last_autoanalyze", "Last automatic ANALYZE, Unix time; 0: never."),
    Count("pg_stat_user_tables_vacuum_count", "Manual VACUUMs."),
    Count("pg_stat_user_tables_autovacuum_count", "Automatic VACUUMs."),
    Count("pg_stat_user_tables_analyze_count", "Manual ANALYZEs."),
    Count("pg_stat_user_tables_autoanalyze_count", "Automatic ANALYZEs."),
    Count("pg_statio_user_tables_heap_blks_read", "Blocks of the table read."),
    Count("pg_statio_user_tables_heap_blks_hit", "Blocks of the table found in the cache."),
    Count("pg_statio_user_tables_idx_blks_read", "Blocks of the table's indexes read."),
    Count("pg_statio_user_tables_idx_blks_hit",
          "Blocks of the table's indexes found in the cache."),
    Count("pg_statio_user_tables_toast_blks_read", "Blocks of the TOAST table read."),
    Count("pg_statio_user_tables_toast_blks_hit", "Blocks of the TOAST table found in the cache."),
    Count("pg_statio_user_tables_tidx_blks_read", "Blocks of the TOAST table's index read."),
    Count("pg_statio_user_tables_tidx_blks_hit",
          "Blocks of the TOAST table's index found in the cache."),
    Gauge("pg_stat_user_tables_table_size_bytes", "Size of the table on disk, without its indexes.",
          "bytes"),
    Gauge("pg_stat_user_tables_index_size_bytes", "Size of the table's indexes on disk.", "bytes"),
};
enum TableColumn : std::size_t {
  kSeqScans = 0,
  kSeqRows = 1,
  kIndexScans = 2,
  kLiveRows = 8,
  kTableSize = 27,
  kIndexSize = 28,
};

// Both statistics views in one pass over the catalogue: half the server's time of reading the
// views (bench/postgres_bench.cc). A partitioned table has scans and rows, but no blocks.
constexpr const char* kTablesSql = R"(
WITH i AS MATERIALIZED (
  SELECT indrelid, sum(pg_stat_get_numscans(indexrelid))::int8 AS scans,
         sum(pg_stat_get_tuples_fetched(indexrelid))::int8 AS fetched,
         sum(pg_stat_get_blocks_fetched(indexrelid))::int8 AS blocks,
         sum(pg_stat_get_blocks_hit(indexrelid))::int8 AS hits
  FROM pg_index GROUP BY indrelid)
SELECT c.oid, n.nspname, c.relname,
       pg_stat_get_numscans(c.oid), pg_stat_get_tuples_returned(c.oid),
       i.scans, i.fetched + pg_stat_get_tuples_fetched(c.oid),
       pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
       pg_stat_get_tuples_deleted(c.oid), pg_stat_get_tuples_hot_updated(c.oid),
       pg_stat_get_live_tuples(c.oid), pg_stat_get_dead_tuples(c.oid),
       pg_stat_get_mod_since_analyze(c.oid),
       coalesce(trunc(date_part('epoch', pg_stat_get_last_vacuum_time(c.oid))), 0),
       coalesce(trunc(date_part('epoch', pg_stat_get_last_autovacuum_time(c.oid))), 0),
       coalesce(trunc(date_part('epoch', pg_stat_get_last_analyze_time(c.oid))), 0),
       coalesce(trunc(date_part('epoch', pg_stat_get_last_autoanalyze_time(c.oid))), 0),
       pg_stat_get_vacuum_count(c.oid), pg_stat_get_autovacuum_count(c.oid),
       pg_stat_get_analyze_count(c.oid), pg_stat_get_autoanalyze_count(c.oid),
       pg_stat_get_blocks_fetched(p.oid) - pg_stat_get_blocks_hit(p.oid),
       pg_stat_get_blocks_hit(p.oid),
       CASE WHEN p.oid IS NOT NULL THEN i.blocks - i.hits END,
       CASE WHEN p.oid IS NOT NULL THEN i.hits END,
       pg_stat_get_blocks_fetched(t.indrelid) - pg_stat_get_blocks_hit(t.indrelid),
       pg_stat_get_blocks_hit(t.indrelid), t.blocks - t.hits, t.hits, NULL, NULL
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind <> 'p' THEN c.oid END AS oid) p
LEFT JOIN i ON i.indrelid = c.oid
LEFT JOIN i t ON t.indrelid = c.reltoastrelid
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_toast')";

// Sizes open each relation, so a table that somebody holds or wants to hold exclusively is left
// out, through its indexes too; what is locked in between runs into lock_timeout.
constexpr const char* kSizesSql = R"(
WITH locked AS MATERIALIZED (
  SELECT relation AS oid FROM pg_locks
  WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
SELECT c.oid, pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_toast' AND NOT EXISTS (SELECT FROM locked l WHERE l.oid = c.oid)
  AND NOT EXISTS (SELECT FROM locked l JOIN pg_index i ON i.indexrelid = l.oid
                  WHERE i.indrelid = c.oid))";

constexpr std::array kIndexColumns{
    Activity("pg_stat_user_indexes_idx_scan", "Scans of the index begun."),
    Count("pg_stat_user_indexes_idx_tup_read", "Entries returned by scans of the index."),
    Count("pg_stat_user_indexes_idx_tup_fetch", "Rows fetched by simple scans of the index."),
    Count("pg_statio_user_indexes_idx_blks_read_total", "Blocks of the index read."),
    Count("pg_statio_user_indexes_idx_blks_hit_total", "Blocks of the index found in the cache."),
    Gauge("vigia_postgres_index_size_bytes",
          "Size of the index as of its table's last VACUUM or ANALYZE.", "bytes"),
};
constexpr const char* kIndexesSql = R"(
SELECT i.indexrelid, n.nspname, c.relname, x.relname, pg_stat_get_numscans(x.oid),
       pg_stat_get_tuples_returned(x.oid), pg_stat_get_tuples_fetched(x.oid),
       pg_stat_get_blocks_fetched(x.oid) - pg_stat_get_blocks_hit(x.oid),
       pg_stat_get_blocks_hit(x.oid), x.relpages::int8 * current_setting('block_size')::int8
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_toast')";

constexpr Metric kUnusedIndex{
    "vigia_postgres_unused_index_bytes",
    "Size of an index that was never scanned since the statistics were reset and enforces "
    "nothing; the 50 largest of a database.",
    kGauge, "bytes"};
constexpr Metric kMissingIndex{
    "vigia_postgres_missing_index_rows_per_scan",
    "Rows read per sequential scan of a large table that is scanned sequentially more often than "
    "by index."};
constexpr double kLargeTable = 10'000;

// From the catalogue alone, so that no relation is opened. A page is what an empty index has.
constexpr const char* kUnusedSql = R"(
SELECT n.nspname, c.relname, x.relname, x.relpages::int8 * current_setting('block_size')::int8
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisunique AND NOT i.indisexclusion AND x.relkind = 'i' AND x.relpages > 1
  AND pg_stat_get_numscans(x.oid) = 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
ORDER BY x.relpages DESC, x.oid LIMIT 50)";

constexpr std::array<std::string_view, 3> kVacuumLabels{"datname", "relname", "phase"};
constexpr std::array kVacuumValues{
    Value{{"pg_stat_progress_vacuum_phase", "1 for the phase that a VACUUM is in, else 0."}},
    Value{{"pg_stat_progress_vacuum_heap_blks", "Blocks of the table under VACUUM."}, 0, 2},
    Value{{"pg_stat_progress_vacuum_heap_blks_scanned", "Blocks scanned so far."}, 0, 2},
    Value{{"pg_stat_progress_vacuum_heap_blks_vacuumed", "Blocks vacuumed so far."}, 0, 2},
    Value{{"pg_stat_progress_vacuum_index_vacuums", "Passes over the indexes so far."}, 0, 2},
    Value{{"pg_stat_progress_vacuum_max_dead_tuples",
           "Dead rows that fit into memory before a pass over the indexes (until version 16)."},
          0,
          2},
    Value{{"pg_stat_progress_vacuum_num_dead_tuples",
           "Dead rows, since version 17 row pointers, collected since the last pass."},
          0,
          2},
};
// One row per phase; all but the phase stand in the row of the phase that is on.
std::string VacuumSql(int version) {
  const std::string dead = version < 170000 ? "v.max_dead_tuples, v.num_dead_tuples"
                                            : "NULL::int8 AS max_dead_tuples, "
                                              "v.num_dead_item_ids AS num_dead_tuples";
  return R"(
SELECT w.datname, w.relname, f.phase, (w.phase = f.phase)::int,
       CASE WHEN w.phase = f.phase THEN heap_blks_total END,
       CASE WHEN w.phase = f.phase THEN heap_blks_scanned END,
       CASE WHEN w.phase = f.phase THEN heap_blks_vacuumed END,
       CASE WHEN w.phase = f.phase THEN index_vacuum_count END,
       CASE WHEN w.phase = f.phase THEN max_dead_tuples END,
       CASE WHEN w.phase = f.phase THEN num_dead_tuples END
FROM (SELECT v.datname, v.relid::regclass::text AS relname, v.phase, v.heap_blks_total,
             v.heap_blks_scanned, v.heap_blks_vacuumed, v.index_vacuum_count, )" +
         dead + R"(
      FROM pg_stat_progress_vacuum v WHERE v.datname = current_database()) w
CROSS JOIN (VALUES ('initializing'), ('scanning heap'), ('vacuuming indexes'),
                   ('vacuuming heap'), ('cleaning up indexes'), ('truncating heap'),
                   ('performing final cleanup')) f (phase))";
}
constexpr Query kVacuum{VacuumSql, kVacuumLabels, kVacuumValues};

}  // namespace

DatabaseTables::DatabaseTables(const TableOptions& options)
    : options_(options),
      tables_(kTableLabels, kTableColumns, options.max),
      indexes_(kIndexLabels, kIndexColumns, options.max_indexes),
      size_cadence_(options.size_interval) {}

void DatabaseTables::Describe(std::vector<Metric>& metrics) {
  for (const auto& column : kTableColumns) metrics.push_back(column.metric);
  for (const auto& column : kIndexColumns) metrics.push_back(column.metric);
  metrics.insert(metrics.end(), {kUnusedIndex, kMissingIndex});
  postgres::Describe(kVacuum, metrics);
}

std::size_t DatabaseTables::SeriesCount(const TableOptions& options) {
  return (options.max + 1) * kTableColumns.size() +
         (options.max_indexes + 1) * kIndexColumns.size();
}

Status DatabaseTables::Read(Connection& connection, Deadline deadline, Batch& batch) {
  if (size_cadence_.Due(deadline)) {
    auto status = ReadSizes(connection, deadline);
    if (status && options_.hints) status = ReadUnused(connection, deadline);
    // Locked in between, or more tables than the time allows: the sizes of before stay.
    if (!status && !TimedOut(status, connection)) return status;
    size_cadence_.Done(deadline);
  }
  std::vector<std::string> names{"tables", "vacuums"};
  if (options_.max_indexes > 0) names.emplace_back("indexes");
  if (auto status = connection.Ahead(names, deadline); !status) return status;
  if (auto status = ReadTables(connection, deadline, batch); !status) return status;
  if (options_.max_indexes > 0) {
    if (auto status = ReadIndexes(connection, deadline, batch); !status) return status;
  }
  return ReadVacuums(connection, deadline, batch);
}

Status DatabaseTables::ReadSizes(Connection& connection, Deadline deadline) {
  const auto rows = connection.Query("table_sizes", kSizesSql, deadline);
  if (!rows) return Fail(rows.error());
  std::unordered_map<std::uint32_t, Sizes> sizes;
  auto status = rows->ForEach([&](Row row) -> Status {
    const auto oid = ParseNumber(row[0].text);
    if (!oid) return Fail(oid.error());
    // NULL: dropped while we looked.
    if (row[1].null || row[2].null) return Ok();
    const auto table = ParseNumber(row[1].text);
    const auto indexes = ParseNumber(row[2].text);
    if (!table || !indexes) return Fail(ErrorCode::kCorrupt, "a size is not a number");
    sizes[static_cast<std::uint32_t>(*oid)] = {*table, *indexes};
    return Ok();
  });
  if (!status) return status;
  // A table that is locked keeps the size it had.
  for (const auto& [oid, size] : sizes) sizes_[oid] = size;
  return Ok();
}

Status DatabaseTables::ReadUnused(Connection& connection, Deadline deadline) {
  const auto rows = connection.Query("unused_indexes", kUnusedSql, deadline);
  if (!rows) return Fail(rows.error());
  unused_.clear();
  return rows->ForEach([&](Row row) -> Status {
    const auto bytes = ParseNumber(row[3].text);
    if (!bytes) return Fail(bytes.error());
    unused_.push_back(
        {std::string(row[0].text), std::string(row[1].text), std::string(row[2].text), *bytes});
    return Ok();
  });
}

Status DatabaseTables::ReadTables(Connection& connection, Deadline deadline, Batch& batch) {
  const auto rows = connection.Query("tables", kTablesSql, deadline);
  if (!rows) return Fail(rows.error());
  if (auto status = tables_.Read(*rows); !status) return status;
  std::unordered_map<std::uint32_t, Sizes> kept;  // forgets tables that are gone
  for (std::size_t row = 0; row < tables_.size(); ++row) {
    const auto size = sizes_.find(tables_.id(row));
    if (size == sizes_.end()) continue;
    tables_.Set(row, kTableSize, size->second.table);
    tables_.Set(row, kIndexSize, size->second.indexes);
    if (sizes_.size() > tables_.size()) kept.insert(*size);
  }
  if (sizes_.size() > tables_.size()) sizes_ = std::move(kept);
  if (options_.max > 0) tables_.Emit(connection.database(), batch);
  if (options_.hints) AddHints(connection.database(), batch);
  return Ok();
}

void DatabaseTables::AddHints(std::string_view database, Batch& batch) const {
  for (std::size_t row = 0; row < tables_.size(); ++row) {
    const double scans = tables_.at(row, kSeqScans);
    const double index_scans = tables_.at(row, kIndexScans);  // NaN without any index
    const double per_scan = tables_.at(row, kSeqRows) / scans;
    const bool sequential = scans > (std::isnan(index_scans) ? 0 : index_scans);
    if (!tables_.listed(row) || !sequential || per_scan < kLargeTable) continue;
    if (tables_.at(row, kLiveRows) < kLargeTable) continue;
    batch.Add(kMissingIndex,
              {{"datname", database},
               {"schemaname", tables_.label(row, 0)},
               {"relname", tables_.label(row, 1)}},
              per_scan);
  }
  for (const auto& index : unused_) {
    batch.Add(kUnusedIndex,
              {{"datname", database},
               {"schemaname", index.schema},
               {"relname", index.table},
               {"indexrelname", index.index}},
              index.bytes);
  }
}

Status DatabaseTables::ReadIndexes(Connection& connection, Deadline deadline, Batch& batch) {
  const auto rows = connection.Query("indexes", kIndexesSql, deadline);
  if (!rows) return Fail(rows.error());
  if (auto status = indexes_.Read(*rows); !status) return status;
  indexes_.Emit(connection.database(), batch);
  return Ok();
}

Status DatabaseTables::ReadVacuums(Connection& connection, Deadline deadline, Batch& batch) {
  const auto rows = connection.Query("vacuums", VacuumSql(connection.server_version()), deadline);
  if (!rows) return Fail(rows.error());
  return rows->ForEach([&](Row row) { return AddRow(kVacuum, row, batch); });
}

}  // namespace vigia::collectors::postgres
