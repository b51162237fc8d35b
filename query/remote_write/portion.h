// A portion of the journal, divided into requests.
//
// All samples of a series are in one shard, in their order, so that shards need not wait for one
// another. A sample that is older than one of its series before it goes into a request of its
// own kind behind the others: a receiver that takes none out of order refuses that alone. The
// same samples are always divided in the same way.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/series.h"
#include "query/remote_write/labelling.h"
#include "query/remote_write/message.h"
#include "query/remote_write/options.h"

namespace vigia::remote_write {

struct Request {
  std::vector<SeriesPart> series;

  std::size_t CountSamples() const;
  Timestamp Newest() const;
};

struct Portion {
  std::vector<std::vector<Request>> shards;  // requests of each, in order
  std::size_t relabelled = 0;                // samples of series that the rules drop
  std::size_t too_old = 0;
};

// `oldest`: samples before it are dropped.
Portion Divide(std::span<const SeriesSink::Entry> entries, const QueueOptions& options,
               Timestamp oldest, Labelling& labelling);

}  // namespace vigia::remote_write
