import {dashboard, graph, q, redAbove, row, stat, table, variable} from './grafana.mjs';

const j = 'job=~"$job"';
const rate = '[$__rate_interval]';
const total = `django_http_responses_total_by_status_total{${j}}`;
const bucket = `django_http_requests_latency_seconds_by_view_method_bucket{${j}}`;

export default dashboard({
  name: 'requests', title: 'Requests and security', tags: ['requests'],
  description: 'Requests of a Django application (django-prometheus through scrape), and who is turned away from vigia itself.',
  variables: [variable('job', 'django_http_requests_before_middlewares_total, job', {label: 'Application'})],
  panels: [
    stat({title: 'Requests', description: 'Per second.', width: 6, unit: 'reqps', queries: [q(`sum(rate(${total}${rate}))`)]}),
    stat({title: 'Errors', description: 'Share of answers with a 5xx code.', width: 6, unit: 'percentunit', thresholds: redAbove(0.01, 0.05),
          queries: [q(`sum(rate(django_http_responses_total_by_status_total{${j}, status=~"5.."}${rate})) / sum(rate(${total}${rate}))`)]}),
    stat({title: 'Median', description: 'Half of the requests are faster.', width: 6, unit: 's', queries: [q(`histogram_quantile(0.5, sum by (le) (rate(${bucket}${rate})))`)]}),
    stat({title: '99th percentile', description: 'One in a hundred is slower.', width: 6, unit: 's', queries: [q(`histogram_quantile(0.99, sum by (le) (rate(${bucket}${rate})))`)]}),
    row('Application'),
    graph({title: 'Requests by status', description: 'Answers per second.', unit: 'reqps', stack: true, min: 0, queries: [q(`sum by (status) (rate(${total}${rate}))`, '{{status}}')]}),
    graph({title: 'Latency', description: 'Quantiles over all views.', unit: 's', min: 0, queries: [
      q(`histogram_quantile(0.5, sum by (le) (rate(${bucket}${rate})))`, 'p50'), q(`histogram_quantile(0.9, sum by (le) (rate(${bucket}${rate})))`, 'p90'),
      q(`histogram_quantile(0.99, sum by (le) (rate(${bucket}${rate})))`, 'p99')]}),
    table({title: 'Views', description: 'Requests and 95th percentile of each view.', width: 24, by: ['view', 'method'], sortBy: 'requests', queries: [
      q(`topk(30, sum by (view, method) (rate(django_http_requests_latency_seconds_by_view_method_count{${j}}${rate})))`, 'requests', {unit: 'reqps'}),
      q(`histogram_quantile(0.95, sum by (view, method, le) (rate(${bucket}${rate})))`, 'p95', {unit: 's'})]}),
    row('vigia\'s own door'),
    graph({title: 'Answers of vigia', description: 'By code; 401, 403 and 429 are people or programs turned away.', unit: 'reqps', min: 0,
           queries: [q(`sum by (code) (rate(vigia_http_requests_total${rate}))`, '{{code}}')]}),
    graph({title: 'Turned away', description: 'Refused for lack of rights or too many requests.', unit: 'reqps', min: 0,
           queries: [q(`sum by (code) (rate(vigia_http_requests_total{code=~"401|403|429"}${rate}))`, '{{code}}')]}),
  ],
});
