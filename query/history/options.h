// How much the history keeps, and what it counts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace vigia::history {

struct Options {
  std::filesystem::path folder;

  // Samples older than this, counted back from the newest, are deleted, a file at a time.
  std::chrono::milliseconds retention = 24h;
  // Files beyond this are deleted, the oldest first; 0 for no limit.
  std::uint64_t retention_bytes = 0;
  // More series, or a new series when this much memory is used, are refused.
  std::size_t max_series = 200'000;
  std::size_t max_memory = std::size_t{512} << 20;
  // How much time of samples is kept in memory before a file is written.
  std::chrono::milliseconds block_length = 15min;
  // How much older than the newest of its series (or than now, whichever is earlier) a sample may
  // be, and how far ahead of the clock.
  std::chrono::milliseconds out_of_order_window = 10min;
  std::chrono::milliseconds max_ahead = 1h;
  // Whether Sync() waits for the disk: without it what was synced survives a kill -9 of the
  // process, with it a power failure too.
  bool fsync = false;
  // Journal kept at most although files have its samples, for those who follow it.
  std::uint64_t journal_keep_bytes = 0;

  // Told of what a person should see: a message, the file it is about, and what is wrong.
  std::function<void(std::string_view message, const std::filesystem::path& file,
                     const Error& error)>
      on_problem;
  // Told when something that was wrong is right again.
  std::function<void(std::string_view message, const std::filesystem::path& file)> on_recovery;
};

// Counters since the start, and gauges; the daemon shows them as vigia_history_*.
struct Stats {
  // Now.
  std::uint64_t series = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t block_samples = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_waiting_bytes = 0;  // not written because the disk refuses
  std::uint64_t at_risk = 0;  // 1 while samples are in memory only because the disk refused them
  Timestamp oldest_time = 0;                // of all samples in files; 0 without files
  Timestamp newest_time = 0;                // 0 without samples

  // Since the start.
  std::uint64_t samples_appended = 0;
  std::uint64_t samples_out_of_order = 0;  // of the appended: not the newest of their series
  std::uint64_t samples_duplicate = 0;     // same time and value as stored: ignored
  std::uint64_t samples_conflicting = 0;   // another value at a stored time: refused
  std::uint64_t samples_too_old = 0;       // older than the window or the retention: refused
  std::uint64_t samples_too_new = 0;       // too far ahead of the clock: refused
  std::uint64_t samples_over_series = 0;   // of series beyond max_series: refused
  std::uint64_t samples_over_memory = 0;   // refused because of max_memory
  std::uint64_t series_created = 0;
  std::uint64_t series_dropped = 0;  // no samples left within retention
  std::uint64_t blocks_written = 0;
  std::uint64_t blocks_merged = 0;
  std::uint64_t blocks_deleted = 0;  // by retention
  std::uint64_t chunks_damaged = 0;
  std::uint64_t files_corrupt = 0;  // set aside
  std::uint64_t torn_tails = 0;     // of journal segments
  std::uint64_t samples_replayed = 0;
  std::uint64_t samples_lost = 0;  // dropped from the journal because the disk refused
  std::uint64_t write_errors = 0;
};

}  // namespace vigia::history
