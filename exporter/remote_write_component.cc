// Sends on what the history takes: the component of `remote_write`.

#include <set>

#include "core/log.h"
#include "exporter/component.h"
#include "exporter/config/remote_write.h"
#include "exporter/remote_write_metrics.h"

namespace vigia::exporter {
namespace {

using remote_write::MetricMetadata;

// What is known of all metrics: of those collected here, and of those that others sent.
std::vector<MetricMetadata> Describe(const Snapshot& snapshot,
                                     const std::vector<api::MetricDescription>& sent) {
  std::vector<MetricMetadata> all;
  std::set<std::string_view> names;
  for (const auto& entry : snapshot.entries) {
    for (const auto& reading : entry.reading->families) {
      const FamilyHead& head = reading.family->head();
      if (names.insert(head.name).second)
        all.push_back({head.name, head.type, head.help, head.unit});
    }
  }
  for (const auto& [name, type, help, unit] : sent) {
    if (names.insert(name).second) {
      all.push_back({name, ParseMetricType(type).value_or(MetricType::kUnknown), help, unit});
    }
  }
  return all;
}

void Tell(std::string_view message, const std::string& endpoint, const Error* error) {
  if (error) {
    log::Warn(message, {{"endpoint", endpoint}, {"error", error->message()}});
  } else {
    log::Info(message, {{"endpoint", endpoint}});
  }
}

class RemoteWriteComponent final : public Component {
 public:
  explicit RemoteWriteComponent(const Ground& ground)
      : ground_(ground), remote_write_(ground.history, ground.data_dir / "history", ground.clock) {}

  Status Apply(const Config& config) override {
    const bool same = config_ && config_->fingerprint == config.remote_write->fingerprint &&
                      external_labels_ == config.external_labels;
    config_ = config.remote_write;
    external_labels_ = config.external_labels;
    if (started_ && !same) Send();
    return Ok();
  }

  void Start() override {
    started_ = true;
    Send();
  }

  void Stop() override { remote_write_.Stop(); }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    if (config_->endpoints.empty()) return out;
    out.push_back(
        OwnInstance("vigia.remote_write", "remote_write", MakeRemoteWriteCollector(remote_write_)));
    return out;
  }

 private:
  void Send() {
    remote_write::RemoteWrite::Context context;
    context.external_labels = external_labels_;
    context.metadata = [this] { return Describe(ground_.current(), ground_.metadata.Get({})); };
    context.on_change = Tell;
    remote_write_.Apply(config_->endpoints, std::move(context));
  }

  const Ground ground_;
  // Of the thread that applies configurations.
  std::shared_ptr<const RemoteWriteConfig> config_;
  std::map<std::string, std::string> external_labels_;
  bool started_ = false;

  remote_write::RemoteWrite remote_write_;
};

}  // namespace

std::unique_ptr<Component> MakeRemoteWriteComponent(const Ground& ground) {
  return std::make_unique<RemoteWriteComponent>(ground);
}

}  // namespace vigia::exporter
