// One endpoint: follows the journal from where it was, divides what comes into requests, and has
// them sent by as many shards as there is to send. Has a thread of its own.

#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "query/history/journal_reader.h"
#include "query/remote_write/counters.h"
#include "query/remote_write/labelling.h"
#include "query/remote_write/options.h"
#include "query/remote_write/progress.h"
#include "query/remote_write/sender.h"

namespace vigia::remote_write {

class Queue {
 public:
  struct Context {
    std::filesystem::path folder;  // of the journal, and of the file with the position
    std::map<std::string, std::string> external_labels;
    std::function<std::vector<MetricMetadata>()> metadata;  // may be empty
    std::function<void()> on_progress;
    // Told of what a person should see; `error` is null where something is fine again.
    std::function<void(std::string_view message, const std::string& endpoint, const Error* error)>
        on_change;
  };

  // Starts. `clock` outlives the queue.
  Queue(Endpoint endpoint, Context context, Clock& clock);
  // Stops: what is under way is sent again at the next start.
  ~Queue();

  // The first segment that is still to be read.
  std::uint32_t segment() const { return segment_.load(std::memory_order_relaxed); }
  EndpointStats stats() const;

 private:
  using Entries = std::vector<SeriesSink::Entry>;

  void Run(std::stop_token stop);
  Progress Load();
  void Save(const Progress& progress);
  void ReadUntil(JournalPosition until, Entries& entries);
  bool Gather(Entries& entries, std::stop_token stop);
  bool ReadMore(std::size_t count, Entries& entries);
  bool SendPortion(const Entries& entries, std::stop_token stop);
  bool SendMetadata(std::stop_token stop);
  Sender& SenderOf(std::size_t shard);

  const Endpoint endpoint_;
  const Context context_;
  Clock& clock_;
  const std::filesystem::path file_;
  const Health::OnChange on_change_;
  Counters counters_;
  Health health_;
  std::atomic<std::uint32_t> segment_ = 0;
  std::atomic<std::uint64_t> offset_ = 0;  // in it

  // Of the thread.
  Labelling labelling_;
  std::unique_ptr<history::JournalReader> reader_;
  JournalPosition read_;  // up to here
  std::deque<Sender> senders_;
  Instant metadata_due_;
  Pause pause_;
  bool cannot_save_ = false;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace vigia::remote_write
