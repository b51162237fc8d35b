// Adds samples to the store: in order of time to the head of their series, late ones after a look
// at what is stored, and all that were accepted to the journal. Thread-safe.

#pragma once

#include <span>
#include <vector>

#include "core/series.h"
#include "query/history/store.h"

namespace vigia::history {

class Appender {
 public:
  struct Item {
    SeriesPointer series;
    Sample sample;
  };

  explicit Appender(Store& store) : store_(store) {}

  SeriesSink::Outcome Append(std::span<const SeriesSink::Entry> entries);
  SeriesSink::Outcome Append(std::span<const SeriesSink::Run> runs);

  // Adds samples of series that FindOrCreate() returned; those that are null count as refused.
  // A series that retention has dropped since is made anew, in `items` too.
  SeriesSink::Outcome Append(std::span<Item> items);

  // Adds samples that were in the journal: any time will do.
  void Replay(std::span<Item> items);

  // The series with these labels, made if need be; nullptr if a limit forbids it.
  SeriesPointer FindOrCreate(const Labels& labels);
  // Whether no limit forbids a new series at the moment.
  bool TakesSeries() const;

 private:
  class Batch;

  SeriesSink::Outcome Add(std::span<Item> items, bool replay);
  bool MemoryForSeries() const;

  Store& store_;
};

}  // namespace vigia::history
