// Replication: the server's role and lag, its standbys, its slots, its WAL receiver.

#include <array>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr std::array kRoleValues{
    Value{{"pg_postmaster_start_time_seconds", "When the server was started, Unix time.",
           MetricType::kGauge, "seconds"}},
    Value{{"pg_replication_lag",
           "Seconds since the last replayed transaction on a standby (it grows while the primary "
           "is idle); 0 on a primary."}},
    Value{{"pg_replication_lag_seconds",
           "Age of the last replayed transaction while there is something left to replay; 0 on a "
           "primary.",
           MetricType::kGauge, "seconds"}},
    Value{{"pg_replication_is_replica", "Whether the server is a standby."}},
    Value{{"pg_replication_last_replay_seconds",
           "Seconds since the last replayed transaction; a standby's only.", MetricType::kGauge,
           "seconds"}},
};
constexpr Query kRole{[](int) -> std::string {
                        return R"(
SELECT trunc(date_part('epoch', pg_postmaster_start_time())),
       CASE WHEN standby THEN greatest(0, age) ELSE 0 END,
       CASE WHEN standby AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
            THEN greatest(0, age) ELSE 0 END,
       standby::int,
       CASE WHEN standby THEN age END
FROM (SELECT pg_is_in_recovery() AS standby,
             date_part('epoch', clock_timestamp() - pg_last_xact_replay_timestamp()) AS age) r)";
                      },
                      {},
                      kRoleValues};

constexpr std::array<std::string_view, 3> kStandbyLabels{"application_name", "client_addr",
                                                         "state"};
constexpr std::array kStandbyValues{
    Value{{"pg_stat_replication_pg_current_wal_lsn_bytes", "Position of this server's log."}},
    Value{{"pg_stat_replication_pg_wal_lsn_diff",
           "Bytes of log that the standby has not yet replayed."}},
    Value{{"pg_stat_replication_reply_time", "When the standby last replied, Unix time.",
           MetricType::kUnknown}},
    Value{{"vigia_postgres_replication_write_lag_seconds",
           "Time until recent log was written by the standby.", MetricType::kGauge, "seconds"}},
    Value{{"vigia_postgres_replication_flush_lag_seconds",
           "Time until recent log was flushed by the standby.", MetricType::kGauge, "seconds"}},
    Value{{"vigia_postgres_replication_replay_lag_seconds",
           "Time until recent log was replayed by the standby.", MetricType::kGauge, "seconds"}},
};
// Several senders may share all labels (parallel synchronization of one subscription): the one
// furthest behind stands for them.
constexpr Query kStandbys{[](int) -> std::string {
                            return R"(
SELECT application_name, client_addr, state, max(pg_wal_lsn_diff(position, '0/0')),
       max(pg_wal_lsn_diff(position, replay_lsn)), min(trunc(date_part('epoch', reply_time))),
       max(date_part('epoch', write_lag)), max(date_part('epoch', flush_lag)),
       max(date_part('epoch', replay_lag))
FROM pg_stat_replication,
     (SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END AS position) p
GROUP BY application_name, client_addr, state)";
                          },
                          kStandbyLabels, kStandbyValues};

// {database, slot_name} of postgres_exporter until 0.11, {slot_name, slot_type} since.
constexpr std::array<std::string_view, 4> kSlotLabels{"database", "slot_name", "slot_type",
                                                      "wal_status"};
constexpr std::array kSlotValues{
    Value{{"pg_replication_slots_active", "Whether somebody uses the slot."}, 0, 2},
    Value{{"pg_replication_slots_pg_wal_lsn_diff", "Bytes of log that the slot holds back."}, 0, 2},
    Value{{"pg_replication_slot_slot_current_wal_lsn", "Position of this server's log."}, 1, 2},
    Value{{"pg_replication_slot_slot_confirmed_flush_lsn",
           "Position up to which the slot's consumer has confirmed."},
          1,
          2},
    Value{{"pg_replication_slot_slot_is_active", "Whether somebody uses the slot."}, 1, 2},
    Value{
        {"pg_replication_slot_safe_wal_size_bytes",
         "Log that can still be written before the slot may be lost.", MetricType::kGauge, "bytes"},
        1,
        2},
    Value{{"pg_replication_slot_wal_status", "1 for the state that the slot's log is in."}, 1, 3},
};
constexpr Query kSlots{[](int) -> std::string {
                         return R"(
SELECT database, slot_name, slot_type, wal_status, active::int,
       pg_wal_lsn_diff(position, restart_lsn), pg_wal_lsn_diff(position, '0/0'),
       pg_wal_lsn_diff(confirmed_flush_lsn, '0/0'), active::int, safe_wal_size,
       CASE WHEN wal_status IS NOT NULL THEN 1 END
FROM pg_replication_slots,
     (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                  ELSE pg_current_wal_lsn() END AS position) p)";
                       },
                       kSlotLabels, kSlotValues};

constexpr std::array<std::string_view, 2> kReceiverLabels{"upstream_host", "slot_name"};
constexpr auto kCounter = MetricType::kCounter;
constexpr std::array kReceiverValues{
    Value{{"pg_stat_wal_receiver_status",
           "State of the WAL receiver: 0 stopped, 1 starting, 2 streaming, 3 waiting, 4 "
           "restarting, -1 stopping, -2 anything else."}},
    Value{{"pg_stat_wal_receiver_receive_start_lsn", "Where receiving began.", kCounter}},
    Value{{"pg_stat_wal_receiver_receive_start_tli", "Timeline where receiving began."}},
    Value{{"pg_stat_wal_receiver_flushed_lsn", "Position received and flushed.", kCounter}},
    Value{{"pg_stat_wal_receiver_received_tli", "Timeline of the position flushed."}},
    Value{{"pg_stat_wal_receiver_last_msg_send_time",
           "When the primary sent its last message, Unix time.", kCounter}},
    Value{{"pg_stat_wal_receiver_last_msg_receipt_time",
           "When the primary's last message was received, Unix time.", kCounter}},
    Value{{"pg_stat_wal_receiver_latest_end_lsn", "Position last reported to the primary.",
           kCounter}},
    Value{{"pg_stat_wal_receiver_latest_end_time",
           "When a position was last reported to the primary, Unix time.", kCounter}},
};
constexpr Query kReceiver{[](int) -> std::string {
                            return R"(
SELECT sender_host, slot_name,
       CASE status WHEN 'stopped' THEN 0 WHEN 'starting' THEN 1 WHEN 'streaming' THEN 2
                   WHEN 'waiting' THEN 3 WHEN 'restarting' THEN 4 WHEN 'stopping' THEN -1
                   ELSE -2 END,
       pg_wal_lsn_diff(receive_start_lsn, '0/0'), receive_start_tli,
       pg_wal_lsn_diff(flushed_lsn, '0/0'), received_tli,
       date_part('epoch', last_msg_send_time), date_part('epoch', last_msg_receipt_time),
       pg_wal_lsn_diff(latest_end_lsn, '0/0'), date_part('epoch', latest_end_time)
FROM pg_stat_wal_receiver)";
                          },
                          kReceiverLabels, kReceiverValues};

}  // namespace

void AddReplication(Subjects& subjects) {
  subjects.push_back(MakeQuerySubject("replication", kRole));
  subjects.push_back(MakeQuerySubject("stat_replication", kStandbys));
  subjects.push_back(MakeQuerySubject("replication_slots", kSlots));
  subjects.push_back(MakeQuerySubject("stat_wal_receiver", kReceiver));
}

}  // namespace vigia::collectors::postgres
