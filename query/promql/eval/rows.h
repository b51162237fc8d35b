// Makes rows from many series, one after another or, where that pays, on several threads; they are
// taken in the order of the series all the same, so that what is made of them does not depend on
// the threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "query/promql/eval/context.h"
#include "query/promql/eval/vector.h"

namespace vigia::promql {

// The labels of series i.
using LabelsOf = std::function<const Labels&(std::size_t i)>;

// What becomes of rows. Called by one thread at a time.
class RowSink {
 public:
  virtual ~RowSink() = default;

  // The series that rows may come of, before the first row; the labels are borrowed as long as rows
  // come. `name_dropped` as of vectors.
  virtual void Begin(std::size_t count, LabelsOf labels, bool name_dropped) = 0;
  // The row of series i, which has a sample. Rows come in the order of their series.
  virtual void Take(std::size_t i, std::span<const double> row) = 0;
  // Values in memory because of the rows taken.
  virtual std::size_t cells() const = 0;
};

// Keeps the rows as a vector.
class RowCollector final : public RowSink {
 public:
  explicit RowCollector(std::size_t steps) : vector_(steps) {}

  void Begin(std::size_t count, LabelsOf labels, bool name_dropped) override;
  void Take(std::size_t i, std::span<const double> row) override;
  std::size_t cells() const override { return vector_.values.size(); }
  Vector Finish() { return std::move(vector_); }

 private:
  LabelsOf labels_;
  Vector vector_;
};

// Rows that are made and taken together: what fits a core's cache.
inline constexpr std::size_t kChunkCells = 8192;
// Below so much work a second thread costs more than it saves. A unit is a sample read or a cell
// written, a few nanoseconds (bench/promql_bench.cc).
inline constexpr std::size_t kParallelWork = 150'000;

// The part of MakeRows() that its threads share.
class RowQueue {
 public:
  RowQueue(std::size_t rows, std::size_t steps, RowSink& sink);

  struct Chunk {
    std::size_t begin = 0;
    std::size_t end = 0;  // rows [begin, end)
    std::vector<double> cells;
    std::vector<bool> present;

    std::span<double> Row(std::size_t i, std::size_t steps) {
      return {cells.data() + (i - begin) * steps, steps};
    }
  };

  // The next rows to be made; null when there are none left or `context` has stopped. While many
  // chunks wait for a slow one, further ones are not begun.
  std::unique_ptr<Chunk> Next(const Context& context);
  // Hands over a chunk that was made: it is taken, or waits for those before it. Returns the
  // sink's cells.
  std::size_t Done(std::unique_ptr<Chunk> chunk);
  std::size_t rows_left() const { return rows_ - next_; }

 private:
  void Take(Chunk& chunk);

  // Constant after construction.
  const std::size_t rows_;
  const std::size_t steps_;
  const std::size_t rows_per_chunk_;
  RowSink& sink_;

  std::mutex mutex_;
  std::condition_variable taken_more_;
  // Guarded by mutex_.
  std::map<std::size_t, std::unique_ptr<Chunk>> waiting_;  // by their begin
  std::vector<std::unique_ptr<Chunk>> spare_;
  std::size_t taken_ = 0;  // rows
  // Written under mutex_.
  std::atomic<std::size_t> next_ = 0;
};

// For each i < count, `make(scratch, i, row)` writes row i, which arrives without samples, and
// returns whether it has any; rows without are left out. `Scratch` is made once per thread; its
// member `work` is to grow by the work done.
template <typename Scratch, typename Make>
QueryStatus MakeRows(Context& context, std::size_t count, std::size_t steps, RowSink& sink,
                     Make&& make) {
  RowQueue queue(count, steps, sink);
  const auto make_one = [&](Scratch& scratch) {
    auto chunk = queue.Next(context);
    if (!chunk) return false;
    if (auto status = context.Check(); !status) context.Abort(status.error());
    for (std::size_t i = chunk->begin; i < chunk->end && !context.Stopped(); ++i) {
      chunk->present[i - chunk->begin] = make(scratch, i, chunk->Row(i, steps));
    }
    if (context.Stopped()) return false;
    const std::size_t cells = queue.Done(std::move(chunk));
    if (auto status = context.CheckSize(1, cells + steps); !status) context.Abort(status.error());
    return !context.Stopped();
  };
  Scratch scratch;
  {
    std::vector<std::jthread> helpers;
    bool more = make_one(scratch);
    const std::size_t made = count - queue.rows_left();
    const bool large = made > 0 && scratch.work / made * queue.rows_left() > kParallelWork;
    for (unsigned i = 1; more && large && i < context.settings.threads; ++i) {
      try {
        helpers.emplace_back([&] {
          Scratch own;
          while (make_one(own)) {
          }
        });
      } catch (const std::system_error&) {
        break;  // no more threads to be had
      }
    }
    while (more) more = make_one(scratch);
  }
  return context.aborted();
}

}  // namespace vigia::promql
