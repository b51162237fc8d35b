#include "query/history/recorder.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace vigia::history {
namespace {

// Looking up a series costs more than anything else here: while a limit forbids new ones, a reading
// tries one of so many shares of those that were refused. They may have come another way.
constexpr std::size_t kRefusedShares = 16;

bool SameFamilies(const Reading& reading,
                  const std::vector<std::shared_ptr<const Family>>& families) {
  return std::equal(
      reading.families.begin(), reading.families.end(), families.begin(), families.end(),
      [](const FamilyReading& family, const auto& known) { return family.family == known; });
}

void AddSeries(std::vector<SeriesPointer>& series, const std::vector<Appender::Item>& items) {
  for (const auto& item : items) {
    if (item.series) series.push_back(item.series);
  }
}

// Those of `series` that `items` do not have, each once.
std::vector<SeriesPointer> Without(const std::vector<SeriesPointer>& series,
                                   const std::vector<Appender::Item>& items) {
  std::unordered_set<const Series*> seen;
  for (const auto& item : items) seen.insert(item.series.get());
  std::vector<SeriesPointer> rest;
  for (const auto& one : series) {
    if (seen.insert(one.get()).second) rest.push_back(one);
  }
  return rest;
}

}  // namespace

Recorder::Instance& Recorder::Get(const InstanceId& id) {
  const std::lock_guard lock(mutex_);
  auto& instance = instances_[id];
  if (!instance) instance = std::make_unique<Instance>();
  return *instance;
}

std::vector<Appender::Item> Recorder::Turn(const Reading& reading, Page& page) {
  std::vector<Appender::Item> before;
  const bool anew = !SameFamilies(reading, page.families);
  const bool all = anew || history_.TakesSeries();
  const std::size_t share = page.turns++ % kRefusedShares;
  if (anew) {
    before = std::exchange(page.items, {});
    page.families.clear();
    page.items.resize(reading.SeriesCount());
    for (const auto& family : reading.families) page.families.push_back(family.family);
  }
  auto item = page.items.begin();
  for (const auto& [family, values, times] : reading.families) {
    for (std::size_t i = 0; i < values.size(); ++i, ++item) {
      if (!item->series && (all || i % kRefusedShares == share)) {
        item->series = history_.Resolve(family->labels(i));
      }
      const Timestamp own = times.empty() ? 0 : times[i];
      item->sample = {own != 0 ? own : reading.time, values[i]};
    }
  }
  history_.AppendResolved(page.items);
  return before;
}

void Recorder::Mark(const std::vector<SeriesPointer>& series, Sample marker) {
  std::vector<Appender::Item> items;
  for (const auto& one : series) items.push_back({one, marker});
  history_.AppendResolved(items);
}

std::vector<SeriesPointer> Recorder::MarkVanished(const std::vector<SeriesPointer>& vanished,
                                                  const Reading& reading) {
  std::vector<SeriesPointer> gone;
  std::vector<SeriesPointer> withheld;
  for (const auto& series : vanished) {
    const auto covers = [&](const Withheld& one) { return one.Covers(series->labels); };
    const bool known = std::none_of(reading.withheld.begin(), reading.withheld.end(), covers);
    (known ? gone : withheld).push_back(series);
  }
  Mark(gone, {reading.time, GoneMarker()});
  Mark(withheld, {reading.time, UnknownMarker()});
  return withheld;
}

void Recorder::Publish(const InstanceId& id, std::shared_ptr<const Reading> reading) {
  Instance& instance = Get(id);
  const std::lock_guard lock(instance.mutex);
  auto vanished = std::exchange(instance.others, {});
  AddSeries(vanished, Turn(*reading, instance.page));
  if (vanished.empty()) return;
  instance.others = MarkVanished(Without(vanished, instance.page.items), *reading);
}

void Recorder::Withdraw(const InstanceId& id, Timestamp time,
                        std::shared_ptr<const Reading> last_words) {
  static const Reading kSilence;
  Instance& instance = Get(id);
  const std::lock_guard lock(instance.mutex);
  AddSeries(instance.others, Turn(last_words ? *last_words : kSilence, instance.last_words));
  auto all = instance.others;
  AddSeries(all, instance.page.items);
  Mark(Without(all, instance.last_words.items), {time, UnknownMarker()});
  AddSeries(instance.others, instance.last_words.items);
  instance.others = Without(instance.others, instance.page.items);
}

}  // namespace vigia::history
