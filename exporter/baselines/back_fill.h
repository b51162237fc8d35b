// Back-fill: baselines that know too little read their past from `query.datasource`, on a thread of
// its own, so that they are of use on the first day. Each is asked for once; while the datasource
// does not answer, again and again with growing pauses.

#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "alerting/baseline/book.h"
#include "core/clock.h"
#include "exporter/config/datasource.h"

namespace vigia::exporter {

class BackFill {
 public:
  // Both outlive it.
  BackFill(Clock& clock, alerting::baseline::Book& book) : clock_(clock), book_(book) {}

  // Thread-safe; what was read from another datasource is read anew.
  void Apply(std::shared_ptr<const DatasourceConfig> config);

  void Start();
  void Stop() { worker_ = {}; }

 private:
  struct Sum {
    std::size_t baselines = 0;
    std::size_t series = 0;
    std::size_t left_out = 0;
  };

  void Run(std::stop_token stop);
  // Reads for all that lack; an error leaves the rest for the next time.
  Status Round(const DatasourceConfig& config, std::stop_token stop, Sum& sum);
  void Tell(const DatasourceConfig& config, const Status& status, const Sum& sum);

  Clock& clock_;
  alerting::baseline::Book& book_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const DatasourceConfig> config_;  // guarded by mutex_

  // Of the worker.
  std::string fingerprint_;
  std::map<std::string, std::string> done_;  // baselines, and the expression that was asked for
  bool failing_ = false;

  std::jthread worker_;
};

}  // namespace vigia::exporter
