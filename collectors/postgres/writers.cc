// What writes to disk: background writer, checkpointer, archiver, write-ahead log.

#include <array>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr auto kCounter = MetricType::kCounter;

// Until PostgreSQL 16 the checkpointer's figures stand in pg_stat_bgwriter, since 17 in a view of
// its own. The old names stay filled, so that dashboards survive an upgrade; what 17 no longer
// counts (buffers written by backends) is NULL there.
constexpr std::array kBgwriterValues{
    Value{{"pg_stat_bgwriter_checkpoints_timed_total", "Checkpoints begun because of the time.",
           kCounter}},
    Value{{"pg_stat_bgwriter_checkpoints_req_total", "Checkpoints begun because asked for.",
           kCounter}},
    Value{{"pg_stat_bgwriter_checkpoint_write_time_total",
           "Milliseconds that checkpoints spent writing files.", kCounter}},
    Value{{"pg_stat_bgwriter_checkpoint_sync_time_total",
           "Milliseconds that checkpoints spent synchronizing files.", kCounter}},
    Value{
        {"pg_stat_bgwriter_buffers_checkpoint_total", "Buffers written by checkpoints.", kCounter}},
    Value{{"pg_stat_bgwriter_buffers_clean_total", "Buffers written by the background writer.",
           kCounter}},
    Value{{"pg_stat_bgwriter_maxwritten_clean_total",
           "Times the background writer stopped early, having written its maximum.", kCounter}},
    Value{{"pg_stat_bgwriter_buffers_backend_total", "Buffers that backends wrote themselves.",
           kCounter}},
    Value{{"pg_stat_bgwriter_buffers_backend_fsync_total",
           "Times a backend had to synchronize a file itself.", kCounter}},
    Value{{"pg_stat_bgwriter_buffers_alloc_total", "Buffers allocated.", kCounter}},
    Value{{"pg_stat_bgwriter_stats_reset_total", "When these counters were reset, Unix time.",
           kCounter}},
};
constexpr Query kBgwriter{[](int version) -> std::string {
                            if (version < 170000) {
                              return R"(
SELECT checkpoints_timed, checkpoints_req, checkpoint_write_time, checkpoint_sync_time,
       buffers_checkpoint, buffers_clean, maxwritten_clean, buffers_backend,
       buffers_backend_fsync, buffers_alloc, trunc(date_part('epoch', stats_reset))
FROM pg_stat_bgwriter)";
                            }
                            return R"(
SELECT c.num_timed, c.num_requested, c.write_time, c.sync_time, c.buffers_written,
       b.buffers_clean, b.maxwritten_clean, NULL, NULL, b.buffers_alloc,
       trunc(date_part('epoch', b.stats_reset))
FROM pg_stat_bgwriter b CROSS JOIN pg_stat_checkpointer c)";
                          },
                          {},
                          kBgwriterValues};

constexpr std::array kCheckpointerValues{
    Value{{"pg_stat_checkpointer_num_timed_total", "Checkpoints due by time.", kCounter}},
    Value{{"pg_stat_checkpointer_num_requested_total", "Checkpoints asked for.", kCounter}},
    Value{
        {"pg_stat_checkpointer_restartpoints_timed_total", "Restartpoints due by time.", kCounter}},
    Value{{"pg_stat_checkpointer_restartpoints_req_total", "Restartpoints asked for.", kCounter}},
    Value{{"pg_stat_checkpointer_restartpoints_done_total", "Restartpoints done.", kCounter}},
    Value{{"pg_stat_checkpointer_write_time_total",
           "Milliseconds that checkpoints and restartpoints spent writing files.", kCounter}},
    Value{{"pg_stat_checkpointer_sync_time_total",
           "Milliseconds that checkpoints and restartpoints spent synchronizing files.", kCounter}},
    Value{{"pg_stat_checkpointer_buffers_written_total",
           "Buffers written by checkpoints and restartpoints.", kCounter}},
    Value{{"pg_stat_checkpointer_stats_reset_total", "When these counters were reset, Unix time.",
           kCounter}},
};
constexpr Query kCheckpointer{[](int) -> std::string {
                                return R"(
SELECT num_timed, num_requested, restartpoints_timed, restartpoints_req, restartpoints_done,
       write_time, sync_time, buffers_written, trunc(date_part('epoch', stats_reset))
FROM pg_stat_checkpointer)";
                              },
                              {},
                              kCheckpointerValues,
                              170000};

constexpr std::array kArchiverValues{
    Value{{"pg_stat_archiver_archived_count", "WAL files archived.", kCounter}},
    Value{{"pg_stat_archiver_failed_count", "Failed attempts to archive a WAL file.", kCounter}},
    Value{{"pg_stat_archiver_last_archive_age", "Seconds since the last WAL file was archived."}},
};
constexpr Query kArchiver{[](int) -> std::string {
                            return R"(
SELECT archived_count, failed_count, date_part('epoch', clock_timestamp() - last_archived_time)
FROM pg_stat_archiver)";
                          },
                          {},
                          kArchiverValues};

constexpr std::array kWalFileValues{
    Value{{"pg_wal_segments", "WAL segments on disk."}},
    Value{{"pg_wal_size_bytes", "Size of the WAL segments on disk.", MetricType::kGauge, "bytes"}},
    Value{{"pg_wal_lsn_location_bytes", "Position of the log: written, or replayed on a standby.",
           MetricType::kGauge, "bytes"}},
};
constexpr Query kWalFiles{[](int) -> std::string {
                            return R"(
SELECT count(*), coalesce(sum(size), 0),
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                            ELSE pg_current_wal_lsn() END, '0/0')
FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')";
                          },
                          {},
                          kWalFileValues};

constexpr std::array kWalValues{
    Value{{"vigia_postgres_wal_records_total", "WAL records generated.", kCounter}},
    Value{
        {"vigia_postgres_wal_full_page_images_total", "WAL full page images generated.", kCounter}},
    Value{{"vigia_postgres_wal_bytes_total", "WAL generated.", kCounter, "bytes"}},
    Value{{"vigia_postgres_wal_buffers_full_total",
           "Times WAL had to be written because its buffers were full.", kCounter}},
};
constexpr Query kWal{
    [](int) -> std::string {
      return "SELECT wal_records, wal_fpi, wal_bytes, wal_buffers_full FROM pg_stat_wal";
    },
    {},
    kWalValues,
    140000};

}  // namespace

void AddWriters(Subjects& subjects) {
  subjects.push_back(MakeQuerySubject("stat_bgwriter", kBgwriter));
  subjects.push_back(MakeQuerySubject("stat_checkpointer", kCheckpointer));
  subjects.push_back(MakeQuerySubject("stat_archiver", kArchiver));
  subjects.push_back(MakeQuerySubject("wal", kWalFiles));
  subjects.push_back(MakeQuerySubject("stat_wal", kWal));
}

}  // namespace vigia::collectors::postgres
