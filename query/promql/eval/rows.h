// Makes a vector row by row from many series, on several threads where that pays.

#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "query/promql/eval/context.h"
#include "query/promql/eval/vector.h"

namespace vigia::promql {

// Below so many cells a second thread costs more than it saves (bench/promql_bench.cc).
inline constexpr std::size_t kParallelCells = 50'000;

// For each i < count, `make(scratch, i, row)` writes the row of labels(i) and returns whether it
// has any sample; rows without are left out. `Scratch` is made once per thread.
template <typename Scratch, typename LabelsOf, typename Make>
QueryResult<Vector> MakeRows(Context& context, std::size_t count, std::size_t steps,
                             LabelsOf&& labels, Make&& make) {
  constexpr std::size_t kMaxReserve = 4 << 20;
  const std::size_t threads =
      count * steps < kParallelCells ? 1 : std::min<std::size_t>(context.settings.threads, count);
  const auto run = [&](std::size_t begin, std::size_t end, Vector& out) {
    Scratch scratch;
    out.labels.reserve(std::min(end - begin, kMaxReserve));
    out.values.reserve(std::min((end - begin) * steps, kMaxReserve));
    for (std::size_t i = begin; i < end && !context.Stopped(); ++i) {
      if (i % 64 == 0) {
        auto status = context.Check();
        if (status) status = context.CheckSize(out.rows() * threads + 1, steps);
        if (!status) return context.Abort(status.error());
      }
      const std::size_t used = out.values.size();
      out.values.resize(used + steps, Absent());
      if (make(scratch, i, std::span<double>(out.values.data() + used, steps))) {
        out.labels.push_back(labels(i));
      } else {
        out.values.resize(used);
      }
    }
  };

  std::vector<Vector> parts(threads, Vector(steps));
  {
    std::vector<std::jthread> helpers;
    for (std::size_t part = 1; part < threads; ++part) {
      const auto help = [&, part] {
        run(count * part / threads, count * (part + 1) / threads, parts[part]);
      };
      try {
        helpers.emplace_back(help);
      } catch (const std::system_error&) {
        help();  // no more threads to be had
      }
    }
    run(0, count / threads, parts[0]);
  }
  if (auto status = context.aborted(); !status) return Fail(status.error());
  Vector& all = parts[0];
  for (std::size_t part = 1; part < threads; ++part) {
    auto& more = parts[part];
    all.labels.insert(all.labels.end(), std::make_move_iterator(more.labels.begin()),
                      std::make_move_iterator(more.labels.end()));
    all.values.insert(all.values.end(), more.values.begin(), more.values.end());
    more = Vector(steps);
  }
  return std::move(all);
}

}  // namespace vigia::promql
