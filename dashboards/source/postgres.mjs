import {dashboard, gauge, graph, q, redAbove, redBelow, row, stat, upDown, variable} from './grafana.mjs';

const s = 'instance=~"$instance"';
const d = `${s}, datname=~"$datname"`;
const rate = '[$__rate_interval]';

export default dashboard({
  name: 'postgres', title: 'PostgreSQL', tags: ['postgresql'],
  description: 'Sessions, transactions, locks, cache, replication and maintenance, under postgres_exporter\'s names.',
  variables: [variable('instance', 'pg_up, instance', {label: 'Server', description: 'Empty where vigia itself is the data source.'}),
              variable('datname', `pg_database_size_bytes{${s}}, datname`, {label: 'Database'})],
  panels: [
    stat({title: 'Server', description: 'Whether it answers.', thresholds: redBelow(1), mappings: upDown, graphMode: 'none', queries: [q(`min(pg_up{${s}})`)]}),
    gauge({title: 'Connections', description: 'Sessions against what ordinary roles may have.', thresholds: redAbove(0.7, 0.9),
           queries: [q(`max(vigia_postgres_connections{${s}} / vigia_postgres_connections_max{${s}})`)]}),
    gauge({title: 'Cache hit ratio', description: 'Of the last interval, not of the server\'s whole life.', thresholds: [[null, 'red'], [0.9, 'orange'], [0.98, 'green']],
           queries: [q(`min(vigia_postgres_cache_hit_ratio{${d}})`)]}),
    stat({title: 'Waiting for locks', description: 'Sessions that wait for a lock.', thresholds: redAbove(1, 5), queries: [q(`sum(vigia_postgres_blocked_sessions{${s}})`)]}),
    stat({title: 'Longest transaction', description: 'The oldest open one; long ones keep vacuum from cleaning up.', unit: 's', thresholds: redAbove(300, 1800),
          queries: [q(`max(pg_stat_activity_max_tx_duration{${d}})`)]}),
    gauge({title: 'Wraparound', description: 'Transaction ids used up; the server stops writing before 100 %.', thresholds: redAbove(0.25, 0.5),
           queries: [q(`max(vigia_postgres_wraparound_ratio{${d}})`)]}),
    row('Work'),
    graph({title: 'Sessions by state', description: 'What the clients\' sessions do.', stack: true, min: 0, queries: [q(`sum by (state) (pg_stat_activity_count{${d}})`, '{{state}}')]}),
    graph({title: 'Transactions', description: 'Committed and rolled back.', unit: 'ops', min: 0, queries: [
      q(`sum by (datname) (rate(pg_stat_database_xact_commit{${d}}${rate}))`, '{{datname}} commit'),
      q(`sum by (datname) (rate(pg_stat_database_xact_rollback{${d}}${rate}))`, '{{datname}} rollback')]}),
    graph({title: 'Rows', description: 'Rows read and changed.', unit: 'ops', min: 0, queries: [
      q(`sum(rate(pg_stat_database_tup_fetched{${d}}${rate}))`, 'fetched'), q(`sum(rate(pg_stat_database_tup_inserted{${d}}${rate}))`, 'inserted'),
      q(`sum(rate(pg_stat_database_tup_updated{${d}}${rate}))`, 'updated'), q(`sum(rate(pg_stat_database_tup_deleted{${d}}${rate}))`, 'deleted')]}),
    graph({title: 'Blocks', description: 'Found in the cache and read from outside.', unit: 'ops', min: 0, queries: [
      q(`sum(rate(pg_stat_database_blks_hit{${d}}${rate}))`, 'hit'), q(`sum(rate(pg_stat_database_blks_read{${d}}${rate}))`, 'read')]}),
    row('Locks and conflicts'),
    graph({title: 'Locks by mode', description: 'Held or awaited.', min: 0, queries: [q(`sum by (mode) (pg_locks_count{${d}}) > 0`, '{{mode}}')]}),
    graph({title: 'Waiting', description: 'Sessions that wait, the longest chain, and for how long.', min: 0, queries: [
      q(`vigia_postgres_blocked_sessions{${s}}`, 'sessions'), q(`vigia_postgres_blocking_chain_length{${s}}`, 'longest chain'), q(`vigia_postgres_blocked_seconds{${s}}`, 'seconds')]}),
    graph({title: 'Deadlocks, conflicts, temporary files', description: 'Each should be near zero.', unit: 'ops', min: 0, queries: [
      q(`sum(rate(pg_stat_database_deadlocks{${d}}${rate}))`, 'deadlocks'), q(`sum(rate(pg_stat_database_conflicts{${d}}${rate}))`, 'conflicts'),
      q(`sum(rate(pg_stat_database_temp_files{${d}}${rate}))`, 'temporary files')]}),
    graph({title: 'Open transactions', description: 'The longest by state.', unit: 's', min: 0, queries: [q(`max by (state) (pg_stat_activity_max_tx_duration{${d}})`, '{{state}}')]}),
    row('Storage and replication'),
    graph({title: 'Database size', description: 'On disk.', unit: 'bytes', min: 0, queries: [q(`pg_database_size_bytes{${d}}`, '{{datname}}')]}),
    graph({title: 'Write-ahead log', description: 'Bytes written.', unit: 'Bps', min: 0, queries: [q(`rate(vigia_postgres_wal_bytes_total{${s}}${rate})`, 'written')]}),
    graph({title: 'Checkpoints and buffers', description: 'Requested checkpoints mean that max_wal_size is small.', unit: 'ops', min: 0, queries: [
      q(`rate(pg_stat_bgwriter_checkpoints_timed_total{${s}}${rate})`, 'timed'), q(`rate(pg_stat_bgwriter_checkpoints_req_total{${s}}${rate})`, 'requested'),
      q(`rate(pg_stat_bgwriter_buffers_backend_total{${s}}${rate})`, 'buffers written by sessions')]}),
    graph({title: 'Replication', description: 'Lag of this server as a standby; nothing on a primary without one.', unit: 's', min: 0, queries: [
      q(`pg_replication_lag_seconds{${s}}`, 'this server'), q(`vigia_postgres_replication_replay_lag_seconds{${s}}`, '{{application_name}}')]}),
  ],
});
