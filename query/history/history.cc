#include "query/history/history.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace vigia::history {
namespace {

constexpr auto kFlushInterval = 500ms;
constexpr auto kRetryInterval = 10s;
// Packed samples in memory beyond which a file is written before its time.
constexpr std::uint64_t kHotBytes = 64 << 20;
// Retention follows the newest sample at the speed of the clock, give or take this; a jump is
// believed when it has lasted for the second.
constexpr auto kClockSlack = 10min;
constexpr auto kJumpBelieved = 1h;

std::uint64_t HotLimit(const Options& options) {
  return std::min<std::uint64_t>(kHotBytes, options.max_memory / 4);
}

Timestamp Window(const Store& store) {
  const auto length = std::max<Timestamp>(1, store.options.block_length.count());
  const Timestamp newest = store.newest.load(std::memory_order_relaxed);
  return newest / length - (newest % length < 0);
}

Result<int> LockFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fail(SystemError(folder.string(), error.value()));
  const auto path = folder / "lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return Fail(SystemError(path.string(), errno));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    ::close(file);
    return Fail(ErrorCode::kUnavailable, folder.string() + ": in use by another process");
  }
  return file;
}

}  // namespace

History::History(std::unique_ptr<Store> store, int lock, Clock& clock)
    : clock_(clock), lock_(lock), store_(std::move(store)), last_seal_(clock.Now()) {
  no_seal_before_ = last_seal_;
}

Result<std::unique_ptr<History>> History::Open(Options options, Clock& clock) {
  const auto lock = LockFolder(options.folder);
  if (!lock) return Fail(lock.error().In("history"));
  auto store = std::make_unique<Store>(std::move(options), clock);
  if (auto status = Restore(*store); !status) {
    ::close(*lock);
    return Fail(status.error().In("history"));
  }
  return std::unique_ptr<History>(new History(std::move(store), *lock, clock));
}

History::~History() {
  thread_ = {};
  // Selected series may outlive us; the folder is free for another process all the same.
  static_cast<void>(store_->journal->Sync());
  ::close(lock_);
}

void History::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Work(stop); });
}

void History::Work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(wake_mutex_);
      clock_.WaitUntil(lock, wake_, stop, clock_.Now() + kFlushInterval, [this] { return woken_; });
      woken_ = false;
    }
    Maintain();
  }
}

void History::Wake() {
  const std::lock_guard lock(wake_mutex_);
  woken_ = true;
  wake_.notify_one();
}

void History::Maintain() {
  const auto status = store_->journal->Sync();
  const std::lock_guard lock(store_->files);
  TellJournal(status);
  MaintainFiles();
}

// Needs files. Once when the journal cannot be written, and once when it can.
void History::TellJournal(const Status& status) {
  if (std::exchange(journal_failing_, !status) == !status) return;
  if (status) {
    store_->ReportRecovery("history writes its journal again", store_->options.folder);
  } else {
    store_->Report("history cannot write its journal", store_->options.folder, status.error());
  }
}

Status History::Sync() { return store_->journal->Sync(); }

Status History::Seal() {
  const std::lock_guard lock(store_->files);
  sealed_window_ = Window(*store_);
  last_seal_ = clock_.Now();
  return history::Seal(*store_);
}

// Needs files; so do the following.
bool History::SealIsDue() const {
  const Store& store = *store_;
  const Instant now = clock_.Now();
  if (now < no_seal_before_) return false;
  // What the journal gave up is in danger as long as no file has it.
  if (store.journal->Incomplete()) return true;
  if (store.unsealed.load(std::memory_order_relaxed) == 0) return false;
  return store.arena_bytes.load(std::memory_order_relaxed) > HotLimit(store.options) ||
         Window(store) > sealed_window_ || now - last_seal_ > store.options.block_length;
}

void History::MaintainFiles() {
  Store& store = *store_;
  if (store.newest.load(std::memory_order_relaxed) == Store::kNever) return;
  AdvanceHorizon();
  if (!sealed_window_) sealed_window_ = Window(store);
  bool sealed = false;
  Status status = Ok();
  if (SealIsDue()) {
    sealed_window_ = Window(store);
    last_seal_ = clock_.Now();
    status = history::Seal(store);
    sealed = status.has_value();
    if (!sealed) --*sealed_window_;  // still due
  }
  if (Retain(store) > 0 || sealed) DropEmptySeries(store);
  if (status && clock_.Now() >= no_seal_before_) status = Compact(store);
  if (!status) {
    no_seal_before_ = clock_.Now() + kRetryInterval;
    if (!std::exchange(failing_, true)) {
      store.Report("history cannot write a file", store.options.folder, status.error());
    }
  } else if (sealed) {
    if (std::exchange(failing_, false)) {
      store.ReportRecovery("history writes files again", store.options.folder);
    }
    UnloadOld();
  }
}

// What nobody asks for often need not stay mapped, and the allocator need not keep what the
// sealed samples took.
void History::UnloadOld() {
  const Timestamp newest = store_->newest.load(std::memory_order_relaxed);
  const auto hot = 4 * store_->options.block_length;
  const auto list = store_->blocks.Snapshot();
  for (const auto& block : *list) {
    if (block->max_time() < newest - hot.count()) block->Unload();
  }
  ::malloc_trim(0);
}

// The horizon lies `retention` before the newest sample, or before now if that is earlier. A clock
// that jumps ahead by a year must not delete everything: a jump has to last to be believed.
void History::AdvanceHorizon() {
  const Instant now = clock_.Now();
  const Timestamp target = std::min(clock_.Wall(), store_->newest.load(std::memory_order_relaxed));
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - reference_at_).count();
  const auto slack = std::chrono::milliseconds(kClockSlack).count();
  if (!reference_ || target <= *reference_ || target - *reference_ <= elapsed + slack ||
      (jump_at_ && now - *jump_at_ >= kJumpBelieved)) {
    reference_ = target;
    jump_at_.reset();
  } else {
    if (!jump_at_) jump_at_ = now;
    *reference_ += elapsed;
  }
  reference_at_ = now;
  const auto retention = store_->options.retention.count();
  store_->horizon.store(
      *reference_ < Store::kNever + retention ? Store::kNever : *reference_ - retention,
      std::memory_order_relaxed);
}

// After samples were appended: has files written early if there is too much in memory.
SeriesSink::Outcome History::Appended(Outcome outcome) {
  const auto arena_bytes = store_->arena_bytes.load(std::memory_order_relaxed);
  const auto limit = HotLimit(store_->options);
  if (arena_bytes > 2 * limit) {
    const std::lock_guard lock(store_->files);  // waits for who is at it
    MaintainFiles();
  } else if (arena_bytes > limit) {
    Wake();
  }
  return outcome;
}

Result<SeriesSink::Outcome> History::Append(std::span<const Entry> entries) {
  return Appended(Appender(*store_).Append(entries));
}

Result<SeriesSink::Outcome> History::AppendRuns(std::span<const Run> runs) {
  return Appended(Appender(*store_).Append(runs));
}

SeriesPointer History::Resolve(const Labels& labels) {
  return Appender(*store_).FindOrCreate(labels);
}

bool History::TakesSeries() const { return Appender(*store_).TakesSeries(); }

SeriesSink::Outcome History::AppendResolved(std::span<Appender::Item> items) {
  return Appended(Appender(*store_).Append(items));
}

std::unique_ptr<JournalReader> History::Follow(JournalPosition from) const {
  return std::make_unique<JournalReader>(store_->options.folder, from);
}

}  // namespace vigia::history
