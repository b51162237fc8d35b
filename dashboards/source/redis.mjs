import {dashboard, gauge, graph, q, redAbove, redBelow, row, stat, table, upDown, variable} from './grafana.mjs';

const i = 'instance=~"$instance"';
const rate = '[$__rate_interval]';

export default dashboard({
  name: 'redis', title: 'Redis', tags: ['redis'],
  description: 'Commands, memory, keys, clients, persistence and replication, under redis_exporter\'s names.',
  variables: [variable('instance', 'redis_up, instance', {label: 'Server', description: 'Empty where vigia itself is the data source.'})],
  panels: [
    stat({title: 'Server', description: 'Whether it answers.', thresholds: redBelow(1), mappings: upDown, graphMode: 'none', queries: [q(`min(redis_up{${i}})`)]}),
    stat({title: 'Commands', description: 'Per second.', unit: 'ops', queries: [q(`sum(rate(redis_commands_processed_total{${i}}${rate}))`)]}),
    gauge({title: 'Hit ratio', description: 'Of the last interval; empty while nothing is looked up.', thresholds: [[null, 'red'], [0.5, 'orange'], [0.8, 'green']],
           queries: [q(`min(vigia_redis_hit_ratio{${i}})`)]}),
    stat({title: 'Memory', description: 'Used by data and overhead.', unit: 'bytes', queries: [q(`sum(redis_memory_used_bytes{${i}})`)]}),
    stat({title: 'Clients', description: 'Connected.', queries: [q(`sum(redis_connected_clients{${i}})`)]}),
    stat({title: 'Evicted', description: 'Keys removed for lack of memory, per second.', unit: 'ops', thresholds: redAbove(0.01, 10), queries: [q(`sum(rate(redis_evicted_keys_total{${i}}${rate}))`)]}),
    row('Work'),
    graph({title: 'Commands by name', description: 'The ten most frequent.', unit: 'ops', stack: true, min: 0, queries: [q(`topk(10, sum by (cmd) (rate(redis_commands_total{${i}}${rate})))`, '{{cmd}}')]}),
    graph({title: 'Time of a command', description: 'Mean, on the server.', unit: 's', min: 0, queries: [
      q(`topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total{${i}}${rate})) / sum by (cmd) (rate(redis_commands_total{${i}}${rate})))`, '{{cmd}}')]}),
    graph({title: 'Look-ups', description: 'Keys found and not found.', unit: 'ops', min: 0, queries: [
      q(`rate(redis_keyspace_hits_total{${i}}${rate})`, 'hits'), q(`rate(redis_keyspace_misses_total{${i}}${rate})`, 'misses')]}),
    graph({title: 'Network', description: 'Bytes in and out.', unit: 'Bps', queries: [
      q(`rate(redis_net_input_bytes_total{${i}}${rate})`, 'in'), q(`-rate(redis_net_output_bytes_total{${i}}${rate})`, 'out')]}),
    row('Memory and keys'),
    graph({title: 'Memory', description: 'Used, resident and the limit where there is one.', unit: 'bytes', min: 0, queries: [
      q(`redis_memory_used_bytes{${i}}`, 'used'), q(`redis_memory_used_rss_bytes{${i}}`, 'resident'), q(`redis_memory_max_bytes{${i}} > 0`, 'limit')]}),
    graph({title: 'Fragmentation', description: 'Resident over used; much above 1.5 wastes memory.', min: 0, queries: [q(`redis_mem_fragmentation_ratio{${i}}`, 'ratio')]}),
    graph({title: 'Keys', description: 'By database.', min: 0, queries: [q(`redis_db_keys{${i}} > 0`, '{{db}}'), q(`redis_db_keys_expiring{${i}} > 0`, '{{db}} expiring')]}),
    graph({title: 'Expired and evicted', description: 'Keys that went.', unit: 'ops', min: 0, queries: [
      q(`rate(redis_expired_keys_total{${i}}${rate})`, 'expired'), q(`rate(redis_evicted_keys_total{${i}}${rate})`, 'evicted')]}),
    row('Clients, persistence, replication'),
    graph({title: 'Clients', description: 'Connected and blocked.', min: 0, queries: [
      q(`redis_connected_clients{${i}}`, 'connected'), q(`redis_blocked_clients{${i}}`, 'blocked')]}),
    graph({title: 'Rejected and failed', description: 'Connections refused and calls that failed.', unit: 'ops', min: 0, queries: [
      q(`rate(redis_rejected_connections_total{${i}}${rate})`, 'connections'), q(`sum(rate(redis_commands_failed_calls_total{${i}}${rate}))`, 'calls')]}),
    graph({title: 'Changes since the last save', description: 'What a crash would lose without an append-only file.', min: 0, queries: [q(`redis_rdb_changes_since_last_save{${i}}`, 'changes')]}),
    graph({title: 'Replicas', description: 'Connected ones.', min: 0, queries: [q(`redis_connected_slaves{${i}}`, 'replicas')]}),
    table({title: 'Watched keys', description: 'Length of the keys that the configuration names.', width: 24, by: ['db', 'key'], sortBy: 'length', queries: [q(`redis_key_size{${i}}`, 'length')]}),
  ],
});
