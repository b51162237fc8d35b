#include "query/history/columns.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace vigia::history {

void Trim(Columns& columns, std::size_t start, Timestamp from, Timestamp to) {
  auto& [times, values] = columns;
  const auto begin = times.begin() + static_cast<std::ptrdiff_t>(start);
  const auto first = std::lower_bound(begin, times.end(), from);
  const auto last = std::upper_bound(first, times.end(), to);
  const auto skip = first - begin;
  const auto end = last - times.begin();
  times.erase(last, times.end());
  values.erase(values.begin() + end, values.end());
  times.erase(begin, begin + skip);
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(start),
               values.begin() + static_cast<std::ptrdiff_t>(start) + skip);
}

void SortByTime(Columns& columns, std::size_t start) {
  auto& times = columns.times;
  auto& values = columns.values;
  const auto in_order = std::adjacent_find(times.begin() + static_cast<std::ptrdiff_t>(start),
                                           times.end(), std::greater_equal<>()) == times.end();
  if (in_order) return;
  std::vector<std::size_t> order(times.size() - start);
  std::iota(order.begin(), order.end(), start);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
  Columns sorted;
  sorted.times.reserve(order.size());
  sorted.values.reserve(order.size());
  for (const auto i : order) {
    if (!sorted.times.empty() && sorted.times.back() == times[i]) continue;
    sorted.times.push_back(times[i]);
    sorted.values.push_back(values[i]);
  }
  times.resize(start);
  values.resize(start);
  times.insert(times.end(), sorted.times.begin(), sorted.times.end());
  values.insert(values.end(), sorted.values.begin(), sorted.values.end());
}

}  // namespace vigia::history
