import {dashboard, gauge, graph, q, redAbove, redBelow, row, stat, table, upDown} from './grafana.mjs';

const rate = '[$__rate_interval]';

export default dashboard({
  name: 'overview', title: 'Overview', tags: ['overview'], alerts: false,
  description: 'Is it healthy, what fires, what deviates.',
  panels: [
    stat({title: 'Firing', description: 'Alerts that fire, the watchdog left out.', colorMode: 'background', graphMode: 'none', thresholds: redAbove(1, 1),
          queries: [q('count(ALERTS{alertstate="firing", severity!="none"}) or vector(0)')]}),
    stat({title: 'Pending', description: 'Alerts that will fire if it goes on.', graphMode: 'none', thresholds: [[null, 'green'], [1, 'orange']],
          queries: [q('count(ALERTS{alertstate="pending"}) or vector(0)')]}),
    stat({title: 'Regressions', description: 'Series that are worse than their baseline and stay so.', graphMode: 'none', thresholds: [[null, 'green'], [1, 'orange']],
          queries: [q('count(vigia_baseline_regression > 0) or vector(0)')]}),
    stat({title: 'Collectors down', description: 'Sources that cannot be read.', graphMode: 'none', thresholds: redAbove(1, 1), queries: [q('count(vigia_collector_up == 0) or vector(0)')]}),
    stat({title: 'PostgreSQL', description: 'Whether it answers.', graphMode: 'none', thresholds: redBelow(1), mappings: upDown, noValue: 'not watched', queries: [q('min(pg_up)')]}),
    stat({title: 'Redis', description: 'Whether it answers.', graphMode: 'none', thresholds: redBelow(1), mappings: upDown, noValue: 'not watched', queries: [q('min(redis_up)')]}),
    table({title: 'Alerts', description: 'All that are pending or fire.', width: 24, height: 7, by: ['alertname', 'severity', 'alertstate'],
           rename: {alertname: 'alert', alertstate: 'state'}, queries: [q('sum by (alertname, severity, alertstate) (ALERTS)', 'number')]}),
    row('Host'),
    gauge({title: 'CPU', description: 'Busy share.', thresholds: redAbove(0.8, 0.95), queries: [q(`1 - avg(rate(node_cpu_seconds_total{mode="idle"}${rate}))`)]}),
    gauge({title: 'Memory', description: 'Used share.', thresholds: redAbove(0.85, 0.95), queries: [q('1 - sum(node_memory_MemAvailable_bytes) / sum(node_memory_MemTotal_bytes)')]}),
    gauge({title: 'Fullest filesystem', description: 'Used share.', thresholds: redAbove(0.8, 0.9),
           queries: [q('max(1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"})')]}),
    graph({title: 'Load and pressure', description: 'Load over CPUs, and the share of time that something waited.', height: 8, queries: [
      q('sum(node_load1) / count(node_cpu_seconds_total{mode="idle"})', 'load per CPU'), q(`rate(node_pressure_io_waiting_seconds_total${rate})`, 'waiting for disks'),
      q(`rate(node_pressure_memory_waiting_seconds_total${rate})`, 'waiting for memory')]}),
    row('Data stores and endpoints'),
    graph({title: 'Transactions', description: 'PostgreSQL, committed.', unit: 'ops', min: 0, queries: [q(`sum by (datname) (rate(pg_stat_database_xact_commit${rate}))`, '{{datname}}')]}),
    graph({title: 'Redis commands', description: 'Per second.', unit: 'ops', min: 0, queries: [q(`sum(rate(redis_commands_processed_total${rate}))`, 'commands')]}),
    graph({title: 'Endpoints', description: 'Duration of the probes.', unit: 's', min: 0, queries: [q('probe_duration_seconds', '{{instance}}')]}),
    graph({title: 'Furthest from normal', description: 'The ten highest scores of the baselines.', min: 0, max: 1, queries: [q('topk(10, vigia_baseline_score)', '{{baseline}}')]}),
  ],
});
