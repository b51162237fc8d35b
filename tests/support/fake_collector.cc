#include "tests/support/fake_collector.h"

#include <array>
#include <chrono>

namespace vigia::test {
namespace {

constexpr std::array kMetrics{
    Metric{"fake_value", "What the test set."},
    Metric{"fake_up", "Whether the source answers."},
};

}  // namespace

void FakeSource::SetValue(double value) {
  const std::lock_guard lock(mutex_);
  value_ = value;
}

void FakeSource::FailWith(Error error) {
  const std::lock_guard lock(mutex_);
  error_ = std::make_unique<Error>(std::move(error));
}

void FakeSource::Recover() {
  const std::lock_guard lock(mutex_);
  error_.reset();
}

void FakeSource::Hang() {
  const std::lock_guard lock(mutex_);
  hung_ = true;
}

void FakeSource::Release() {
  const std::lock_guard lock(mutex_);
  hung_ = false;
  changed_.notify_all();
}

bool FakeSource::AwaitStarted(int runs) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 30s, [&] { return started_ >= runs; });
}

bool FakeSource::AwaitEnded(int runs) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 30s, [&] { return ended_ >= runs; });
}

int FakeSource::started() const {
  const std::lock_guard lock(mutex_);
  return started_;
}

int FakeSource::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::thread::id FakeSource::last_thread() const {
  const std::lock_guard lock(mutex_);
  return last_thread_;
}

Status FakeSource::Run(Batch& batch) {
  std::unique_lock lock(mutex_);
  ++started_;
  last_thread_ = std::this_thread::get_id();
  changed_.notify_all();
  changed_.wait(lock, [&] { return !hung_; });
  ++ended_;
  changed_.notify_all();
  if (error_) {
    batch.OnFailure().Add(kMetrics[1], 0);
    return Fail(*error_);
  }
  batch.Add(kMetrics[0], value_);
  batch.Add(kMetrics[1], 1);
  return Ok();
}

std::span<const Metric> FakeCollector::Metrics() const { return kMetrics; }

}  // namespace vigia::test
