// The Redis kind: INFO, configuration, slow log, latency, chosen keys of one server.

#include <array>
#include <optional>

#include "collectors/kind.h"
#include "collectors/redis/address.h"
#include "collectors/redis/info.h"
#include "collectors/redis/keys.h"
#include "collectors/redis/sentinel.h"
#include "core/log.h"
#include "core/metric_table.h"
#include "core/number.h"

namespace vigia::collectors {
namespace redis {
namespace {

enum {
  kUp,
  kPing,
  kHitRatio,
  kConfigMaxClients,
  kConfigMaxMemory,
  kConfigIoThreads,
  kConfigKeyValue,
  kConfigValue,
  kSlowlogLength,
  kSlowlogLastId,
  kSlowlogLastSeconds,
  kLatencySpikeLast,
  kLatencySpikeSeconds,
  kClients,
  kClientsIdle,
  kClientsOutput,
};

constexpr std::array kMetrics{
    Metric{"redis_up", "Whether the server answers."},
    Metric{"vigia_redis_round_trip_seconds", "Time from the commands to the last answer.",
           MetricType::kGauge, "seconds"},
    Metric{"vigia_redis_hit_ratio",
           "Share of look-ups since the previous reading that found their key; missing if there "
           "were none."},
    Metric{"redis_config_maxclients", "The most clients that may be connected."},
    Metric{"redis_config_maxmemory", "The limit of memory in bytes; 0 for none."},
    Metric{"redis_config_io_threads", "I/O threads that are configured."},
    Metric{"redis_config_key_value", "A setting as text; always 1."},
    Metric{"redis_config_value", "A setting that is a number."},
    Metric{"redis_slowlog_length", "Entries in the slow log."},
    Metric{"redis_slowlog_last_id", "Id of the latest entry of the slow log."},
    Metric{"redis_last_slow_execution_duration_seconds",
           "How long the latest entry of the slow log took."},
    Metric{"redis_latency_spike_last", "When an event last caused a latency spike, in Unix time."},
    Metric{"redis_latency_spike_duration_seconds", "How long an event's last latency spike was."},
    Metric{"vigia_redis_clients", "Connected clients by name, kind and database."},
    Metric{"vigia_redis_clients_max_idle_seconds",
           "The longest time that a client of this name has been idle.", MetricType::kGauge,
           "seconds"},
    Metric{"vigia_redis_clients_output_buffer_bytes", "Output buffers of the clients of this name.",
           MetricType::kGauge, "bytes"},
};

// Settings that hold secrets, never shown.
bool IsSecret(std::string_view setting) {
  for (const std::string_view word : {"pass", "auth", "secret", "masteruser", "user"}) {
    if (setting.find(word) != setting.npos) return true;
  }
  return false;
}

struct Options {
  Address address;
  bool config = false;   // every setting as a series
  bool clients = false;  // a summary of CLIENT LIST
  KeyOptions keys;
};

class RedisCollector final : public Collector {
 public:
  explicit RedisCollector(Options options)
      : options_(std::move(options)), keys_(options_.keys, options_.address.db) {
    metrics_.insert(metrics_.end(), kMetrics.begin(), kMetrics.end());
    const auto info = InfoMetrics();
    metrics_.insert(metrics_.end(), info.begin(), info.end());
    const auto sentinel = SentinelMetrics();
    metrics_.insert(metrics_.end(), sentinel.begin(), sentinel.end());
    const auto keys = KeyMetrics();
    metrics_.insert(metrics_.end(), keys.begin(), keys.end());
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline deadline, Batch& batch) override {
    auto status = CollectOnce(deadline, batch);
    // A connection that the server closed while it was idle (a restart, `timeout`) says nothing
    // about the server: once more on a fresh one.
    if (!status && status.error().code() == ErrorCode::kUnavailable && kept_) {
      batch.Discard();
      connection_.reset();
      status = CollectOnce(deadline, batch);
    }
    if (!status) {
      connection_.reset();
      hits_ = misses_ = std::nullopt;
      batch.OnFailure().Add(kMetrics[kUp], 0);
    }
    return status;
  }

 private:
  Status CollectOnce(Deadline deadline, Batch& batch) {
    kept_ = connection_ != nullptr;
    if (!connection_) {
      auto opened = Connection::Open(options_.address, deadline);
      if (!opened) return Fail(opened.error());
      connection_ = *std::move(opened);
    }
    std::vector<Command> commands{
        {"INFO", "ALL"},         {"CONFIG", "GET", "*"}, {"SLOWLOG", "LEN"},
        {"SLOWLOG", "GET", "1"}, {"LATENCY", "LATEST"},
    };
    if (options_.clients) commands.push_back({"CLIENT", "LIST"});
    const Instant begin = deadline.clock().Now();
    auto replies = connection_->Run(commands, deadline);
    if (!replies) return Fail(replies.error());
    const auto took = std::chrono::duration<double>(deadline.clock().Now() - begin);

    const auto& info = (*replies)[0];
    if (info.IsError()) return Fail(Error(ErrorCode::kUnavailable, info.text).In("INFO"));
    batch.Add(kMetrics[kUp], 1);
    batch.Add(kMetrics[kPing], took.count());
    const int databases = AddConfig((*replies)[1], batch);
    const auto facts = AddInfo(info.text, databases, deadline.clock().Wall(), batch);
    AddHitRatio(facts, batch);
    AddSlowlog((*replies)[2], (*replies)[3], batch);
    AddLatency((*replies)[4], batch);
    if (options_.clients) AddClients((*replies)[5].text, batch);

    if (facts.cluster_enabled) {
      const auto cluster = connection_->Run({"CLUSTER", "INFO"}, deadline);
      if (!cluster) return Fail(cluster.error());
      AddClusterInfo(cluster->text, batch);
    }
    if (auto status = AddSentinel(*connection_, facts, deadline, batch); !status) return status;
    if (options_.keys.empty()) return Ok();
    return CollectKeys(deadline, batch);
  }

  // What the user may not do with keys (an ACL, SELECT on a cluster) takes nothing from the rest;
  // it is told once.
  Status CollectKeys(Deadline deadline, Batch& batch) {
    const auto status = keys_.Collect(*connection_, deadline, batch);
    const bool refused = !status && status.error().code() == ErrorCode::kInvalid;
    if (refused && !keys_refused_) {
      log::Warn("redis refuses to show keys",
                {{"server", options_.address.host}, {"error", status.error().message()}});
    }
    keys_refused_ = refused;
    return refused ? Ok() : status;
  }

  // Returns how many databases there are; 0 where CONFIG is not allowed.
  int AddConfig(const Reply& reply, Batch& batch) const {
    int databases = 0;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      const auto& name = reply.items[i].text;
      const auto& value = reply.items[i + 1].text;
      const auto number = ParseDouble(value);
      if (number) {
        if (name == "databases") databases = static_cast<int>(*number);
        if (name == "maxclients") batch.Add(kMetrics[kConfigMaxClients], *number);
        if (name == "maxmemory") batch.Add(kMetrics[kConfigMaxMemory], *number);
        if (name == "io-threads") batch.Add(kMetrics[kConfigIoThreads], *number);
      }
      if (!options_.config || IsSecret(name)) continue;
      batch.Add(kMetrics[kConfigKeyValue], {{"key", name}, {"value", value}}, 1);
      if (number) batch.Add(kMetrics[kConfigValue], {{"key", name}}, *number);
    }
    return databases;
  }

  // Of the interval, not of the server's life, in which a cold cache no longer shows.
  void AddHitRatio(const InfoFacts& facts, Batch& batch) {
    if (!facts.has_keyspace_counts) return;
    const bool comparable = hits_ && facts.run_id == run_id_ && facts.keyspace_hits >= *hits_ &&
                            facts.keyspace_misses >= *misses_;
    if (comparable) {
      const double hits = facts.keyspace_hits - *hits_;
      const double all = hits + facts.keyspace_misses - *misses_;
      if (all > 0) batch.Add(kMetrics[kHitRatio], hits / all);
    }
    run_id_ = facts.run_id;
    hits_ = facts.keyspace_hits;
    misses_ = facts.keyspace_misses;
  }

  static void AddSlowlog(const Reply& length, const Reply& latest, Batch& batch) {
    if (!length.IsError()) batch.Add(kMetrics[kSlowlogLength], length.Number());
    double id = 0;
    double seconds = 0;
    if (latest.IsArray() && !latest.items.empty() && latest.items[0].items.size() >= 3) {
      id = latest.items[0].items[0].Number();
      seconds = latest.items[0].items[2].Number() / 1e6;
    }
    if (latest.IsError()) return;
    batch.Add(kMetrics[kSlowlogLastId], id);
    batch.Add(kMetrics[kSlowlogLastSeconds], seconds);
  }

  static void AddLatency(const Reply& events, Batch& batch) {
    for (const auto& event : events.items) {
      if (event.items.size() < 3) continue;
      const LabelView labels[] = {{"event_name", event.items[0].text}};
      batch.Add(kMetrics[kLatencySpikeLast], std::span(labels), event.items[1].Number());
      batch.Add(kMetrics[kLatencySpikeSeconds], std::span(labels), event.items[2].Number() / 1000);
    }
  }

  // "id=3 addr=... name=app age=10 idle=2 flags=N db=0 ... omem=0 cmd=get user=default"
  static void AddClients(std::string_view list, Batch& batch) {
    struct Group {
      double count = 0;
      double idle = 0;
      double output = 0;
    };
    std::map<std::array<std::string, 3>, Group> groups;
    while (!list.empty()) {
      auto line = list.substr(0, list.find('\n'));
      list.remove_prefix(std::min(list.size(), line.size() + 1));
      if (line.empty()) continue;
      const auto field = [&](std::string_view name) {
        const std::string mark = " " + std::string(name) + "=";
        const std::size_t at = line.find(mark);
        if (at == line.npos) return std::string_view();
        const auto value = line.substr(at + mark.size());
        return value.substr(0, value.find_first_of(" \r"));
      };
      const auto flags = field("flags");
      const std::string kind = flags.find('P') != flags.npos   ? "pubsub"
                               : flags.find('S') != flags.npos ? "replica"
                               : flags.find('M') != flags.npos ? "master"
                                                               : "normal";
      // Applications that put a number into each connection's name would make a series of each.
      constexpr std::size_t kMaxGroups = 100;
      std::array<std::string, 3> key{std::string(field("name")), kind, std::string(field("db"))};
      if (groups.size() >= kMaxGroups && !groups.contains(key)) key[0] = "__other__";
      auto& group = groups[key];
      ++group.count;
      group.idle = std::max(group.idle, ParseDouble(field("idle")).value_or(0));
      group.output += ParseDouble(field("omem")).value_or(0);
    }
    for (const auto& [key, group] : groups) {
      const LabelView labels[] = {{"name", key[0]}, {"kind", key[1]}, {"db", key[2]}};
      batch.Add(kMetrics[kClients], std::span(labels), group.count);
      batch.Add(kMetrics[kClientsIdle], std::span(labels), group.idle);
      batch.Add(kMetrics[kClientsOutput], std::span(labels), group.output);
    }
  }

  const Options options_;
  KeyReader keys_;
  bool keys_refused_ = false;  // in the last run
  std::vector<Metric> metrics_;
  std::unique_ptr<Connection> connection_;
  bool kept_ = false;  // the connection is from an earlier run
  std::string run_id_;
  std::optional<double> hits_;
  std::optional<double> misses_;
};

}  // namespace
}  // namespace redis

// collectors.redis: docs/collectors/redis.md.
std::vector<Part> MakeRedisCollector(config::MapReader& options) {
  redis::Options parsed;
  parsed.address = redis::ReadAddress(options, "url");
  options.Read("config", parsed.config);
  options.Read("clients", parsed.clients);
  parsed.keys = redis::ReadKeyOptions(options);
  std::vector<Part> parts;
  parts.push_back({"redis", {}, std::make_unique<redis::RedisCollector>(std::move(parsed))});
  return parts;
}

}  // namespace vigia::collectors
