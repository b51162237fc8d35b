// Alertmanagers elsewhere that get every alert of the rules, as a Prometheus sends them
// (`alerting.alertmanagers`).
//
// Each has a queue and a thread of its own: one that hangs costs the others nothing. Rules post an
// alert again each minute while it fires, and for 15 minutes after its end; of an alert that waits
// only what was posted last is kept, so an Alertmanager that returns is told what is true now. What
// could not be sent stays in the queue and is tried again. Thread-safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "alerting/alert.h"
#include "alerting/deliver/aws_credentials.h"
#include "alerting/deliver/http_sender.h"
#include "core/clock.h"
#include "core/config/node.h"
#include "core/relabel.h"

namespace vigia::alerting::deliver {

// One Alertmanager.
struct AlertmanagerOptions {
  std::string url;  // that alerts are posted to, path included
  HttpConfig http;
  std::optional<AwsOptions> aws;  // signs requests, for Amazon Managed Service for Prometheus
  Milliseconds timeout{10'000};   // of one request
  Relabeling relabeling;          // of the alerts, for this one alone
  // The same text for equal options: a reload leaves alone what it does not change.
  std::string fingerprint;
};

// Where Alertmanagers are named outside the configuration. Used by one thread at a time.
class AlertmanagerDiscovery {
 public:
  // By file, the list that was good when it was read last.
  using Lists = std::map<std::filesystem::path, config::Node>;

  virtual ~AlertmanagerDiscovery() = default;
  // Those that are named now, behind those of the configuration.
  virtual std::vector<AlertmanagerOptions> Find() = 0;
  virtual Lists Known() const = 0;
  // What the discovery before a reload knew counts where a file has not been good since.
  virtual void Recall(Lists known) = 0;
};

struct AlertmanagersOptions {
  std::vector<AlertmanagerOptions> targets;
  Relabeling relabeling;  // of the alerts, for all
  // Tells what `targets` have become since, if that can change; to be asked each `refresh`.
  std::shared_ptr<AlertmanagerDiscovery> discovery = {};
  Milliseconds refresh{5'000};
};

struct AlertmanagerStats {
  std::string url;  // without a password
  std::size_t waiting = 0;
  std::uint64_t sent = 0;     // alerts that it took
  std::uint64_t failed = 0;   // requests
  std::uint64_t dropped = 0;  // alerts: refused, too many, or over long since
  double seconds = 0;         // spent in requests
  bool up = true;             // the last request succeeded
  std::string last_error;     // of the last request; empty if it succeeded
};

class Alertmanagers final : public AlertSink {
 public:
  static constexpr std::size_t kCapacity = 10'000;  // alerts that wait, for each
  static constexpr std::size_t kBatch = 256;        // alerts in a request

  // `clock` outlives it.
  explicit Alertmanagers(Clock& clock);
  ~Alertmanagers() override;

  // From now on these. Those that stay as they were keep what waits.
  void Apply(AlertmanagersOptions options);
  void Post(std::span<const Alert> alerts) override;
  // In the order of the options.
  std::vector<AlertmanagerStats> Stats() const;
  // What waits is tried once more, for two seconds at most.
  void Stop();

 private:
  class Lane;

  Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Lane>> lanes_;
  Relabeling relabeling_;
};

}  // namespace vigia::alerting::deliver
