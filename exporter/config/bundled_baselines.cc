#include "exporter/config/bundled_baselines.h"

namespace vigia::exporter {

// django-prometheus' names, the generic ones of other frameworks, and those of vigia's collectors.
// Floors keep what is small in absolute terms from being told. Shares of errors are of endpoints
// with a request in 20 s at least: below that, one error is a regression. Growth is of tables above
// 10 MB.
const std::string_view kBundledBaselines = R"yaml(
- name: request_latency
  expr: histogram_quantile(0.95, sum by (view, method, le) (rate(django_http_requests_latency_seconds_by_view_method_bucket[5m])))
  floor: 0.02
- name: http_latency
  expr: histogram_quantile(0.95, sum by (handler, path, route, method, le) (rate(http_request_duration_seconds_bucket[5m])))
  floor: 0.02
- name: request_errors
  expr: |
    (
      sum by (view, method) (rate(django_http_responses_total_by_status_view_method_total{status=~"5.."}[5m]))
        or
      0 * sum by (view, method) (rate(django_http_responses_total_by_status_view_method_total[5m]))
    )
      /
    (sum by (view, method) (rate(django_http_responses_total_by_status_view_method_total[5m])) > 0.05)
  floor: 0.02
- name: http_errors
  expr: |
    (
      sum by (handler, path, route, method) (rate(http_requests_total{code=~"5.."}[5m]) or rate(http_requests_total{status=~"5.."}[5m]))
        or
      0 * sum by (handler, path, route, method) (rate(http_requests_total[5m]))
    )
      /
    (sum by (handler, path, route, method) (rate(http_requests_total[5m])) > 0.05)
  floor: 0.02
- name: postgres_statement_time
  expr: sum by (datname, target) (rate(pg_stat_database_active_time_seconds_total[5m]))
  floor: 0.1
- name: postgres_growth
  expr: sum by (datname, target) (deriv(pg_database_size_bytes{datname!~"template.*"}[1h]))
  floor: 1000
- name: postgres_table_growth
  expr: deriv(pg_stat_user_tables_table_size_bytes[1h]) and pg_stat_user_tables_table_size_bytes > 1e7
  floor: 1000
- name: redis_hit_ratio
  expr: vigia_redis_hit_ratio
  direction: down
  min_change: 20%
  floor: 0.05
- name: host_load
  expr: node_load5
  floor: 1
- name: disk_latency
  expr: (rate(node_disk_read_time_seconds_total[5m]) + rate(node_disk_write_time_seconds_total[5m])) / (rate(node_disk_reads_completed_total[5m]) + rate(node_disk_writes_completed_total[5m]) > 1)
  floor: 0.005
- name: kpi
  expr: label_replace({__name__=~"kpi_.+"}, "kpi", "$1", "__name__", "(.+)")
  direction: down
  min_change: 30%
  interval: 5m
)yaml";

}  // namespace vigia::exporter
