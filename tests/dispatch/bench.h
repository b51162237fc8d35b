// A dispatcher on a bench: time moves when a test says so, and what it tells is kept as text.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/dispatch/dispatcher.h"
#include "core/clock.h"

namespace vigia::test {

// One receiver, a group for each job.
inline const std::string kOne = R"(
route: { receiver: team, group_by: [job], group_wait: 10s, group_interval: 1m, repeat_interval: 1h }
receivers: [ { name: team, webhook_configs: [ { url: x } ] } ]
)";

inline Labels Named(std::string_view name) { return Labels{{"alertname", name}}; }

// Keeps everything in memory, as a database would; outlives dispatchers.
class MemoryStore final : public alerting::dispatch::Store {
 public:
  Status Commit(const alerting::dispatch::Changes& changes) override;
  Result<alerting::dispatch::Snapshot> Load() override;

  bool broken = false;
  std::size_t commits = 0;
  std::map<alerting::dispatch::AlertId, alerting::dispatch::AlertPtr> alerts;
  std::map<std::string, alerting::dispatch::Silence> silences;
  std::map<alerting::dispatch::AlertId, alerting::dispatch::Acknowledgement> acks;
  alerting::dispatch::NotificationLog log;
  std::map<std::string, alerting::dispatch::Notice> notices;  // still to be delivered
  std::vector<alerting::dispatch::Event> events;
};

class DispatchBench : public alerting::dispatch::NoticeSink, public alerting::dispatch::EventSink {
 public:
  // `config` is an alertmanager.yml. Every receiver has one integration per list under it;
  // "send_resolved: false" in its map is obeyed.
  explicit DispatchBench(const std::string& config,
                         alerting::dispatch::Dispatcher::Options options = {});

  // The dispatcher begins anew from what was written, `config` changed if not empty.
  void Restart(const std::string& config = {});
  void Apply(const std::string& config);
  // A reload that changes the options alone.
  void Apply(alerting::dispatch::Dispatcher::Options options);

  // An alert that fires now, until further notice; and one that has ended.
  void Fire(const Labels& labels);
  void End(const Labels& labels);
  // Moves the time in small steps, so that every timer runs at its time.
  void Advance(std::chrono::milliseconds by);
  // "team [A,B|C] first notification" per notice since the last call: receiver, the alert names
  // that fire and those that have ended, and the reason.
  std::string Told();

  alerting::dispatch::Dispatcher& dispatcher() { return *dispatcher_; }
  ManualClock& clock() { return clock_; }
  MemoryStore& store() { return store_; }
  const std::vector<alerting::dispatch::Notice>& notices() const { return notices_; }
  const std::vector<alerting::dispatch::Event>& events() const { return store_.events; }

  void Submit(std::vector<alerting::dispatch::Notice> notices) override;
  void Record(std::vector<alerting::dispatch::Event> events) override;

 private:
  void Open();

  ManualClock clock_;
  MemoryStore store_;
  alerting::dispatch::Dispatcher::Options options_;
  std::shared_ptr<const alerting::dispatch::Plan> plan_;
  std::vector<alerting::dispatch::Notice> notices_;
  std::size_t shown_ = 0;
  std::vector<alerting::dispatch::Event> events_;
  std::map<Labels, Timestamp> started_;
  std::unique_ptr<alerting::dispatch::Dispatcher> dispatcher_;
};

// Reads a configuration for a dispatcher; throws std::runtime_error with its faults.
std::shared_ptr<const alerting::dispatch::Plan> PlanOf(const std::string& config);

}  // namespace vigia::test
