// A part of the daemon that lives beside collecting and showing: rules, routing, baselines.
//
// Components are made in the order of components.def and ended in the opposite one. A component
// takes its options from the Config, adds its routes and collectors, and works on threads of its
// own; it never blocks those of others.

#pragma once

#include <prometheus/registry.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alerting/alert.h"
#include "alerting/route/matcher.h"
#include "alerting/state/database.h"
#include "alerting/state/journal.h"
#include "core/clock.h"
#include "core/reading.h"
#include "core/result.h"
#include "exporter/api/metadata_store.h"
#include "exporter/config/config.h"
#include "exporter/http/router.h"
#include "query/history/history.h"
#include "query/promql/engine.h"

namespace vigia::exporter {

// Rings whenever a reading has been stored, or withdrawn, in the history: who evaluates right
// behind the data subscribes. Thread-safe.
class ReadingBell final : public ReadingSink {
 public:
  // Called on the collector's thread, so it only notes and notifies.
  using Listener = std::function<void(const InstanceId& instance, Timestamp time)>;

  // Before the daemon has started; listeners stay for the life of the bell.
  void Subscribe(Listener listener) { listeners_.push_back(std::move(listener)); }
  // The same for one that wants to see the readings.
  void Attach(ReadingSink& sink) { sinks_.push_back(&sink); }

  void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) override {
    for (const auto& listener : listeners_) listener(instance, reading->time);
    for (auto* sink : sinks_) sink->Publish(instance, reading);
  }
  void Withdraw(const InstanceId& instance, Timestamp time,
                std::shared_ptr<const Reading> last_words) override {
    for (const auto& listener : listeners_) listener(instance, time);
    for (auto* sink : sinks_) sink->Withdraw(instance, time, last_words);
  }

 private:
  // Constant once the daemon has started.
  std::vector<Listener> listeners_;
  std::vector<ReadingSink*> sinks_;
};

// The instance with what baselines find, and the one with their series, which the baselines write
// into the history themselves.
inline constexpr const char* kBaselines = "vigia.baselines";
inline constexpr const char* kBaselineSeries = "vigia.baseline_series";

// What the daemon tells of itself under `collector`, every 15 s; `fingerprint` as in Instance.
inline collectors::Instance OwnInstance(std::string collector, std::string fingerprint,
                                        std::unique_ptr<collectors::Collector> impl) {
  collectors::Instance own;
  own.id = {std::move(collector), "vigia"};
  own.worker = "vigia";
  own.fingerprint = std::move(fingerprint);
  own.impl = std::move(impl);
  return own;
}

// Where rules post alerts: hands them on to whoever notifies. Thread-safe once the daemon has
// started.
class AlertRelay final : public alerting::AlertSink {
 public:
  // Before the daemon has started.
  void Attach(alerting::AlertSink& sink) { sinks_.push_back(&sink); }

  void Post(std::span<const alerting::Alert> alerts) override {
    for (auto* sink : sinks_) sink->Post(alerts);
  }

  // Whether every rule has been evaluated once: what fires is known, and whoever notifies may
  // begin. Set by the rules before the daemon has started.
  void TellEvaluated(std::function<bool()> evaluated) { evaluated_ = std::move(evaluated); }
  bool Evaluated() const { return !evaluated_ || evaluated_(); }

  // What the rules know of alerts that fit: a JSON array (docs/api.md). The same.
  using Explain = std::function<std::string(const alerting::route::Matchers&)>;
  void TellReasons(Explain explain) { explain_ = std::move(explain); }
  std::string Explained(const alerting::route::Matchers& matchers) const {
    return explain_ ? explain_(matchers) : "[]";
  }

 private:
  // Constant once the daemon has started.
  std::vector<alerting::AlertSink*> sinks_;
  std::function<bool()> evaluated_;
  Explain explain_;
};

// What there is for a component to build on; all of it outlives the components.
struct Ground {
  Clock& clock;
  history::History& history;  // SeriesSource and SeriesSink
  const promql::Engine& engine;
  api::MetadataStore& metadata;       // of metrics that others sent
  std::function<Snapshot()> current;  // what was last collected
  ReadingBell& bell;
  AlertRelay& alerts;                   // rules post here, routing attaches itself
  alerting::state::Database& database;  // <data_dir>/vigia.db
  alerting::state::Journal& journal;    // of the same file; flushed by the daemon
  prometheus::Registry& registry;       // of vigia's own metrics
  http::Router& router;
  std::filesystem::path data_dir;  // exists
  std::string external_url;        // "http://host:port", without a slash at the end
};

class Component {
 public:
  virtual ~Component() = default;

  // Takes over a configuration that has been checked: once before the start, and at each reload.
  virtual Status Apply(const Config& config) = 0;
  // Begins to work; everything has been applied and the history is restored.
  virtual void Start() = 0;
  // Ends within a few seconds.
  virtual void Stop() = 0;
  // Collectors of the component's own, run beside those of the configuration.
  virtual std::vector<collectors::Instance> Instances() { return {}; }
};

// Routes are added here.
using MakeComponent = std::unique_ptr<Component>(const Ground& ground);

}  // namespace vigia::exporter
