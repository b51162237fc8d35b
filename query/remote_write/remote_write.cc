#include "query/remote_write/remote_write.h"

#include <algorithm>

namespace vigia::remote_write {

void RemoteWrite::Apply(std::vector<Endpoint> endpoints, Context context) {
  Stop();
  context.folder = folder_;
  context.on_progress = [this] { Followed(); };
  const std::uint64_t lost = history_.stats().samples_lost;
  {
    const std::lock_guard lock(mutex_);
    lost_before_ = lost;
    for (auto& endpoint : endpoints) {
      queues_.push_back(std::make_unique<Queue>(std::move(endpoint), context, clock_));
    }
  }
  Followed();
}

// Not under the lock, which the queues take when they get on.
void RemoteWrite::Stop() {
  std::vector<std::unique_ptr<Queue>> queues;
  const std::lock_guard lock(mutex_);
  queues.swap(queues_);
}

void RemoteWrite::Followed() {
  std::uint32_t segment = ~std::uint32_t{0};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& queue : queues_) segment = std::min(segment, queue->segment());
  }
  history_.Followed({segment, 0});
}

std::vector<EndpointStats> RemoteWrite::stats() const {
  const auto stored = history_.stats();
  const std::lock_guard lock(mutex_);
  std::vector<EndpointStats> stats;
  for (const auto& queue : queues_) {
    stats.push_back(queue->stats());
    stats.back().newest_stored = stored.newest_time;
    stats.back().not_in_journal = stored.samples_lost - std::min(stored.samples_lost, lost_before_);
  }
  return stats;
}

}  // namespace vigia::remote_write
