// The probe kind: targets that are looked at from outside, as blackbox_exporter does.

#include <algorithm>

#include "collectors/kind.h"
#include "collectors/probe/observation.h"
#include "collectors/probe/runner.h"
#include "core/log.h"

namespace vigia::collectors {
namespace probe {
namespace {

// Of a run, to gather what the probes saw.
constexpr Milliseconds kMargin{100};
constexpr std::int64_t kConcurrency = 256;
// The most that one target reports: of HTTP over TLS.
constexpr std::size_t kSeriesPerTarget = 32;

struct Options {
  std::vector<Target> targets;
  std::size_t concurrency = kConcurrency;
};

// Whether a target is healthy, after the thresholds.
class Health {
 public:
  // Notes one probe; true if that changed what healthy() says. The first probe decides alone.
  bool Note(bool success, const Target& target) {
    if (success == healthy_ && known_) {
      in_a_row_ = 0;
      return false;
    }
    ++in_a_row_;
    const auto needed = success ? target.success_threshold : target.failure_threshold;
    if (known_ && in_a_row_ < needed) return false;
    const bool changed = known_ ? true : !success;
    known_ = true;
    healthy_ = success;
    in_a_row_ = 0;
    return changed;
  }
  bool healthy() const { return healthy_; }

 private:
  bool known_ = false;
  bool healthy_ = false;
  std::int64_t in_a_row_ = 0;  // probes that said the opposite
};

class ProbeCollector final : public Collector {
 public:
  explicit ProbeCollector(Options options)
      : targets_(std::move(options.targets)),
        health_(targets_.size()),
        runner_(options.concurrency) {}

  std::span<const Metric> Metrics() const override { return ProbeMetrics(); }

  // A probe that fails is a finding, not a failure of the collector.
  Status Collect(Deadline deadline, Batch& batch) override {
    const auto observations = runner_.Run(targets_, {deadline.clock(), deadline.at() - kMargin});
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const auto& target = targets_[i];
      const auto& observation = observations[i];
      if (health_[i].Note(observation.success, target)) Log(target, observation);
      // Alone, a target needs no name: so it is on blackbox_exporter's pages.
      const LabelView instance[] = {{"instance", target.name}};
      observation.AddTo(batch, targets_.size() > 1 ? std::span<const LabelView>(instance)
                                                   : std::span<const LabelView>());
      AddHealth(target, health_[i].healthy(), observation, batch);
    }
    return Ok();
  }

 private:
  static void Log(const Target& target, const Observation& observation) {
    const auto prober = Name(target.module.prober);
    if (observation.success) {
      log::Info("target is healthy again", {{"target", target.name}, {"prober", prober}});
      return;
    }
    log::Warn("target is unhealthy", {{"target", target.name},
                                      {"prober", prober},
                                      {"reason", Name(observation.reason)},
                                      {"error", observation.message}});
  }

  static void AddHealth(const Target& target, bool healthy, const Observation& observation,
                        Batch& batch) {
    const auto metrics = ProbeMetrics();
    const LabelView labels[] = {{"probe", target.name},
                                {"prober", Name(target.module.prober)},
                                {"reason", Name(observation.reason)}};
    batch.Add(metrics[kHealthy], std::span(labels).first(2), healthy ? 1 : 0);
    if (!observation.success) batch.Add(metrics[kFailureInfo], std::span(labels), 1);
  }

  const std::vector<Target> targets_;
  std::vector<Health> health_;
  Runner runner_;
};

// Common keys were read, and their faults reported, before: here only what they say counts.
Milliseconds CommonDuration(config::MapReader& reader, std::string_view key,
                            Milliseconds fallback) {
  const auto* const node = reader.Child(key);
  if (!node || !node->IsScalar()) return fallback;
  const auto duration = ParseDuration(node->text);
  return duration && *duration > 0ms ? *duration : fallback;
}

Options ReadOptions(config::MapReader& reader) {
  Options options;
  const auto interval = CommonDuration(reader, "interval", Milliseconds(15'000));
  TargetDefaults defaults;
  defaults.max_timeout =
      CommonDuration(reader, "timeout", std::min(Milliseconds(10'000), interval));
  defaults.timeout = std::min(defaults.timeout, defaults.max_timeout);
  std::int64_t concurrency = kConcurrency;
  reader.Read("concurrency", concurrency, 1, 10'000);
  options.concurrency = static_cast<std::size_t>(concurrency);
  options.targets = ReadTargets(reader, defaults);
  return options;
}

}  // namespace
}  // namespace probe

// collectors.probe: docs/collectors/probe.md.
std::vector<Part> MakeProbeCollector(config::MapReader& options) {
  auto parsed = probe::ReadOptions(options);
  Part part{"probe", {}, nullptr};
  part.max_series = std::max(part.max_series, parsed.targets.size() * probe::kSeriesPerTarget);
  part.impl = std::make_unique<probe::ProbeCollector>(std::move(parsed));
  std::vector<Part> parts;
  parts.push_back(std::move(part));
  return parts;
}

}  // namespace vigia::collectors
