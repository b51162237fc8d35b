#include "collectors/kpi/sink.h"

#include <array>

#include "collectors/redis/address.h"
#include "core/config/http_options.h"

namespace vigia::collectors::kpi {
namespace {

constexpr std::array kMetrics{
    Metric{"vigia_kpi_sink_written_total", "KPI values that a sink has taken.",
           MetricType::kCounter},
    Metric{"vigia_kpi_sink_dropped_total",
           "KPI values that never reached their sink: the queue was full, or it refused them.",
           MetricType::kCounter},
    Metric{"vigia_kpi_sink_queue_length", "KPI values that wait for their sink."},
};
enum { kWritten, kDropped, kQueue };

class Sink final : public Collector {
 public:
  explicit Sink(SinkSpec spec) : spec_(std::move(spec)) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto status = Drain(deadline);
    // How it stands is known whether or not the sink is there.
    Report(status ? batch : batch.OnFailure());
    return status;
  }

 private:
  Status Drain(Deadline deadline) {
    while (spec_.queue->size() > 0) {
      const auto records = spec_.queue->Front(spec_.batch);
      const auto outcome = spec_.writer->Write(records, deadline);
      if (!outcome) return Fail(outcome.error());
      spec_.queue->Pop(records.size());
      auto& count = *outcome == Writer::Outcome::kWritten ? written_ : rejected_;
      count += records.size();
    }
    return Ok();
  }

  void Report(Batch& batch) const {
    const LabelView labels[] = {{"sink", spec_.name}, {"reason", "queue_full"}};
    const LabelView rejected[] = {{"sink", spec_.name}, {"reason", "rejected"}};
    const auto sink = std::span(labels).first(1);
    batch.Add(kMetrics[kWritten], sink, static_cast<double>(written_));
    batch.Add(kMetrics[kDropped], std::span(labels), static_cast<double>(spec_.queue->dropped()));
    batch.Add(kMetrics[kDropped], std::span(rejected), static_cast<double>(rejected_));
    batch.Add(kMetrics[kQueue], sink, static_cast<double>(spec_.queue->size()));
  }

  const SinkSpec spec_;
  std::uint64_t written_ = 0;
  std::uint64_t rejected_ = 0;
};

// The keys that every sink has.
SinkSpec ReadCommon(std::string name, config::MapReader& reader) {
  std::int64_t capacity = 10'000;
  std::int64_t batch = 500;
  reader.Read("queue", capacity, 1, 10'000'000);
  reader.Read("batch", batch, 1, 100'000);
  SinkSpec spec;
  spec.name = std::move(name);
  spec.queue = std::make_shared<SinkQueue>(static_cast<std::size_t>(capacity));
  spec.batch = static_cast<std::size_t>(batch);
  return spec;
}

SinkSpec ReadRedis(config::MapReader& reader) {
  auto spec = ReadCommon("redis_stream", reader);
  RedisSinkOptions options;
  options.address = redis::ReadAddress(reader, "url");
  reader.Read("stream", options.stream);
  reader.Read("max_length", options.max_length, 1);
  reader.Finish();
  spec.writer = MakeRedisWriter(std::move(options));
  return spec;
}

SinkSpec ReadInflux(config::MapReader& reader) {
  auto spec = ReadCommon("influx", reader);
  InfluxSinkOptions options;
  reader.Require("url", "where lines are posted, such as http://127.0.0.1:8086/write?db=kpi");
  if (reader.Read("url", options.url)) {
    const auto url = ParseHttpUrl(options.url);
    if (!url) reader.Fault("url", url.error().message());
    if (url && url->has_user) reader.Fault("url", "a password does not stand here; write username");
  }
  auto& auth = options.http.auth;
  reader.Read("username", auth.username);
  reader.ReadSecret("password", auth.password);
  // InfluxDB's own scheme; others take "Bearer".
  auth.type = "Token";
  reader.Read("token_type", auth.type);
  reader.ReadSecret("token", auth.credentials);
  if (!auth.username.empty() && !auth.credentials.empty()) {
    reader.Fault("token", "stands beside username");
  }
  config::ReadTlsConfig(reader, options.http.tls);
  reader.Finish();
  spec.writer = MakeInfluxWriter(std::move(options));
  return spec;
}

}  // namespace

std::vector<SinkSpec> ReadSinks(config::MapReader& reader) {
  std::vector<SinkSpec> sinks;
  const auto read = [&](std::string_view key, auto of_kind) {
    const config::Node* const node = reader.Child(key);
    if (!node) return;
    config::MapReader options(*node, reader.diagnostics(),
                              reader.context() + "." + std::string(key));
    sinks.push_back(of_kind(options));
  };
  read("redis_stream", ReadRedis);
  read("influx", ReadInflux);
  return sinks;
}

std::unique_ptr<Collector> MakeSink(SinkSpec spec) {
  return std::make_unique<Sink>(std::move(spec));
}

}  // namespace vigia::collectors::kpi
