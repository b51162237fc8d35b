// A synthetic fleet: the series that node, PostgreSQL, Redis and application exporters show of
// some hundred hosts, about 280 a host, with noise in every sample and values rounded the way the
// exporters round. Deterministic.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/labels.h"
#include "core/sample.h"

namespace vigia::bench {

class Fleet {
 public:
  static constexpr Timestamp kStep = 15'000;

  Fleet(std::size_t series, std::size_t samples, Timestamp start) : start_(start) {
    for (int host = 0; labels_.size() < series; ++host) AddHost(host);
    labels_.resize(series);
    kinds_.resize(series);
    MakePatterns(samples);
  }

  std::size_t size() const { return labels_.size(); }
  const Labels& labels(std::size_t i) const { return labels_[i]; }
  Timestamp TimeOf(std::size_t sample) const {
    return start_ + static_cast<Timestamp>(sample) * kStep;
  }

  double Value(std::size_t series, std::size_t sample) const {
    const auto& pattern = patterns_[series % patterns_.size()];
    const double sum = pattern.sum[sample];
    const double noise = pattern.noise[sample];
    const auto id = static_cast<double>(series);
    const double scale = 1 + std::fmod(id * 7919, 1000) / 1000;
    switch (kinds_[series]) {
      case Kind::kInteger:
        return std::fmod(id * 131, 100000) + std::floor(scale * 40 * sum);
      case Kind::kSeconds:
        return Cents(std::fmod(id * 13, 5000) + .25 + scale * .4 * sum);
      case Kind::kIdleSeconds:
        return Cents(std::fmod(id * 13, 5000) + .25 + (9 + scale) * sum);
      case Kind::kRare:
        return std::floor(scale * .01 * sum);
      case Kind::kBucket:
        return std::floor(buckets_[series] * sum);
      case Kind::kMemory:
        return std::floor((4e9 * scale + 1e9 * noise) / 4096) * 4096;
      case Kind::kDisk:
        return std::floor(3e10 * scale - 2e5 * static_cast<double>(sample) + 1e7 * noise);
      case Kind::kLoad:
        return Cents(scale * 2 * (1.1 + noise));
      case Kind::kTiny:
        return scale * 1e-5 * noise;
      case Kind::kCount:
        return std::floor(20 * scale * (1.1 + noise));
      case Kind::kTime:
        return static_cast<double>(TimeOf(sample)) / 1000 + std::fmod(id, 1000) / 1000;
      case Kind::kConstant:
        return buckets_[series];
    }
    return 0;
  }

 private:
  enum class Kind {
    kInteger,
    kSeconds,
    kIdleSeconds,
    kRare,
    kBucket,
    kMemory,
    kDisk,
    kLoad,
    kTiny,
    kCount,
    kTime,
    kConstant
  };

  struct Pattern {
    std::vector<double> sum;
    std::vector<double> noise;
  };

  static double Cents(double value) { return std::round(value * 100) / 100; }

  void MakePatterns(std::size_t samples) {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> increment(1);
    std::uniform_real_distribution<double> phases(0, 6.3);
    std::uniform_real_distribution<double> noise(-.2, .2);
    patterns_.resize(97);
    for (auto& pattern : patterns_) {
      const double phase = phases(random);
      double sum = 0;
      for (std::size_t i = 0; i < samples; ++i) {
        pattern.sum.push_back(sum += increment(random));
        pattern.noise.push_back(std::sin(phase + static_cast<double>(i) / 37) * .8 + noise(random));
      }
    }
  }

  using Extra = std::vector<std::pair<std::string, std::string>>;

  void Use(const std::string& instance, const std::string& job, int host) {
    base_ = {{"dc", "dc" + std::to_string(host % 3)},
             {"env", host % 4 == 3 ? "test" : "prod"},
             {"instance", instance},
             {"job", job}};
  }

  // `number` is the value of a constant, or the rate of a bucket.
  void Add(const std::string& name, Kind kind, const Extra& extra = {}, double number = 0) {
    std::vector<LabelView> all{{kMetricName, name}};
    for (const auto& [key, value] : base_) all.push_back({key, value});
    for (const auto& [key, value] : extra) all.push_back({key, value});
    labels_.push_back(Labels::FromPairs(all));
    kinds_.push_back(kind);
    buckets_.push_back(number);
  }

  void AddHost(int host) {
    const std::string address = "10." + std::to_string(host / 62500) + "." +
                                std::to_string(host / 250 % 250) + "." +
                                std::to_string(host % 250 + 1);
    Use(address + ":9100", "node", host);
    AddNode(host);
    Use(address + ":8080", "api", host);
    AddApplication();
    if (host % 2 == 0) {
      Use(address + ":9187", "postgres", host);
      AddPostgres();
    } else {
      Use(address + ":9121", "redis", host);
      AddRedis();
    }
  }

  void AddNode(int host) {
    Add("up", Kind::kConstant, {}, 1);
    for (int cpu = 0; cpu < 8; ++cpu) {
      for (const char* mode :
           {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}) {
        Add("node_cpu_seconds_total",
            std::string(mode) == "idle" ? Kind::kIdleSeconds : Kind::kSeconds,
            {{"cpu", std::to_string(cpu)}, {"mode", mode}});
      }
    }
    for (const char* part : {"MemFree", "MemAvailable", "Buffers", "Cached", "SwapFree", "Slab"}) {
      Add("node_memory_" + std::string(part) + "_bytes", Kind::kMemory);
    }
    for (const char* part : {"MemTotal", "SwapTotal"}) {
      Add("node_memory_" + std::string(part) + "_bytes", Kind::kConstant, {}, 17179869184);
    }
    const std::pair<const char*, const char*> mounts[] = {
        {"sda1", "/"}, {"sda2", "/var"}, {"sdb1", "/data"}, {"sdc1", "/backup"}, {"tmpfs", "/run"}};
    for (const auto& [device, mount] : mounts) {
      const Extra extra{{"device", device}, {"mountpoint", mount}, {"fstype", "ext4"}};
      Add("node_filesystem_size_bytes", Kind::kConstant, extra, 107374182400);
      Add("node_filesystem_avail_bytes", Kind::kDisk, extra);
      Add("node_filesystem_free_bytes", Kind::kDisk, extra);
      Add("node_filesystem_files", Kind::kConstant, extra, 107374182400);
      Add("node_filesystem_files_free", Kind::kDisk, extra);
      Add("node_filesystem_readonly", Kind::kConstant, extra, 0);
    }
    for (const char* device : {"sda", "sdb", "sdc"}) {
      for (const char* what :
           {"reads_completed", "writes_completed", "read_bytes", "written_bytes"}) {
        Add("node_disk_" + std::string(what) + "_total", Kind::kInteger, {{"device", device}});
      }
      Add("node_disk_io_time_seconds_total", Kind::kSeconds, {{"device", device}});
      Add("node_disk_read_time_seconds_total", Kind::kSeconds, {{"device", device}});
    }
    for (const char* device : {"eth0", "eth1", "lo"}) {
      for (const std::string direction : {"receive", "transmit"}) {
        const std::string prefix = "node_network_" + direction + "_";
        Add(prefix + "bytes_total", Kind::kInteger, {{"device", device}});
        Add(prefix + "packets_total", Kind::kInteger, {{"device", device}});
        Add(prefix + "errs_total", Kind::kRare, {{"device", device}});
        Add(prefix + "drop_total", Kind::kRare, {{"device", device}});
      }
    }
    for (const char* load : {"node_load1", "node_load5", "node_load15"}) Add(load, Kind::kLoad);
    Add("node_boot_time_seconds", Kind::kConstant, {}, 1'763'000'000.0 - 86400.0 * host);
    Add("node_time_seconds", Kind::kTime);
    Add("node_context_switches_total", Kind::kInteger);
    Add("node_intr_total", Kind::kInteger);
    for (const char* count : {"node_procs_running", "node_procs_blocked", "node_filefd_allocated",
                              "node_nf_conntrack_entries"}) {
      Add(count, Kind::kCount);
    }
    Add("node_filefd_maximum", Kind::kConstant, {}, 107374182400);
    Add("node_nf_conntrack_entries_limit", Kind::kConstant, {}, 107374182400);
    Add("node_vmstat_oom_kill", Kind::kRare);
    Add("node_timex_offset_seconds", Kind::kTiny);
    Add("node_uname_info", Kind::kConstant,
        {{"nodename", "n" + std::to_string(host)}, {"release", "6.1." + std::to_string(host % 5)}},
        1);
  }

  static double BucketRate(int bucket) { return 3 * (1 - std::exp(-.35 * (bucket + 1))); }

  void AddApplication() {
    Add("up", Kind::kConstant, {}, 1);
    const char* const bounds[] = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                  "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
    for (const char* handler : {"/", "/items", "/orders"}) {
      for (int i = 0; i < 12; ++i) {
        Add("http_request_duration_seconds_bucket", Kind::kBucket,
            {{"handler", handler}, {"le", bounds[i]}}, BucketRate(i));
      }
      Add("http_request_duration_seconds_sum", Kind::kSeconds, {{"handler", handler}});
      Add("http_request_duration_seconds_count", Kind::kBucket, {{"handler", handler}},
          BucketRate(11));
      for (const std::string code : {"200", "404", "500", "503"}) {
        Add("http_requests_total", code > "404" ? Kind::kRare : Kind::kInteger,
            {{"handler", handler}, {"code", code}});
      }
    }
  }

  void AddPostgres() {
    Add("pg_up", Kind::kConstant, {}, 1);
    for (const char* database : {"app", "billing", "postgres", "stats"}) {
      const Extra extra{{"datname", database}};
      for (const char* what :
           {"xact_commit", "xact_rollback", "blks_hit", "blks_read", "tup_fetched", "tup_returned",
            "tup_inserted", "tup_updated", "tup_deleted", "temp_bytes"}) {
        Add("pg_stat_database_" + std::string(what), Kind::kInteger, extra);
      }
      Add("pg_stat_database_deadlocks", Kind::kRare, extra);
      Add("pg_stat_database_conflicts", Kind::kRare, extra);
      Add("pg_stat_database_numbackends", Kind::kCount, extra);
      Add("pg_database_size_bytes", Kind::kMemory, extra);
      for (const char* state : {"active", "idle", "idle in transaction", "disabled"}) {
        Add("pg_stat_activity_count", Kind::kCount, {{"datname", database}, {"state", state}});
      }
    }
    Add("pg_settings_max_connections", Kind::kConstant, {}, 100);
    Add("pg_replication_lag_seconds", Kind::kLoad);
    for (const char* mode : {"accesssharelock", "exclusivelock", "rowexclusivelock", "sharelock"}) {
      Add("pg_locks_count", Kind::kCount, {{"mode", mode}});
    }
  }

  void AddRedis() {
    Add("redis_up", Kind::kConstant, {}, 1);
    for (const char* command : {"get", "set", "del", "hget", "hset", "lpush", "rpop", "incr",
                                "expire", "ping", "zadd", "zrange", "mget", "eval", "publish"}) {
      Add("redis_commands_total", Kind::kInteger, {{"cmd", command}});
      Add("redis_commands_duration_seconds_total", Kind::kSeconds, {{"cmd", command}});
    }
    Add("redis_memory_used_bytes", Kind::kMemory);
    Add("redis_memory_max_bytes", Kind::kConstant, {}, 17179869184);
    Add("redis_config_maxclients", Kind::kConstant, {}, 100);
    Add("redis_connected_clients", Kind::kCount);
    for (const char* counter :
         {"redis_keyspace_hits_total", "redis_keyspace_misses_total", "redis_expired_keys_total"}) {
      Add(counter, Kind::kInteger);
    }
    Add("redis_evicted_keys_total", Kind::kRare);
    Add("redis_rejected_connections_total", Kind::kRare);
    Add("redis_connected_slaves", Kind::kConstant, {}, 1);
    Add("redis_master_link_up", Kind::kConstant, {}, 1);
    Add("redis_uptime_in_seconds", Kind::kTime);
    Add("redis_mem_fragmentation_ratio", Kind::kLoad);
    Add("redis_blocked_clients", Kind::kConstant, {}, 0);
    for (const char* database : {"db0", "db1"}) {
      Add("redis_db_keys", Kind::kCount, {{"db", database}});
      Add("redis_db_keys_expiring", Kind::kCount, {{"db", database}});
    }
  }

  const Timestamp start_;
  std::vector<Labels> labels_;
  std::vector<Kind> kinds_;
  std::vector<double> buckets_;
  std::vector<Pattern> patterns_;
  Extra base_;
};

}  // namespace vigia::bench
