// What the subject views show: charts and tables as PromQL. `$rate` stands for a window that
// holds enough readings.

const q = (expr, name, more = {}) => ({expr, name, ...more});

// Statements with their texts as the label `query`, where `statements.text` has them read.
const withText = expr => `${expr} * on (target, queryid) group_left (query) max by (target, queryid, query) (pg_stat_statements_query_id) or ` +
    `${expr} unless on (target, queryid) pg_stat_statements_query_id`;

export const subjects = {
  host: {
    title: 'Host',
    probe: 'node_time_seconds',
    absent: 'The host collector is not configured.',
    charts: [
      {title: 'CPU', unit: 'percent', max: 100, queries: [
        q('100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$rate])))', 'busy', {fill: true}),
        q('100 * avg(rate(node_cpu_seconds_total{mode="iowait"}[$rate]))', 'waiting for disks'),
        q('100 * avg(rate(node_cpu_seconds_total{mode="steal"}[$rate]))', 'stolen')]},
      {title: 'Load', queries: [
        q('node_load1', '1 min'), q('node_load5', '5 min'), q('node_load15', '15 min'),
        q('count(node_cpu_seconds_total{mode="idle"})', 'CPUs', {dash: [6, 4]})]},
      {title: 'Memory', unit: 'bytes', queries: [
        q('node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes', 'used', {fill: true}),
        q('node_memory_Cached_bytes', 'cache'),
        q('node_memory_SwapTotal_bytes - node_memory_SwapFree_bytes', 'swap used'),
        q('node_memory_MemTotal_bytes', 'total', {dash: [6, 4]})]},
      {title: 'Pressure', unit: 'percent', note: 'share of time that something waited', queries: [
        q('100 * rate(node_pressure_cpu_waiting_seconds_total[$rate])', 'CPU'),
        q('100 * rate(node_pressure_memory_waiting_seconds_total[$rate])', 'memory'),
        q('100 * rate(node_pressure_io_waiting_seconds_total[$rate])', 'disks')]},
      {title: 'Disk throughput', unit: 'bytes/s', queries: [
        q('rate(node_disk_read_bytes_total[$rate])', '{{device}} read'),
        q('rate(node_disk_written_bytes_total[$rate])', '{{device}} write')]},
      {title: 'Disk busy', unit: 'percent', queries: [
        q('100 * rate(node_disk_io_time_seconds_total[$rate])', '{{device}}')]},
      {title: 'Network', unit: 'bytes/s', queries: [
        q('rate(node_network_receive_bytes_total{device!="lo"}[$rate])', '{{device}} in'),
        q('rate(node_network_transmit_bytes_total{device!="lo"}[$rate])', '{{device}} out')]},
      {title: 'Filesystems used', unit: 'percent', max: 100, queries: [
        q('100 * (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|overlay"})',
          '{{mountpoint}}')]},
    ],
    tables: [{
      caption: 'Filesystems', key: labels => labels.mountpoint, sort: 3, columns: [
        {name: 'Mount', label: 'mountpoint'}, {name: 'Device', label: 'device'},
        {name: 'Size', unit: 'bytes', expr: 'node_filesystem_size_bytes'},
        {name: 'Used', unit: 'percent', expr: '100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)'},
        {name: 'Inodes used', unit: 'percent', expr: '100 * (1 - node_filesystem_files_free / (node_filesystem_files > 0))'},
      ]}],
  },

  postgres: {
    title: 'PostgreSQL',
    probe: 'pg_up',
    absent: 'No PostgreSQL is watched: add one under collectors.postgres in vigia.yml.',
    charts: [
      {title: 'Sessions', unit: 'count', queries: [
        q('sum by (state) (pg_stat_activity_count{state!~"disabled|fastpath function call"})', '{{state}}'),
        q('vigia_postgres_connections_max', 'limit', {dash: [6, 4]})]},
      {title: 'Transactions', unit: '/s', queries: [
        q('sum by (datname) (rate(pg_stat_database_xact_commit[$rate])) > 0', '{{datname}} commit'),
        q('sum by (datname) (rate(pg_stat_database_xact_rollback[$rate])) > 0', '{{datname}} rollback')]},
      {title: 'Cache hit ratio', unit: 'ratio', max: 1, note: 'of the last interval', queries: [
        q('vigia_postgres_cache_hit_ratio', '{{datname}}')]},
      {title: 'Waiting for locks', unit: 'count', queries: [
        q('vigia_postgres_blocked_sessions', 'sessions waiting'),
        q('vigia_postgres_blocking_chain_length', 'longest chain')]},
      {title: 'Longest transaction', unit: 'seconds', queries: [
        q('max by (datname) (pg_stat_activity_max_tx_duration) > 0', '{{datname}}')]},
      {title: 'Rows', unit: '/s', queries: [
        q('sum(rate(pg_stat_database_tup_fetched[$rate]))', 'fetched'),
        q('sum(rate(pg_stat_database_tup_inserted[$rate]))', 'inserted'),
        q('sum(rate(pg_stat_database_tup_updated[$rate]))', 'updated'),
        q('sum(rate(pg_stat_database_tup_deleted[$rate]))', 'deleted')]},
      {title: 'Database size', unit: 'bytes', queries: [q('pg_database_size_bytes', '{{datname}}')]},
      {title: 'Write-ahead log', unit: 'bytes/s', queries: [q('rate(vigia_postgres_wal_bytes_total[$rate])', 'written')]},
      {title: 'Deadlocks and conflicts', unit: '/s', queries: [
        q('sum(rate(pg_stat_database_deadlocks[$rate]))', 'deadlocks'),
        q('sum(rate(pg_stat_database_conflicts[$rate]))', 'conflicts')]},
      {title: 'Replication lag', unit: 'seconds', queries: [
        q('pg_replication_lag_seconds', 'of this server'),
        q('vigia_postgres_replication_replay_lag_seconds', '{{application_name}}')]},
    ],
    tables: [{
      caption: 'Largest tables', sort: 2, descending: true,
      key: labels => [labels.target, labels.datname, labels.schemaname, labels.relname].join('\n'), columns: [
        {name: 'Database', label: 'datname'}, {name: 'Table', label: 'relname'},
        {name: 'Size', unit: 'bytes', expr: 'topk(200, pg_stat_user_tables_table_size_bytes)', leads: true},
        {name: 'Rows', unit: 'number', expr: 'pg_stat_user_tables_n_live_tup'},
        {name: 'Dead', unit: 'number', expr: 'pg_stat_user_tables_n_dead_tup'},
        {name: 'Seq. scans', unit: '/s', expr: 'rate(pg_stat_user_tables_seq_scan[$rate])'},
        {name: 'Index scans', unit: '/s', expr: 'rate(pg_stat_user_tables_idx_scan[$rate])'},
      ]}, {
      caption: 'Slow statements', sort: 2, descending: true, optional: true,
      key: labels => [labels.target, labels.datname, labels.queryid].join('\n'), columns: [
        {name: 'Database', label: 'datname'}, {name: 'Statement', text: labels => labels.query ?? labels.queryid},
        {name: 'Time', unit: 'percent', expr: withText('100 * rate(pg_stat_statements_seconds_total[$rate])'), leads: true},
        {name: 'Calls', unit: '/s', expr: 'rate(pg_stat_statements_calls_total[$rate])'},
        {name: 'Mean', unit: 'seconds', expr: 'rate(pg_stat_statements_seconds_total[$rate]) / (rate(pg_stat_statements_calls_total[$rate]) > 0)'},
      ]}],
  },

  redis: {
    title: 'Redis',
    probe: 'redis_up',
    absent: 'No Redis is watched: add one under collectors.redis in vigia.yml.',
    charts: [
      {title: 'Commands', unit: '/s', queries: [q('rate(redis_commands_processed_total[$rate])', 'all', {fill: true})]},
      {title: 'Commands by name', unit: '/s', queries: [q('topk(8, rate(redis_commands_total[$rate]))', '{{cmd}}')]},
      {title: 'Hit ratio', unit: 'ratio', max: 1, note: 'of the last interval', queries: [q('vigia_redis_hit_ratio', 'hits')]},
      {title: 'Memory', unit: 'bytes', queries: [
        q('redis_memory_used_bytes', 'used', {fill: true}), q('redis_memory_used_rss_bytes', 'resident'),
        q('redis_memory_max_bytes > 0', 'limit', {dash: [6, 4]})]},
      {title: 'Clients', unit: 'count', queries: [
        q('redis_connected_clients', 'connected'), q('redis_blocked_clients', 'blocked')]},
      {title: 'Keys', unit: 'count', queries: [q('redis_db_keys > 0', '{{db}}')]},
      {title: 'Evicted and expired', unit: '/s', queries: [
        q('rate(redis_evicted_keys_total[$rate])', 'evicted'), q('rate(redis_expired_keys_total[$rate])', 'expired')]},
      {title: 'Network', unit: 'bytes/s', queries: [
        q('rate(redis_net_input_bytes_total[$rate])', 'in'), q('rate(redis_net_output_bytes_total[$rate])', 'out')]},
      {title: 'Round trip', unit: 'seconds', queries: [q('vigia_redis_round_trip_seconds', 'all commands of a reading')]},
    ],
    tables: [{
      caption: 'Watched keys by length', sort: 2, descending: true, optional: true,
      key: labels => [labels.target, labels.db, labels.key].join('\n'), columns: [
        {name: 'Database', label: 'db'}, {name: 'Key', label: 'key'},
        {name: 'Length', unit: 'number', expr: 'topk(200, redis_key_size)', leads: true}]}, {
      caption: 'Commands', sort: 1, descending: true,
      key: labels => [labels.target, labels.cmd].join('\n'), columns: [
        {name: 'Command', label: 'cmd'},
        {name: 'Calls', unit: '/s', expr: 'rate(redis_commands_total[$rate])', leads: true},
        {name: 'Mean', unit: 'seconds', expr: 'rate(redis_commands_duration_seconds_total[$rate]) / (rate(redis_commands_total[$rate]) > 0)'}]}],
  },

  endpoints: {
    title: 'Endpoints',
    probe: 'probe_success',
    absent: 'No endpoint is probed: add some under collectors.probe in vigia.yml.',
    charts: [
      {title: 'Up', unit: 'up', max: 1, queries: [q('probe_success', '{{instance}}')]},
      {title: 'Duration', unit: 'seconds', queries: [q('probe_duration_seconds', '{{instance}}')]},
      {title: 'HTTP phases', unit: 'seconds', queries: [q('avg by (phase) (probe_http_duration_seconds)', '{{phase}}')]},
      {title: 'Certificate expires in', unit: 'seconds', queries: [
        q('probe_ssl_earliest_cert_expiry - time()', '{{instance}}')]},
      {title: 'Scraped exporters up', unit: 'up', max: 1, queries: [q('up', '{{job}} {{instance}}')]},
    ],
    tables: [{
      caption: 'Endpoints', sort: 1, key: labels => [labels.instance, labels.job].join('\n'), columns: [
        {name: 'Target', label: 'instance'},
        {name: 'Up', unit: 'up', expr: 'probe_success', leads: true},
        {name: 'Duration', unit: 'seconds', expr: 'probe_duration_seconds'},
        {name: 'Available, 24 h', unit: 'percent', expr: '100 * avg_over_time(probe_success[24h])'},
        {name: 'Status', unit: 'number', expr: 'probe_http_status_code'},
        {name: 'Certificate', unit: 'seconds', expr: 'probe_ssl_earliest_cert_expiry - time()'}]}],
  },

  kpis: {
    title: 'KPIs',
    probe: 'vigia_kpi_age_seconds',
    absent: 'No KPI is watched: add a collector file under collectors.kpi in vigia.yml.',
    // One chart per metric whose name begins so; they come from the user's own files.
    discover: '^kpi_.+',
    charts: [{title: 'Age of the values', unit: 'seconds', queries: [q('vigia_kpi_age_seconds', '{{query}}')]}],
    tables: [{
      caption: 'Queries', sort: 0, key: labels => [labels.target, labels.query, labels.instance].join('\n'), columns: [
        {name: 'Query', label: 'query'},
        {name: 'Age', unit: 'seconds', expr: 'vigia_kpi_age_seconds', leads: true},
        {name: 'Took', unit: 'seconds', expr: 'vigia_kpi_query_duration_seconds'},
        {name: 'State', unit: 'up', expr: 'vigia_kpi_query_up'},
        {name: 'Rows', unit: 'number', expr: 'vigia_kpi_query_rows'}]}],
  },
};
