#include "collectors/host/statfs_probe.h"

#include <pthread.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace vigia::collectors::host {

Result<FilesystemUsage> Statfs(const std::string& path) {
  struct statfs raw {};
  int result = -1;
  do {
    result = ::statfs(path.c_str(), &raw);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return Fail(SystemError(path, errno));
  const auto block = static_cast<double>(raw.f_bsize);
  return FilesystemUsage{.size_bytes = static_cast<double>(raw.f_blocks) * block,
                         .free_bytes = static_cast<double>(raw.f_bfree) * block,
                         .available_bytes = static_cast<double>(raw.f_bavail) * block,
                         .files = static_cast<double>(raw.f_files),
                         .files_free = static_cast<double>(raw.f_ffree)};
}

// Guarded by Shared::mutex; `usage` is written only while a Run() waits for it.
struct StatfsProbe::Target {
  const std::string path;
  const bool local = false;
  bool out = false;     // a thread is in the call
  bool queued = false;  // in this run
  std::optional<FilesystemUsage> usage;
};

// What the helpers share with the probe, and keep when it is gone.
struct StatfsProbe::Shared {
  const StatfsFunction statfs;
  Clock& clock;  // parked threads do not touch it

  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable_any answered;
  // Guarded by mutex.
  bool closed = false;
  std::deque<std::shared_ptr<Target>> queue;
  std::size_t open = 0;       // asked for in this run and not answered
  std::uint64_t active = 0;   // the helper that takes from the queue; 0: none
  std::uint64_t workers = 0;  // ever started
  bool in_call = false;       // the active helper is
  Instant call_began{};
  std::size_t parked = 0;
  std::thread thread;  // of the active helper
};

StatfsProbe::StatfsProbe(StatfsFunction statfs, Clock& clock, Options options)
    : options_(options),
      clock_(clock),
      shared_(new Shared{.statfs = std::move(statfs), .clock = clock}) {}

StatfsProbe::~StatfsProbe() {
  std::thread idle;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closed = true;
    idle = std::move(shared_->thread);
  }
  shared_->work.notify_all();
  if (idle.joinable()) idle.join();  // in no call: Run() parks what it does not wait for
}

void StatfsProbe::SetPaths(std::span<const Path> paths) {
  const std::lock_guard lock(shared_->mutex);
  targets_.clear();
  for (const auto& [path, local] : paths) {
    auto& target = by_path_[path];
    if (!target || target->local != local) target.reset(new Target{.path = path, .local = local});
    targets_.push_back(target);
  }
  // A parked mount is remembered while its call is out, even if it left the table meanwhile.
  std::erase_if(by_path_, [](const auto& entry) {
    return entry.second.use_count() == 1 && !entry.second->out;
  });
}

void StatfsProbe::Work(std::shared_ptr<Shared> shared, std::uint64_t worker) {
  ::pthread_setname_np(::pthread_self(), "vigia-statfs");
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->work.wait(lock, [&] { return shared->closed || !shared->queue.empty(); });
    if (shared->closed) return;
    const auto target = std::move(shared->queue.front());
    shared->queue.pop_front();
    target->out = true;
    shared->in_call = true;
    shared->call_began = shared->clock.Now();
    lock.unlock();
    const auto usage = shared->statfs(target->path);
    lock.lock();
    target->out = false;
    if (shared->active != worker) {  // parked meanwhile: what it learnt is old
      --shared->parked;
      return;
    }
    shared->in_call = false;
    if (usage) target->usage = *usage;
    if (--shared->open == 0) shared->answered.notify_one();
  }
}

// Those that answered last time go first: they are not to wait behind a dead one.
std::size_t StatfsProbe::Enqueue() {
  auto& queue = shared_->queue;
  for (const bool healthy : {true, false}) {
    for (const auto& target : targets_) {
      if (target->local || target->out || target->queued) continue;
      if (target->usage.has_value() != healthy) continue;
      target->queued = true;
      queue.push_back(target);
    }
  }
  for (const auto& target : targets_) {
    target->queued = false;
    if (!target->local) target->usage.reset();
  }
  return queue.size();
}

bool StatfsProbe::EnsureWorker() {
  if (shared_->active != 0) return true;
  if (shared_->parked >= options_.max_parked) return false;
  const std::uint64_t worker = ++shared_->workers;
  try {
    shared_->thread = std::thread(Work, shared_, worker);
  } catch (const std::system_error&) {
    return false;  // no more threads: the rest waits for the next run
  }
  shared_->active = worker;
  return true;
}

void StatfsProbe::Park() {
  shared_->thread.detach();
  shared_->active = 0;
  shared_->in_call = false;
  ++shared_->parked;
  --shared_->open;
}

// Nobody else touches their targets.
void StatfsProbe::AskLocal() {
  for (const auto& target : targets_) {
    if (!target->local) continue;
    const auto usage = shared_->statfs(target->path);
    target->usage = usage ? std::optional(*usage) : std::nullopt;
  }
}

void StatfsProbe::Run(Instant until) {
  AskLocal();
  AskRemote(until);
}

void StatfsProbe::AskRemote(Instant until) {
  std::unique_lock lock(shared_->mutex);
  shared_->open = Enqueue();
  shared_->call_began = clock_.Now();
  if (shared_->open > 0) shared_->work.notify_one();
  while (shared_->open > 0 && EnsureWorker()) {
    const Instant give_up = std::min(shared_->call_began + options_.patience, until);
    if (clock_.WaitUntil(lock, shared_->answered, {}, give_up,
                         [this] { return shared_->open == 0; })) {
      break;
    }
    const Instant now = clock_.Now();
    const bool late = now >= until;
    if (!late && now < shared_->call_began + options_.patience) continue;  // it got on
    if (shared_->in_call) Park();
    shared_->call_began = now;
    if (late) break;
  }
  shared_->queue.clear();
  shared_->open = 0;
}

const FilesystemUsage* StatfsProbe::usage(std::size_t i) const {
  const auto& usage = targets_[i]->usage;
  return usage ? &*usage : nullptr;
}

}  // namespace vigia::collectors::host
