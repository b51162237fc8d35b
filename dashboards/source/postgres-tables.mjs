import {dashboard, graph, q, row, table, variable} from './grafana.mjs';

const d = 'instance=~"$instance", datname=~"$datname"';
const t = `${d}, relname=~"$relname"`;
const rate = '[$__rate_interval]';
const by = ['datname', 'schemaname', 'relname'];
const rename = {datname: 'database', schemaname: 'schema', relname: 'table'};

export default dashboard({
  name: 'postgres-tables', title: 'PostgreSQL tables', tags: ['postgresql'],
  description: 'Size, growth, access and vacuum of tables and indexes.',
  variables: [variable('instance', 'pg_up, instance', {label: 'Server'}),
              variable('datname', 'pg_stat_user_tables_n_live_tup{instance=~"$instance"}, datname', {label: 'Database'}),
              variable('relname', `pg_stat_user_tables_n_live_tup{${d}}, relname`, {label: 'Table'})],
  panels: [
    table({title: 'Largest tables', description: 'The 50 largest, with their indexes.', width: 24, height: 10, by, rename, sortBy: 'size', queries: [
      q(`topk(50, pg_stat_user_tables_table_size_bytes{${t}})`, 'size', {unit: 'bytes'}), q(`topk(50, pg_stat_user_tables_index_size_bytes{${t}})`, 'indexes', {unit: 'bytes'}),
      q(`topk(50, pg_stat_user_tables_n_live_tup{${t}})`, 'rows'), q(`topk(50, pg_stat_user_tables_n_dead_tup{${t}})`, 'dead rows')]}),
    row('Access'),
    graph({title: 'Sequential scans', description: 'Rows read by them: large figures on large tables ask for an index.', unit: 'ops', min: 0,
           queries: [q(`topk(10, rate(pg_stat_user_tables_seq_tup_read{${t}}${rate}))`, '{{relname}}')]}),
    graph({title: 'Index scans', description: 'Scans by index.', unit: 'ops', min: 0, queries: [q(`topk(10, rate(pg_stat_user_tables_idx_scan{${t}}${rate}))`, '{{relname}}')]}),
    graph({title: 'Rows changed', description: 'Inserted, updated and deleted.', unit: 'ops', min: 0, queries: [
      q(`topk(10, rate(pg_stat_user_tables_n_tup_ins{${t}}${rate}) + rate(pg_stat_user_tables_n_tup_upd{${t}}${rate}) + rate(pg_stat_user_tables_n_tup_del{${t}}${rate}))`, '{{relname}}')]}),
    graph({title: 'Dead rows', description: 'What vacuum has not yet removed.', min: 0, queries: [q(`topk(10, pg_stat_user_tables_n_dead_tup{${t}})`, '{{relname}}')]}),
    row('Growth'),
    graph({title: 'Size', description: 'The ten largest tables.', unit: 'bytes', min: 0, queries: [q(`topk(10, pg_stat_user_tables_table_size_bytes{${t}})`, '{{relname}}')]}),
    graph({title: 'Growth per day', description: 'By the trend of the last hour.', unit: 'bytes',
           queries: [q(`topk(10, deriv(pg_stat_user_tables_table_size_bytes{${t}}[1h]) * 86400)`, '{{relname}}')]}),
    row('Hints'),
    table({title: 'Unused indexes', description: 'Indexes that no query has used since the statistics were reset.', height: 8, by: ['datname', 'schemaname', 'relname', 'indexrelname'],
           rename: {...rename, indexrelname: 'index'}, sortBy: 'size', queries: [q(`topk(50, vigia_postgres_unused_index_bytes{${t}})`, 'size', {unit: 'bytes'})]}),
    table({title: 'Missing indexes', description: 'Tables whose sequential scans read many rows each.', height: 8, by, rename, sortBy: 'rows per scan',
           queries: [q(`topk(50, vigia_postgres_missing_index_rows_per_scan{${t}})`, 'rows per scan')]}),
  ],
});
