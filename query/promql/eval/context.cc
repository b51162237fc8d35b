#include "query/promql/eval/context.h"

namespace vigia::promql {
namespace {

void Raise(std::atomic<std::size_t>& peak, std::size_t value) {
  std::size_t seen = peak.load(std::memory_order_relaxed);
  while (value > seen && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

QueryError Context::TooManySamples() {
  return {QueryError::Kind::kExecution,
          "query processing would load too many samples into memory in query execution"};
}

QueryStatus Context::Check() const {
  if (Stopped()) return aborted();
  if (limits_.stop.stop_requested()) {
    return Fail(
        QueryError{QueryError::Kind::kCanceled, "query was canceled in expression evaluation"});
  }
  if (limits_.deadline.Passed()) {
    return Fail(QueryError{QueryError::Kind::kTimeout, "query timed out in expression evaluation"});
  }
  return {};
}

bool Context::Charge(std::size_t samples) {
  const std::size_t held = held_.fetch_add(samples, std::memory_order_relaxed) + samples;
  Raise(peak_, held);
  if (held <= limits_.max_samples) return true;
  Abort(TooManySamples());
  return false;
}

QueryStatus Context::Hold(std::size_t samples) {
  held_.store(samples, std::memory_order_relaxed);
  Raise(peak_, samples);
  if (samples > limits_.max_samples) return Fail(TooManySamples());
  return {};
}

QueryStatus Context::CheckSize(std::size_t rows, std::size_t steps) const {
  // A gap takes as much memory as a sample; twice the limit is what Prometheus' samples, of
  // twice the size, may take.
  if (steps != 0 && rows > 2 * limits_.max_samples / steps) return Fail(TooManySamples());
  return {};
}

void Context::Abort(QueryError error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) error_ = std::move(error);
  stopped_.store(true, std::memory_order_relaxed);
}

QueryStatus Context::aborted() const {
  const std::scoped_lock lock(mutex_);
  if (error_) return Fail(*error_);
  return {};
}

}  // namespace vigia::promql
