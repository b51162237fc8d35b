#include "collectors/redis/info.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/number.h"

namespace vigia::collectors::redis {
namespace {

using enum MetricType;

struct Field {
  std::string_view name;
  double scale;
};

constexpr std::array kFields{
#define FIELD(field, metric, type, scale, help) Field{field, scale},
#include "collectors/redis/fields.def"
#undef FIELD
};

constexpr std::size_t kFieldCount = kFields.size();

// What the sections with a structure of their own become.
enum Structured : std::size_t {
  kInstanceInfo = kFieldCount,
  kStartTime,
  kSlaveInfo,
  kMasterLinkUp,
  kMasterLastIo,
  kMasterSync,
  kSlaveReplOffset,
  kReplicaOffset,
  kReplicaLag,
  kDbKeys,
  kDbExpiring,
  kDbTtl,
  kCommands,
  kCommandSeconds,
  kCommandRejected,
  kCommandFailed,
  kErrors,
  kLatency,
  kSentinelStatus,
  kSentinelReplicas,
  kSentinelPeers,
};

// The metrics of fields, in the order of kFields, then those of Structured.
constexpr std::array kMetrics{
#define FIELD(field, metric, type, scale, help) Metric{"redis_" metric, help, type},
#include "collectors/redis/fields.def"
#undef FIELD
    Metric{"redis_instance_info", "What the server is; always 1."},
    Metric{"redis_start_time_seconds", "When the server started, in Unix time."},
    Metric{"redis_slave_info", "Whose replica the server is; always 1."},
    Metric{"redis_master_link_up", "Whether the link to the master is up."},
    Metric{"redis_master_last_io_seconds_ago", "Seconds since the master was last heard of."},
    Metric{"redis_master_sync_in_progress", "Whether the master is sending all its data."},
    Metric{"redis_slave_repl_offset", "Replication offset of this replica."},
    Metric{"redis_connected_slave_offset_bytes", "Replication offset of a connected replica."},
    Metric{"redis_connected_slave_lag_seconds", "Seconds since a connected replica acknowledged."},
    Metric{"redis_db_keys", "Keys in a database."},
    Metric{"redis_db_keys_expiring", "Keys in a database that will expire."},
    Metric{"redis_db_avg_ttl_seconds", "Average time to live of a database's expiring keys."},
    Metric{"redis_commands_total", "Calls of a command.", kCounter},
    Metric{"redis_commands_duration_seconds_total", "Time spent in a command.", kCounter},
    Metric{"redis_commands_rejected_calls_total", "Calls of a command refused before it ran.",
           kCounter},
    Metric{"redis_commands_failed_calls_total", "Calls of a command that failed.", kCounter},
    Metric{"redis_errors_total", "Error replies by their prefix.", kCounter},
    Metric{"redis_latency_percentiles_usec", "How long a command takes, in microseconds.",
           kSummary},
    Metric{"redis_sentinel_master_status",
           "State of a master that the Sentinel watches; always 1."},
    Metric{"redis_sentinel_master_slaves", "Replicas of a master that the Sentinel watches."},
    Metric{"redis_sentinel_master_sentinels", "Sentinels that watch a master."},
};

const std::unordered_map<std::string_view, std::size_t>& FieldIndex() {
  static const auto* const index = [] {
    auto* made = new std::unordered_map<std::string_view, std::size_t>;
    for (std::size_t i = 0; i < kFieldCount; ++i) made->emplace(kFields[i].name, i);
    return made;
  }();
  return *index;
}

// A number, or a status: "ok" and "on" are 1, "err" and "fail" are 0.
std::optional<double> FieldValue(std::string_view text) {
  if (text == "ok" || text == "up" || text == "on") return 1;
  if (text == "err" || text == "fail" || text == "off") return 0;
  while (text.ends_with('%')) text.remove_suffix(1);
  const auto number = ParseDouble(text);
  if (!number) return std::nullopt;
  return *number;
}

// Reads "a=1,b=2" left to right.
class Pairs {
 public:
  explicit Pairs(std::string_view text) : rest_(text) {}

  // The value of `key` from where the last one was found on; empty if it is not there.
  std::string_view Get(std::string_view key) const {
    std::string_view rest = rest_;
    while (!rest.empty()) {
      const auto pair = rest.substr(0, rest.find(','));
      if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
        return pair.substr(key.size() + 1);
      }
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    }
    return {};
  }
  std::optional<double> Number(std::string_view key) const {
    const auto number = ParseDouble(Get(key));
    if (!number) return std::nullopt;
    return *number;
  }

  template <typename Use>
  void Each(Use use) const {
    std::string_view rest = rest_;
    while (!rest.empty()) {
      const auto pair = rest.substr(0, rest.find(','));
      const std::size_t equals = pair.find('=');
      if (equals != pair.npos) use(pair.substr(0, equals), pair.substr(equals + 1));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    }
  }

 private:
  std::string_view rest_;
};

// One pass over an INFO reply.
class InfoReader {
 public:
  InfoReader(int databases, Timestamp now, Batch& batch)
      : databases_(databases), now_(now), batch_(batch) {}

  void Line(std::string_view key, std::string_view value) {
    if (Command(key, value) || Latency(key, value) || Replica(key, value) || Database(key, value) ||
        Sentinel(key, value)) {
      return;
    }
    if (key.starts_with("errorstat_")) {
      if (const auto count = Pairs(value).Number("count")) {
        batch_.Add(kMetrics[kErrors], {{"err", key.substr(10)}}, *count);
      }
      return;
    }
    Remember(key, value);
    const auto at = FieldIndex().find(key);
    if (at == FieldIndex().end()) return;
    const auto number = FieldValue(value);
    if (!number) return;
    batch_.Add(kMetrics[at->second], *number * kFields[at->second].scale);
    if (key == "uptime_in_seconds") {
      batch_.Add(kMetrics[kStartTime], static_cast<double>(now_ / 1000) - *number);
    }
  }

  InfoFacts Finish() {
    AddInstance();
    AddMaster();
    AddLatencies();
    for (int db = 0; db < std::min(databases_, 1024); ++db) {
      const std::string name = "db" + std::to_string(db);
      if (seen_databases_.contains(name)) continue;
      batch_.Add(kMetrics[kDbKeys], {{"db", name}}, 0);
      batch_.Add(kMetrics[kDbExpiring], {{"db", name}}, 0);
    }
    InfoFacts facts;
    facts.masters = std::move(masters_);
    facts.role = Get("role");
    facts.mode = Get("redis_mode");
    facts.run_id = Get("run_id");
    facts.cluster_enabled = Get("cluster_enabled") == "1";
    facts.has_keyspace_counts = !Get("keyspace_hits").empty();
    facts.keyspace_hits = ParseDouble(Get("keyspace_hits")).value_or(0);
    facts.keyspace_misses = ParseDouble(Get("keyspace_misses")).value_or(0);
    return facts;
  }

 private:
  struct CommandStats {
    double calls = 0;
    double microseconds = 0;
  };

  void Remember(std::string_view key, std::string_view value) {
    constexpr std::array<std::string_view, 22> kKept{"role",
                                                     "redis_version",
                                                     "redis_build_id",
                                                     "redis_mode",
                                                     "os",
                                                     "maxmemory_policy",
                                                     "tcp_port",
                                                     "run_id",
                                                     "process_id",
                                                     "master_host",
                                                     "master_port",
                                                     "master_link_status",
                                                     "master_last_io_seconds_ago",
                                                     "master_sync_in_progress",
                                                     "slave_repl_offset",
                                                     "slave_read_only",
                                                     "cluster_enabled",
                                                     "keyspace_hits",
                                                     "keyspace_misses",
                                                     "valkey_version",
                                                     "server_mode",
                                                     "server_name"};
    if (std::find(kKept.begin(), kKept.end(), key) != kKept.end()) kept_[key] = value;
  }

  std::string_view Get(std::string_view key) const {
    const auto at = kept_.find(key);
    return at == kept_.end() ? std::string_view() : at->second;
  }

  // cmdstat_get:calls=21,usec=175,usec_per_call=8.33,rejected_calls=0,failed_calls=0
  bool Command(std::string_view key, std::string_view value) {
    if (!key.starts_with("cmdstat_")) return false;
    const auto name = key.substr(8);
    const Pairs pairs(value);
    const auto calls = pairs.Number("calls");
    const auto microseconds = pairs.Number("usec");
    if (!calls || !microseconds) return true;
    const LabelView labels[] = {{"cmd", name}};
    batch_.Add(kMetrics[kCommands], std::span(labels), *calls);
    batch_.Add(kMetrics[kCommandSeconds], std::span(labels), *microseconds / 1e6);
    if (const auto rejected = pairs.Number("rejected_calls")) {
      batch_.Add(kMetrics[kCommandRejected], std::span(labels), *rejected);
    }
    if (const auto failed = pairs.Number("failed_calls")) {
      batch_.Add(kMetrics[kCommandFailed], std::span(labels), *failed);
    }
    commands_[name] = {*calls, *microseconds};
    return true;
  }

  // latency_percentiles_usec_get:p50=0.001,p99=1.003,p99.9=4.015
  bool Latency(std::string_view key, std::string_view value) {
    constexpr std::string_view kPrefix = "latency_percentiles_usec_";
    if (!key.starts_with(kPrefix)) return false;
    latencies_.emplace_back(key.substr(kPrefix.size()), value);
    return true;
  }

  void AddLatencies() {
    for (const auto& [name, percentiles] : latencies_) {
      const auto stats = commands_.find(name);
      if (stats == commands_.end()) continue;
      HistogramValue summary;
      Pairs(percentiles).Each([&](std::string_view percentile, std::string_view text) {
        const auto rank =
            ParseDouble(percentile.substr(std::min<std::size_t>(1, percentile.size())));
        const auto value = ParseDouble(text);
        // redis_exporter's quantile labels are the percentiles: quantile="99.9".
        if (rank && value) summary.buckets.push_back({*rank, *value});
      });
      summary.sum = stats->second.microseconds;
      summary.count = stats->second.calls;
      batch_.AddHistogram(kMetrics[kLatency], {{"cmd", name}}, summary);
    }
  }

  // slave0:ip=10.0.0.2,port=6379,state=online,offset=1751844676,lag=0
  bool Replica(std::string_view key, std::string_view value) {
    if (!key.starts_with("slave") || key.size() < 6 || key[5] < '0' || key[5] > '9') return false;
    const Pairs pairs(value);
    const LabelView labels[] = {{"slave_ip", pairs.Get("ip")},
                                {"slave_port", pairs.Get("port")},
                                {"slave_state", pairs.Get("state")}};
    if (const auto offset = pairs.Number("offset")) {
      batch_.Add(kMetrics[kReplicaOffset], std::span(labels), *offset);
    }
    if (const auto lag = pairs.Number("lag"); lag && *lag >= 0) {
      batch_.Add(kMetrics[kReplicaLag], std::span(labels), *lag);
    }
    return true;
  }

  // db0:keys=5,expires=0,avg_ttl=0
  bool Database(std::string_view key, std::string_view value) {
    if (!key.starts_with("db") || key.size() < 3 || key[2] < '0' || key[2] > '9') return false;
    const Pairs pairs(value);
    const LabelView labels[] = {{"db", key}};
    const auto keys = pairs.Number("keys");
    const auto expires = pairs.Number("expires");
    if (!keys || !expires) return true;
    batch_.Add(kMetrics[kDbKeys], std::span(labels), *keys);
    batch_.Add(kMetrics[kDbExpiring], std::span(labels), *expires);
    if (const auto ttl = pairs.Number("avg_ttl")) {
      batch_.Add(kMetrics[kDbTtl], std::span(labels), *ttl / 1000);
    }
    seen_databases_.emplace(key, true);
    return true;
  }

  // master0:name=mymaster,status=ok,address=127.0.0.1:6379,slaves=1,sentinels=3
  bool Sentinel(std::string_view key, std::string_view value) {
    if (!key.starts_with("master") || key.size() < 7 || key[6] < '0' || key[6] > '9' ||
        value.find("name=") == value.npos) {
      return false;
    }
    const Pairs pairs(value);
    const LabelView labels[] = {{"master_name", pairs.Get("name")},
                                {"master_address", pairs.Get("address")},
                                {"master_status", pairs.Get("status")}};
    batch_.Add(kMetrics[kSentinelStatus], std::span(labels), 1);
    masters_.push_back({std::string(labels[0].value), std::string(labels[1].value)});
    if (const auto replicas = pairs.Number("slaves")) {
      batch_.Add(kMetrics[kSentinelReplicas], std::span(labels, 2), *replicas);
    }
    if (const auto peers = pairs.Number("sentinels")) {
      batch_.Add(kMetrics[kSentinelPeers], std::span(labels, 2), *peers);
    }
    return true;
  }

  void AddInstance() {
    batch_.Add(kMetrics[kInstanceInfo],
               {{"role", Get("role")},
                {"redis_version", Get("redis_version")},
                {"redis_build_id", Get("redis_build_id")},
                {"redis_mode", Get("redis_mode")},
                {"os", Get("os")},
                {"maxmemory_policy", Get("maxmemory_policy")},
                {"tcp_port", Get("tcp_port")},
                {"run_id", Get("run_id")},
                {"process_id", Get("process_id")},
                {"valkey_version", Get("valkey_version")}},
               1);
  }

  void AddMaster() {
    if (Get("role") != "slave") return;
    const LabelView labels[] = {{"master_host", Get("master_host")},
                                {"master_port", Get("master_port")},
                                {"read_only", Get("slave_read_only")}};
    batch_.Add(kMetrics[kSlaveInfo], std::span(labels), 1);
    const auto of_master = std::span(labels, 2);
    batch_.Add(kMetrics[kMasterLinkUp], of_master, Get("master_link_status") == "up");
    const auto add = [&](std::size_t metric, std::string_view field) {
      if (const auto number = ParseDouble(Get(field))) {
        batch_.Add(kMetrics[metric], of_master, *number);
      }
    };
    add(kMasterLastIo, "master_last_io_seconds_ago");
    add(kMasterSync, "master_sync_in_progress");
    add(kSlaveReplOffset, "slave_repl_offset");
  }

  const int databases_;
  const Timestamp now_;
  Batch& batch_;
  std::unordered_map<std::string_view, std::string_view> kept_;
  std::unordered_map<std::string_view, CommandStats> commands_;
  std::vector<std::pair<std::string_view, std::string_view>> latencies_;
  std::map<std::string, bool, std::less<>> seen_databases_;
  std::vector<InfoFacts::Master> masters_;
};

template <typename Use>
void EachLine(std::string_view text, Use use) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == line.npos) continue;
    use(line.substr(0, colon), line.substr(colon + 1));
  }
}

}  // namespace

InfoFacts AddInfo(std::string_view info, int databases, Timestamp now, Batch& batch) {
  InfoReader reader(databases, now, batch);
  EachLine(info, [&](auto key, auto value) { reader.Line(key, value); });
  return reader.Finish();
}

void AddClusterInfo(std::string_view info, Batch& batch) {
  EachLine(info, [&](auto key, auto value) {
    const auto at = FieldIndex().find(key);
    if (at == FieldIndex().end() || !key.starts_with("cluster_") || key == "cluster_enabled")
      return;
    if (const auto number = FieldValue(value)) {
      batch.Add(kMetrics[at->second], *number * kFields[at->second].scale);
    }
  });
}

std::span<const Metric> InfoMetrics() { return kMetrics; }

}  // namespace vigia::collectors::redis
