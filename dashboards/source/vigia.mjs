import {dashboard, graph, q, redAbove, row, stat, table} from './grafana.mjs';

const rate = '[$__rate_interval]';

export default dashboard({
  name: 'vigia', title: 'vigia itself', tags: ['self'],
  description: 'Who watches the lookout: collectors, history, rules, delivery, and what it costs.',
  panels: [
    stat({title: 'Up for', description: 'Since the process started.', unit: 's', graphMode: 'none', queries: [q('time() - max(process_start_time_seconds)')]}),
    stat({title: 'CPU', description: 'Of one core.', unit: 'percentunit', thresholds: redAbove(0.2, 0.5), queries: [q(`sum(rate(process_cpu_seconds_total${rate}))`)]}),
    stat({title: 'Memory', description: 'Resident.', unit: 'bytes', queries: [q('sum(process_resident_memory_bytes)')]}),
    stat({title: 'Collectors down', description: 'Whose last run failed.', thresholds: redAbove(1, 1), queries: [q('count(vigia_collector_up == 0) or vector(0)')]}),
    stat({title: 'Series', description: 'In the last readings.', queries: [q('sum(vigia_collector_series)')]}),
    stat({title: 'Configuration', description: 'Whether the last reload was taken.', graphMode: 'none', thresholds: [[null, 'red'], [1, 'green']],
          mappings: [{type: 'value', options: {0: {text: 'refused', index: 0}, 1: {text: 'good', index: 1}}}], queries: [q('min(vigia_config_last_reload_successful)')]}),
    row('Collectors'),
    graph({title: 'Duration', description: 'The ten slowest.', unit: 's', min: 0, queries: [q('topk(10, vigia_collector_duration_seconds)', '{{collector}}')]}),
    graph({title: 'Failures and timeouts', description: 'Per second.', unit: 'ops', min: 0, queries: [
      q(`sum by (collector) (rate(vigia_collector_failures_total${rate})) > 0`, '{{collector}} failed'), q(`sum by (collector) (rate(vigia_collector_timeouts_total${rate})) > 0`, '{{collector}} late')]}),
    table({title: 'Collectors', description: 'State of each.', width: 24, by: ['collector'], queries: [
      q('min by (collector) (vigia_collector_up)', 'up'), q('max by (collector) (vigia_collector_duration_seconds)', 'took', {unit: 's'}),
      q('sum by (collector) (vigia_collector_series)', 'series'), q('sum by (collector) (vigia_collector_dropped_series_total)', 'dropped')]}),
    row('Answers'),
    graph({title: 'Requests', description: 'By code.', unit: 'reqps', min: 0, queries: [q(`sum by (code) (rate(vigia_http_requests_total${rate}))`, '{{code}}')]}),
    graph({title: 'Time of an answer', description: '99th percentile by handler.', unit: 's', min: 0,
           queries: [q(`histogram_quantile(0.99, sum by (handler, le) (rate(vigia_http_request_duration_seconds_bucket${rate})))`, '{{handler}}')]}),
    row('Process'),
    graph({title: 'Memory', description: 'Resident.', unit: 'bytes', min: 0, queries: [q('process_resident_memory_bytes', 'resident')]}),
    graph({title: 'Descriptors and threads', description: 'A rise that never falls is a leak.', min: 0, queries: [q('process_open_fds', 'descriptors'), q('process_threads', 'threads')]}),
  ],
});
