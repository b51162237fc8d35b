// A collector that does what a test tells it: succeed, fail, or hang.

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "collectors/collector.h"

namespace vigia::test {

// Shared between a test and its FakeCollector. Thread-safe.
class FakeSource {
 public:
  void SetValue(double value);
  void FailWith(Error error);
  void Recover();
  // Collect() blocks from now on; ends with Release().
  void Hang();
  void Release();

  // Blocks until `runs` runs have begun, or ended; for at most 30 s, then returns false.
  bool AwaitStarted(int runs);
  bool AwaitEnded(int runs);
  int started() const;
  int ended() const;
  // Which thread ran it last.
  std::thread::id last_thread() const;

  Status Run(Batch& batch);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  double value_ = 1;
  std::unique_ptr<Error> error_;
  bool hung_ = false;
  int started_ = 0;
  int ended_ = 0;
  std::thread::id last_thread_;
};

class FakeCollector final : public collectors::Collector {
 public:
  explicit FakeCollector(std::shared_ptr<FakeSource> source) : source_(std::move(source)) {}

  std::span<const Metric> Metrics() const override;
  Status Collect(Deadline, Batch& batch) override { return source_->Run(batch); }

 private:
  const std::shared_ptr<FakeSource> source_;
};

}  // namespace vigia::test
