// The history: remembers samples, in memory and in files, and gives them back.
//
// Thread-safe. What is appended can be read at once; it survives the process being killed after
// the next Sync(), or after a second if the background thread runs (Start()).

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/clock.h"
#include "core/series.h"
#include "query/history/appender.h"
#include "query/history/journal_reader.h"
#include "query/history/options.h"
#include "query/history/store.h"

namespace vigia::history {

class History final : public SeriesSource, public SeriesSink {
 public:
  // Restores what the folder holds. kUnavailable if it cannot be used or another process does.
  // `clock` outlives the history and all that was selected from it.
  static Result<std::unique_ptr<History>> Open(Options options, Clock& clock);
  // Flushes the journal.
  ~History() override;

  // Starts the thread that flushes, seals and deletes.
  void Start();
  // What the thread does at each turn, for those who run without it: flushes the journal, and
  // seals, deletes and merges files as far as they are due. Problems are counted and reported.
  void Maintain();
  // Writes what is in memory into a file now.
  Status Seal();
  // On return everything appended so far survives a kill -9 (see Options::fsync).
  Status Sync();

  Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(std::span<const Matcher> matchers,
                                                                  TimeRange range) const override;
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers,
                                              TimeRange range) const override;
  Result<std::vector<std::string>> LabelValues(std::string_view label,
                                               std::span<const Matcher> matchers,
                                               TimeRange range) const override;

  Result<Outcome> Append(std::span<const Entry> entries) override;
  Result<Outcome> AppendRuns(std::span<const Run> runs) override;

  // For those who append to the same series again and again: looks the series up once. nullptr
  // if a limit forbids a new one.
  SeriesPointer Resolve(const Labels& labels);
  // Whether a new series would be taken at the moment.
  bool TakesSeries() const;
  Outcome AppendResolved(std::span<Appender::Item> items);

  // Follows everything that is appended, from a position on.
  std::unique_ptr<JournalReader> Follow(JournalPosition from) const;
  // No follower needs what lies before `position` any more: see Options::journal_keep_bytes.
  void Followed(JournalPosition position) { store_->journal->Followed(position.segment); }

  Stats stats() const;

 private:
  History(std::unique_ptr<Store> store, int lock, Clock& clock);

  Outcome Appended(Outcome outcome);
  bool SealIsDue() const;
  void AdvanceHorizon();
  void TellJournal(const Status& status);
  void MaintainFiles();
  void UnloadOld();
  void Work(std::stop_token stop);
  void Wake();

  Clock& clock_;
  const int lock_;  // a file that marks the folder as in use
  // Held by everything selected from it too.
  const std::shared_ptr<Store> store_;

  // Guarded by store_->files.
  std::optional<Timestamp> sealed_window_;  // of the newest sample when the last file was written
  Instant last_seal_;
  Instant no_seal_before_;        // after a failure
  bool failing_ = false;          // the last attempt to write failed and was reported
  bool journal_failing_ = false;  // likewise
  // How retention follows the clock.
  std::optional<Timestamp> reference_;
  Instant reference_at_;
  std::optional<Instant> jump_at_;

  std::mutex wake_mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;  // guarded by wake_mutex_
  std::jthread thread_;
};

}  // namespace vigia::history
