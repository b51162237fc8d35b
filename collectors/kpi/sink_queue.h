// What a KPI query has found, on its way to a sink: a bounded queue between the runner, which
// never waits, and a sink that may be slow or away. When it is full the oldest records go, and
// are counted: newer numbers are worth more.
//
// Thread-safe.

#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "collectors/kpi/answer.h"
#include "core/sample.h"

namespace vigia::collectors::kpi {

// One number as sinks write it.
struct Record {
  std::string metric;
  std::vector<std::pair<std::string, std::string>> labels;  // none empty
  double value = 0;
  Timestamp time = 0;
};

class SinkQueue {
 public:
  explicit SinkQueue(std::size_t capacity) : capacity_(capacity) {}

  // Adds all numbers of an answer; `asked_at` is the time of those that have none of their own.
  void Push(const Answer& answer, Timestamp asked_at);

  // The oldest records, at most `count`; they stay until Pop().
  std::vector<Record> Front(std::size_t count) const;
  // Removes what Front() gave, as far as it has not been pushed out meanwhile.
  void Pop(std::size_t count);

  std::size_t size() const;
  // Pushed out by newer ones since the start.
  std::uint64_t dropped() const;

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<Record> records_;
  std::uint64_t first_ = 0;          // number of the first record since the start
  mutable std::uint64_t given_ = 0;  // number of the first record that Front() gave
  std::uint64_t dropped_ = 0;
};

}  // namespace vigia::collectors::kpi
