// Remote write: everything that the history takes is sent on, to any number of endpoints.
//
// Each endpoint follows the journal by itself, from where it was when the process ended, so an
// outage of the receiver or of vigia loses nothing as long as the journal lasts
// (history::Options::journal_keep_bytes). Thread-safe.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "query/history/history.h"
#include "query/remote_write/queue.h"

namespace vigia::remote_write {

class RemoteWrite {
 public:
  // What the endpoints have in common; folder and on_progress are filled in.
  using Context = Queue::Context;

  // `history` and `clock` outlive it.
  RemoteWrite(history::History& history, std::filesystem::path folder, Clock& clock)
      : history_(history), folder_(std::move(folder)), clock_(clock) {}
  ~RemoteWrite() { Stop(); }
  RemoteWrite(const RemoteWrite&) = delete;
  RemoteWrite& operator=(const RemoteWrite&) = delete;

  // Stops what runs and starts these.
  void Apply(std::vector<Endpoint> endpoints, Context context);
  void Stop();

  std::vector<EndpointStats> stats() const;

 private:
  void Followed();

  history::History& history_;
  const std::filesystem::path folder_;
  Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::unique_ptr<Queue>> queues_;
  std::uint64_t lost_before_ = 0;  // samples that the disk refused before these began
};

}  // namespace vigia::remote_write
