// Rule files on a fleet's series (bench/fleet.h), as people write them.

#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace vigia::bench {

// A rule whose expression takes a filter at '@' and a number, that tells its copies apart, at '#'.
struct RuleForm {
  const char* name;  // in lower case: recorded
  const char* expression;
  const char* hold;
};

// What public rules ask of hosts, PostgreSQL, Redis and applications: three of four alert.
inline constexpr std::array kMixedForms{
    RuleForm{"HostDown", R"(up{job="node"@} == 0)", "1m"},
    RuleForm{"instance:node_cpu_busy:ratio_rate5m",
             R"(1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"@}[5m])))", ""},
    RuleForm{
        "HighCpu",
        R"(100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"@}[2m])) * 100 > 4#)",
        "10m"},
    RuleForm{"LowMemory",
             R"(node_memory_MemAvailable_bytes{job="node"@} / node_memory_MemTotal_bytes)"
             R"( * 100 < 2#)",
             "2m"},
    RuleForm{"instance:node_memory_used:ratio",
             R"(1 - node_memory_MemAvailable_bytes{job="node"@} / node_memory_MemTotal_bytes)", ""},
    RuleForm{"DiskSpace",
             R"((node_filesystem_avail_bytes{fstype!="tmpfs"@} * 100) / node_filesystem_size_bytes)"
             R"( < 1# and on (instance, device, mountpoint) node_filesystem_readonly == 0)",
             "2m"},
    RuleForm{
        "DiskFillsIn24h",
        R"(predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs"@}[1h], 24 * 3600 + #) < 0)",
        "5m"},
    RuleForm{"instance:node_network_receive_bytes:rate5m",
             R"(sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"@}[5m])))",
             ""},
    RuleForm{"NetErrors",
             R"(rate(node_network_receive_errs_total{job="node"@}[2m]))"
             R"( / rate(node_network_receive_packets_total[2m]) > 0.0#)",
             "2m"},
    RuleForm{"DiskLatency",
             R"(rate(node_disk_read_time_seconds_total{job="node"@}[1m]))"
             R"( / rate(node_disk_reads_completed_total[1m]) > 0.1)"
             R"( and rate(node_disk_reads_completed_total[1m]) > #)",
             "2m"},
    RuleForm{"OomKill", R"(increase(node_vmstat_oom_kill{job="node"@}[30m]) > 1#)", ""},
    RuleForm{"ClockSkew",
             R"((node_timex_offset_seconds{job="node"@} > 0.05)"
             R"( and deriv(node_timex_offset_seconds[5m]) >= 0))"
             R"( or (node_timex_offset_seconds < -0.#)"
             R"( and deriv(node_timex_offset_seconds[5m]) <= 0))",
             "10m"},
    RuleForm{"handler:http_latency:p99",
             R"(histogram_quantile(0.99, sum by (le, handler))"
             R"( (rate(http_request_duration_seconds_bucket{job="api"@}[5m]))))",
             ""},
    RuleForm{"SlowRequests",
             R"(histogram_quantile(0.95, sum by (le, instance))"
             R"( (rate(http_request_duration_seconds_bucket{handler="/items"@}[5m]))) > 0.#)",
             "5m"},
    RuleForm{"ErrorRatio",
             R"(sum by (instance) (rate(http_requests_total{code=~"5.."@}[5m])))"
             R"( / sum by (instance) (rate(http_requests_total[5m])) > 0.0#)",
             "5m"},
    RuleForm{"instance:http_requests:rate5m",
             R"(sum by (instance, code) (rate(http_requests_total{job="api"@}[5m])))", ""},
    RuleForm{"PgDown", R"(pg_up{job="postgres"@} == 0)", ""},
    RuleForm{"PgTooManyConnections",
             R"(sum by (instance, job) (pg_stat_activity_count{job="postgres"@}))"
             R"( > min by (instance, job) (pg_settings_max_connections) * 0.8#)",
             "2m"},
    RuleForm{"PgDeadLocks",
             R"(increase(pg_stat_database_deadlocks{datname!~"template.*|postgres"@}[1m]) > 1#)",
             ""},
    RuleForm{"PgRollbackRate",
             R"(sum by (datname) (rate(pg_stat_database_xact_rollback{job="postgres"@}[3m])))"
             R"( / sum by (datname) (rate(pg_stat_database_xact_commit[3m])) > 0.9#)",
             ""},
    RuleForm{"PgCommitLow",
             R"(increase(pg_stat_database_xact_commit{datname!~"template.*|postgres"@}[5m]) < 1#)",
             "2m"},
    RuleForm{"instance:pg_hit:ratio",
             R"(sum by (instance) (rate(pg_stat_database_blks_hit{job="postgres"@}[5m])))"
             R"( / (sum by (instance) (rate(pg_stat_database_blks_hit[5m])))"
             R"( + sum by (instance) (rate(pg_stat_database_blks_read[5m]))))",
             ""},
    RuleForm{"PgReplicationLag", R"(pg_replication_lag_seconds{job="postgres"@} > 3#)", "5m"},
    RuleForm{"RedisDown", R"(redis_up{job="redis"@} == 0)", ""},
    RuleForm{"RedisMemory",
             R"(redis_memory_used_bytes{job="redis"@} / redis_memory_max_bytes * 100 > 9#)", "2m"},
    RuleForm{"RedisConnections",
             R"(redis_connected_clients{job="redis"@} / redis_config_maxclients * 100 > 9#)", "2m"},
    RuleForm{"instance:redis_hit:ratio",
             R"(rate(redis_keyspace_hits_total{job="redis"@}[5m]))"
             R"( / (rate(redis_keyspace_hits_total[5m]) + rate(redis_keyspace_misses_total[5m])))",
             ""},
    RuleForm{"cmd:redis_commands:rate5m",
             R"(sum by (cmd) (rate(redis_commands_total{job="redis"@}[5m])))", ""},
    RuleForm{"RedisRejected",
             R"(increase(redis_rejected_connections_total{job="redis"@}[1m]) > 1#)", ""},
    RuleForm{"TooManyMissing", R"(count by (job) (up{job!=""@} == 0) / count by (job) (up) > 0.#)",
             "1m"},
    RuleForm{"AbsentJob", R"(absent(up{job="job#"@}))", "5m"},
};

// Mixins: the same selectors again and again in one group, with several windows and thresholds
// (burn rates of an error budget, disks at two severities, and what joins on them).
inline constexpr std::array kMixinForms{
    RuleForm{"handler:http_errors:ratio_rate5m",
             R"(sum by (handler) (rate(http_requests_total{code=~"5.."@}[5m])))"
             R"( / sum by (handler) (rate(http_requests_total{job="api"@}[5m])))",
             ""},
    RuleForm{"handler:http_errors:ratio_rate30m",
             R"(sum by (handler) (rate(http_requests_total{code=~"5.."@}[30m])))"
             R"( / sum by (handler) (rate(http_requests_total{job="api"@}[30m])))",
             ""},
    RuleForm{"handler:http_errors:ratio_rate1h",
             R"(sum by (handler) (rate(http_requests_total{code=~"5.."@}[1h])))"
             R"( / sum by (handler) (rate(http_requests_total{job="api"@}[1h])))",
             ""},
    RuleForm{"handler:http_errors:ratio_rate2h",
             R"(sum by (handler) (rate(http_requests_total{code=~"5.."@}[2h])))"
             R"( / sum by (handler) (rate(http_requests_total{job="api"@}[2h])))",
             ""},
    RuleForm{"ErrorBudgetBurn",
             R"(handler:http_errors:ratio_rate1h > 14.4 * 0.01#)"
             R"( and handler:http_errors:ratio_rate5m > 14.4 * 0.01#)",
             "2m"},
    RuleForm{"DiskSpaceFillingUp",
             R"((node_filesystem_avail_bytes{job="node",fstype!="",mountpoint!=""@})"
             R"( / node_filesystem_size_bytes{job="node",fstype!="",mountpoint!=""@} * 100 < 15)"
             R"( and predict_linear()"
             R"(node_filesystem_avail_bytes{job="node",fstype!="",mountpoint!=""@}[1h], 4 * 3600))"
             R"( < 0 and node_filesystem_readonly{job="node",fstype!="",mountpoint!=""@} == 0))",
             "1h"},
    RuleForm{"DiskSpaceAlmostFull",
             R"((node_filesystem_avail_bytes{job="node",fstype!="",mountpoint!=""@})"
             R"( / node_filesystem_size_bytes{job="node",fstype!="",mountpoint!=""@} * 100 < 5)"
             R"( and node_filesystem_readonly{job="node",fstype!="",mountpoint!=""@} == 0))",
             "30m"},
    RuleForm{"DiskSpaceFull",
             R"((node_filesystem_avail_bytes{job="node",fstype!="",mountpoint!=""@})"
             R"( / node_filesystem_size_bytes{job="node",fstype!="",mountpoint!=""@} * 100 < 3)"
             R"( and node_filesystem_readonly{job="node",fstype!="",mountpoint!=""@} == 0))",
             "30m"},
    RuleForm{"DiskFilesAlmostOut",
             R"((node_filesystem_files_free{job="node",fstype!="",mountpoint!=""@})"
             R"( / node_filesystem_files{job="node",fstype!="",mountpoint!=""@} * 100 < 5)"
             R"( and node_filesystem_readonly{job="node",fstype!="",mountpoint!=""@} == 0))",
             "1h"},
    RuleForm{"DiskFilesOut",
             R"((node_filesystem_files_free{job="node",fstype!="",mountpoint!=""@})"
             R"( / node_filesystem_files{job="node",fstype!="",mountpoint!=""@} * 100 < 3)"
             R"( and node_filesystem_readonly{job="node",fstype!="",mountpoint!=""@} == 0))",
             "1h"},
    RuleForm{"instance:node_cpu:count",
             R"(count by (instance) (node_cpu_seconds_total{job="node",mode="idle"@}))", ""},
    RuleForm{"instance:node_cpu_busy:ratio_rate5m",
             R"(1 - avg by (instance))"
             R"( (rate(node_cpu_seconds_total{job="node",mode="idle"@}[5m])))",
             ""},
    RuleForm{"instance:node_load1_per_cpu:ratio",
             R"(node_load1{job="node"@})"
             R"( / on (instance) group_left () max by (instance) (instance:node_cpu:count))",
             ""},
    RuleForm{"HighLatency",
             R"(histogram_quantile(0.99, sum by (le, handler))"
             R"( (rate(http_request_duration_seconds_bucket{job="api"@}[5m]))) > 0.#)",
             "10m"},
    RuleForm{"handler:http_latency:p50",
             R"(histogram_quantile(0.5, sum by (le, handler))"
             R"( (rate(http_request_duration_seconds_bucket{job="api"@}[5m]))))",
             ""},
    RuleForm{"handler:http_latency:p99",
             R"(histogram_quantile(0.99, sum by (le, handler))"
             R"( (rate(http_request_duration_seconds_bucket{job="api"@}[5m]))))",
             ""},
};

// A rule file of `count` rules in groups of `per_group`, taking the forms in turn; each round of
// them has another filter.
template <std::size_t N>
std::string RuleFile(const std::array<RuleForm, N>& forms, std::size_t count,
                     std::size_t per_group) {
  static constexpr std::array kFilters{R"(,env="prod")",
                                       R"(,dc="dc0")",
                                       R"(,dc="dc1")",
                                       R"(,dc="dc2")",
                                       R"(,env="test")",
                                       "",
                                       R"(,instance=~"10[.]0[.]0[.].*")",
                                       R"(,env!="test",dc="dc1")"};
  const auto filled = [](std::string text, std::size_t copy) {
    for (std::size_t at; (at = text.find('@')) != text.npos;) {
      text.replace(at, 1, kFilters[copy % kFilters.size()]);
    }
    for (std::size_t at; (at = text.find('#')) != text.npos;) {
      text.replace(at, 1, std::to_string(copy % 10));
    }
    return text;
  };
  std::string out = "groups:\n";
  for (std::size_t i = 0; i < count; ++i) {
    if (i % per_group == 0) {
      out += "- name: group" + std::to_string(i / per_group) + "\n  interval: 15s\n  rules:\n";
    }
    const RuleForm& form = forms[i % N];
    const std::size_t copy = i / N;
    const std::string number = std::to_string(copy);
    const std::string name(form.name);
    const bool alert = name.find(':') == name.npos;
    out += alert ? "  - alert: " + name + number + "\n" : "  - record: " + name + "\n";
    out += "    expr: '" + filled(form.expression, copy) + "'\n";
    if (*form.hold) out += std::string("    for: ") + form.hold + "\n";
    out += "    labels: { " + std::string(alert ? "severity: warning, " : "") + "copy: \"" +
           number + "\" }\n";
    if (alert) {
      out += "    annotations: { summary: '" + name +
             " on {{ $labels.instance }}: {{ $value | humanize }}' }\n";
    }
  }
  return out;
}

}  // namespace vigia::bench
