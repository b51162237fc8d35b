#include "query/promql/eval/rows.h"

#include <chrono>

namespace vigia::promql {
namespace {

// Chunks of up to 90 kB.
constexpr std::size_t kMostWaiting = 64;
// How often one who waits looks whether the query has ended.
constexpr std::chrono::milliseconds kGlance{5};

}  // namespace

void RowCollector::Begin(std::size_t count, LabelsOf labels, bool name_dropped) {
  constexpr std::size_t kMaxReserve = 4 << 20;
  labels_ = std::move(labels);
  vector_.name_dropped = name_dropped;
  vector_.labels.reserve(std::min(count, kMaxReserve));
  vector_.values.reserve(std::min(count * vector_.steps, kMaxReserve));
}

void RowCollector::Take(std::size_t i, std::span<const double> row) {
  vector_.labels.push_back(labels_(i));
  vector_.values.insert(vector_.values.end(), row.begin(), row.end());
}

RowQueue::RowQueue(std::size_t rows, std::size_t steps, RowSink& sink)
    : rows_(rows),
      steps_(steps),
      rows_per_chunk_(
          std::clamp<std::size_t>(kChunkCells / std::max<std::size_t>(steps, 1), 1, 256)),
      sink_(sink) {}

std::unique_ptr<RowQueue::Chunk> RowQueue::Next(const Context& context) {
  std::unique_ptr<Chunk> chunk;
  std::size_t begin = 0;
  {
    std::unique_lock lock(mutex_);
    while (waiting_.size() >= kMostWaiting && !context.Stopped()) {
      taken_more_.wait_for(lock, kGlance);
    }
    if (next_ == rows_ || context.Stopped()) return nullptr;
    begin = next_;
    next_ = std::min(rows_, begin + rows_per_chunk_);
    if (!spare_.empty()) {
      chunk = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (!chunk) chunk = std::make_unique<Chunk>();
  chunk->begin = begin;
  chunk->end = std::min(rows_, begin + rows_per_chunk_);
  chunk->cells.assign((chunk->end - begin) * steps_, Absent());
  chunk->present.assign(chunk->end - begin, false);
  return chunk;
}

void RowQueue::Take(Chunk& chunk) {
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    if (chunk.present[i - chunk.begin]) sink_.Take(i, chunk.Row(i, steps_));
  }
  taken_ = chunk.end;
}

std::size_t RowQueue::Done(std::unique_ptr<Chunk> chunk) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(chunk->begin, std::move(chunk));
  while (!waiting_.empty() && waiting_.begin()->first == taken_) {
    auto first = waiting_.extract(waiting_.begin());
    Take(*first.mapped());
    spare_.push_back(std::move(first.mapped()));
  }
  taken_more_.notify_all();
  return sink_.cells();
}

}  // namespace vigia::promql
