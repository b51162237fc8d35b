#include "query/remote_write/portion.h"

#include <algorithm>
#include <unordered_map>

namespace vigia::remote_write {
namespace {

// Samples by series, in the order in which the series came.
class Grouped {
 public:
  void Add(const Labels& labels, Sample sample) {
    const auto [found, fresh] = places_.try_emplace(labels, series_.size());
    if (fresh) series_.push_back({labels, {}});
    series_[found->second].samples.push_back(sample);
  }

  // Appends them as requests of at most `limit` samples.
  void MoveTo(std::vector<Request>& requests, std::size_t limit) {
    std::size_t room = 0;
    for (auto& [labels, samples] : series_) {
      for (std::size_t begin = 0; begin < samples.size();) {
        if (room == 0) {
          requests.emplace_back();
          room = limit;
        }
        const std::size_t count = std::min(room, samples.size() - begin);
        const auto part = std::span(samples).subspan(begin, count);
        requests.back().series.push_back({labels, {part.begin(), part.end()}});
        begin += count;
        room -= count;
      }
    }
  }

 private:
  std::unordered_map<Labels, std::size_t> places_;
  std::vector<SeriesPart> series_;
};

std::size_t ShardCount(std::size_t samples, const QueueOptions& options) {
  const std::size_t wanted =
      (samples + options.max_samples_per_send - 1) / options.max_samples_per_send;
  return std::clamp(wanted, options.min_shards, options.max_shards);
}

}  // namespace

std::size_t Request::CountSamples() const {
  std::size_t count = 0;
  for (const auto& part : series) count += part.samples.size();
  return count;
}

Timestamp Request::Newest() const {
  Timestamp newest = std::numeric_limits<Timestamp>::min();
  for (const auto& part : series) newest = std::max(newest, part.samples.back().time);
  return newest;
}

Portion Divide(std::span<const SeriesSink::Entry> entries, const QueueOptions& options,
               Timestamp oldest, Labelling& labelling) {
  Portion portion;
  const std::size_t shards = ShardCount(entries.size(), options);
  std::vector<Grouped> in_order(shards);
  std::vector<Grouped> late(shards);
  for (const auto& [labels, sample] : entries) {
    auto& outgoing = labelling.Of(labels);
    if (outgoing.labels.empty()) {
      ++portion.relabelled;
    } else if (sample.time < oldest) {
      ++portion.too_old;
    } else {
      auto& groups = sample.time > outgoing.newest ? in_order : late;
      outgoing.newest = std::max(outgoing.newest, sample.time);
      groups[outgoing.hash % shards].Add(outgoing.labels, sample);
    }
  }
  portion.shards.resize(shards);
  for (std::size_t i = 0; i < shards; ++i) {
    in_order[i].MoveTo(portion.shards[i], options.max_samples_per_send);
    late[i].MoveTo(portion.shards[i], options.max_samples_per_send);
  }
  return portion;
}

}  // namespace vigia::remote_write
