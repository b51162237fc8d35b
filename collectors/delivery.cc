#include "collectors/delivery.h"

#include <utility>

namespace vigia::collectors {

void Delivery::Publish(std::shared_ptr<const Reading> reading) {
  const Timestamp time = reading->time;
  events_.push_back({false, time, std::move(reading)});
}

void Delivery::Withdraw(Timestamp time, std::shared_ptr<const Reading> last_words) {
  events_.push_back({true, time, std::move(last_words)});
}

void Delivery::Run(const InstanceId& instance, std::span<ReadingSink* const> sinks,
                   std::unique_lock<std::mutex>& lock) {
  if (running_) return;
  running_ = true;
  while (!events_.empty()) {
    const auto events = std::exchange(events_, {});
    lock.unlock();
    for (const auto& event : events) {
      for (auto* sink : sinks) {
        if (event.withdrawn) {
          sink->Withdraw(instance, event.time, event.reading);
        } else {
          sink->Publish(instance, event.reading);
        }
      }
    }
    lock.lock();
  }
  running_ = false;
}

}  // namespace vigia::collectors
