import {dashboard, graph, q, redBelow, row, stat, table, upDown, variable} from './grafana.mjs';

const t = 'instance=~"$target"';

export default dashboard({
  name: 'endpoints', title: 'Endpoints', tags: ['probe'],
  description: 'What the probes find: up, how fast, until when the certificates are good, under blackbox_exporter\'s names.',
  variables: [variable('target', 'probe_success, instance', {label: 'Target', description: 'Empty where there is only one and vigia itself is the data source.'})],
  panels: [
    stat({title: 'Up', description: 'Each target\'s last probe.', width: 12, thresholds: redBelow(1), mappings: upDown, graphMode: 'none', colorMode: 'background',
          queries: [q(`probe_success{${t}}`, '{{instance}}')]}),
    stat({title: 'Available, 24 h', description: 'Share of good probes.', width: 6, unit: 'percentunit', graphMode: 'none', thresholds: [[null, 'red'], [0.99, 'orange'], [0.999, 'green']],
          queries: [q(`min(avg_over_time(probe_success{${t}}[24h]))`)]}),
    stat({title: 'First certificate to expire', description: 'Time left; negative once it has expired.', width: 6, unit: 's', graphMode: 'none', noValue: 'no TLS target',
          thresholds: [[null, 'red'], [604800, 'orange'], [1814400, 'green']], queries: [q(`min(probe_ssl_earliest_cert_expiry{${t}} - time())`)]}),
    graph({title: 'Duration', description: 'Of a whole probe.', unit: 's', min: 0, queries: [q(`probe_duration_seconds{${t}}`, '{{instance}}')]}),
    graph({title: 'HTTP phases', description: 'Where the time goes, on average over the targets.', unit: 's', min: 0, stack: true,
           queries: [q(`avg by (phase) (probe_http_duration_seconds{${t}})`, '{{phase}}')]}),
    graph({title: 'Failures', description: 'Share of failed probes in the last ten minutes.', unit: 'percentunit', min: 0, max: 1,
           queries: [q(`1 - avg_over_time(probe_success{${t}}[10m])`, '{{instance}}')]}),
    graph({title: 'Name resolution', description: 'Time that DNS took.', unit: 's', min: 0, queries: [q(`probe_dns_lookup_time_seconds{${t}}`, '{{instance}}')]}),
    row('Each target'),
    table({title: 'Targets', description: 'The last probe of each.', width: 24, by: ['instance'], rename: {instance: 'target'}, queries: [
      q(`probe_success{${t}}`, 'up'), q(`probe_duration_seconds{${t}}`, 'duration', {unit: 's'}), q(`probe_http_status_code{${t}}`, 'status'),
      q(`probe_ssl_earliest_cert_expiry{${t}} - time()`, 'certificate', {unit: 's'})]}),
    row('Other exporters'),
    graph({title: 'Scraped exporters', description: 'Whether their pages could be read.', min: 0, max: 1, queries: [q('up', '{{job}} {{instance}}')]}),
    graph({title: 'Samples', description: 'Per page.', min: 0, queries: [q('scrape_samples_scraped', '{{job}} {{instance}}')]}),
  ],
});
