#include "collectors/kpi/sink_queue.h"

#include <algorithm>

namespace vigia::collectors::kpi {

void SinkQueue::Push(const Answer& answer, Timestamp asked_at) {
  std::vector<Record> records;
  records.reserve(answer.points.size());
  answer.ForEach(
      [&](const Metric& metric, std::span<const LabelView> labels, double value, Timestamp time) {
        Record record{std::string(metric.name), {}, value, time != 0 ? time : asked_at};
        for (const auto& label : labels) {
          if (!label.value.empty()) record.labels.emplace_back(label.name, label.value);
        }
        records.push_back(std::move(record));
      });
  const std::lock_guard lock(mutex_);
  for (auto& record : records) {
    records_.push_back(std::move(record));
    if (records_.size() <= capacity_) continue;
    records_.pop_front();
    ++first_;
    ++dropped_;
  }
}

std::vector<Record> SinkQueue::Front(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  given_ = first_;
  const auto end = static_cast<std::ptrdiff_t>(std::min(count, records_.size()));
  return {records_.begin(), records_.begin() + end};
}

void SinkQueue::Pop(std::size_t count) {
  const std::lock_guard lock(mutex_);
  // What was pushed out while it was sent has been counted as dropped, though it arrived.
  while (!records_.empty() && first_ < given_ + count) {
    records_.pop_front();
    ++first_;
  }
}

std::size_t SinkQueue::size() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

std::uint64_t SinkQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace vigia::collectors::kpi
