// Lanes and their workers.

#include "alerting/outbox/outbox.h"

#include <algorithm>

namespace vigia::alerting::outbox {
namespace {

// How long a worker without work stays: a thread is made in no time, and takes some 100 kB.
constexpr auto kIdle = 2s;

}  // namespace

Outbox::Outbox(Clock& clock, dispatch::Store& store, Options options, ReportFunction report)
    : clock_(clock),
      copies_(store),
      report_(std::move(report)),
      options_(std::move(options)),
      random_(options_.seed ? options_.seed : std::random_device()()) {}

Outbox::~Outbox() { Stop(); }

void Outbox::SetLanes(std::map<LaneId, LaneOptions> lanes, Options options) {
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    options_ = std::move(options);
    for (auto& [id, lane] : lanes_) {
      if (lanes.contains(id)) continue;
      lane->gone = true;
      for (auto& [group, queue] : lane->queues) {
        // What is in flight finds out by itself.
        while (queue.items.size() > (queue.busy ? 1U : 0U)) {
          queue.items.back().answer = "the receiver is not configured any more";
          Bury(*lane, std::move(queue.items.back()), after.results);
          queue.items.pop_back();
          --waiting_;
        }
      }
      lane->ready.clear();
      lane->by_age.clear();
    }
    for (auto& [id, lane_options] : lanes) {
      auto& lane = LaneFor(id);
      lane.gone = false;
      lane.stats.kind = lane_options.kind;
      lane.options = std::move(lane_options);
      lane.tokens = std::min(lane.tokens, lane.options.burst);
      lane.wake.notify_all();
    }
  }
  Finish(std::move(after));
}

Outbox::Lane& Outbox::LaneFor(const LaneId& id) {
  auto& lane = lanes_[id];
  if (!lane) {
    lane = std::make_unique<Lane>();
    lane->id = id;
    lane->stats.id = id;
    lane->gone = true;
    lane->refilled = clock_.Now();
    lane->tokens = 1e9;  // cut to the burst once that is known
  }
  return *lane;
}

void Outbox::Restore(std::vector<dispatch::PendingNotice> pending) {
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : pending) {
      auto& lane = LaneFor({one.notice.key.receiver, one.notice.key.integration});
      Item item{.notice = std::move(one.notice),
                .attempts = one.attempts,
                .answer = one.answer,
                .failures = one.attempts};
      item.next_try = clock_.Now();
      if (one.dead) {
        const auto id = item.notice.id;
        lane.dead.emplace(id, std::move(item));
      } else {
        Add(lane, std::move(item), after.results);
      }
    }
  }
  Finish(std::move(after));
}

void Outbox::Submit(std::vector<dispatch::Notice> notices) {
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    for (auto& notice : notices) {
      auto& lane = LaneFor({notice.key.receiver, notice.key.integration});
      Item item{.notice = std::move(notice)};
      item.next_try = clock_.Now();
      Add(lane, std::move(item), after.results);
    }
  }
  Finish(std::move(after));
}

void Outbox::StartWorkers(Lane& lane) {
  ReapWorkers();
  const auto wanted =
      std::min<std::size_t>(lane.ready.size(), static_cast<std::size_t>(options_.workers));
  if (stopping_ || lane.gone || lane.idle_workers > 0) return;
  if (static_cast<std::size_t>(lane.workers) >= wanted) return;
  ++lane.workers;
  Worker& worker = workers_.emplace_back();
  worker.thread = std::jthread(
      [this, &lane, &worker](std::stop_token stop) { Work(lane, worker, std::move(stop)); });
}

void Outbox::ReapWorkers() {
  std::erase_if(workers_, [](const Worker& worker) { return worker.done; });
}

void Outbox::Ready(Lane& lane, const std::string& group, Queue& queue) {
  if (queue.busy || queue.items.empty()) return;
  const auto at = lane.queues.find(group);
  lane.ready.emplace(queue.items.front().next_try, &at->first);
  lane.by_age.emplace(queue.items.front().notice.time, &at->first);
  lane.wake.notify_one();
  StartWorkers(lane);
}

void Outbox::Unready(Lane& lane, const std::string& group, const Queue& queue) {
  if (queue.busy || queue.items.empty()) return;
  const auto* name = &lane.queues.find(group)->first;
  lane.ready.erase({queue.items.front().next_try, name});
  lane.by_age.erase({queue.items.front().notice.time, name});
}

Instant Outbox::NextToken(const Lane& lane) const {
  if (lane.options.rate <= 0) return Instant{};
  const auto rate = lane.options.rate;
  const auto missing = 1 - lane.tokens;
  if (missing <= 0) return Instant{};
  return lane.refilled +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(missing / rate));
}

bool Outbox::TakeToken(Lane& lane, Instant now) {
  if (lane.options.rate <= 0) return true;
  const std::chrono::duration<double> gone = now - lane.refilled;
  lane.tokens = std::min(lane.options.burst, lane.tokens + gone.count() * lane.options.rate);
  lane.refilled = now;
  // A hair less than one is one: instants are whole nanoseconds.
  if (lane.tokens < 1 - 1e-6) return false;
  lane.tokens -= 1;
  return true;
}

Instant Outbox::NextTurn(const Lane& lane) const {
  if (lane.ready.empty()) return Instant::max();
  return std::max({lane.ready.begin()->first, lane.paused_until, NextToken(lane)});
}

void Outbox::Work(Lane& lane, Worker& self, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && !stopping_) {
    const Instant now = clock_.Now();
    const Instant turn = NextTurn(lane);
    if (turn > now || !TakeToken(lane, now)) {
      const auto until = std::min(std::max(turn, now + 1ms), now + kIdle);
      ++lane.idle_workers;
      const bool woken = clock_.WaitUntil(lock, lane.wake, stop, until,
                                          [&] { return stopping_ || NextTurn(lane) < turn; });
      --lane.idle_workers;
      // One worker waits on for what has its time; others go.
      if (!woken && NextTurn(lane) > clock_.Now() &&
          (lane.ready.empty() || lane.idle_workers > 0)) {
        break;
      }
      continue;
    }
    const std::string group = *lane.ready.begin()->second;
    auto& queue = lane.queues.at(group);
    Unready(lane, group, queue);
    queue.busy = true;
    auto& item = queue.items.front();
    ++item.attempts;
    const auto notice = item.notice;
    const auto channel = self.channel = lane.options.channel;
    const auto timeout = options_.attempt_timeout;
    StartWorkers(lane);  // for those behind it
    lock.unlock();
    const Instant begin = clock_.Now();
    const auto answer = channel->Attempt(notice, Deadline::After(clock_, timeout));
    const std::chrono::duration<double> took = clock_.Now() - begin;
    Aftermath after;
    lock.lock();
    self.channel.reset();
    lane.stats.seconds += took.count();
    Conclude(lane, group, answer, after);
    lock.unlock();
    Finish(std::move(after));
    lock.lock();
  }
  --lane.workers;
  self.done = true;
}

void Outbox::Finish(Aftermath after) {
  // If a copy cannot be written it is sent all the same.
  copies_.Write(after.copies, after.results);
  for (auto& result : after.results) report_(std::move(result));
  if (!after.copies.empty()) Submit(std::move(after.copies));
}

void Outbox::Stop() {
  std::list<Worker> workers;
  std::set<std::shared_ptr<Channel>> channels;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    // Taken out, so that nobody reaps them meanwhile; references to them stay valid.
    workers.splice(workers.end(), workers_);
    for (auto& [id, lane] : lanes_) {
      lane->wake.notify_all();
      if (lane->options.channel) channels.insert(lane->options.channel);
    }
    for (const auto& worker : workers) {
      if (worker.channel) channels.insert(worker.channel);
    }
  }
  for (const auto& channel : channels) channel->Interrupt();
  for (auto& worker : workers) worker.thread.request_stop();
  for (auto& worker : workers) {
    if (worker.thread.joinable()) worker.thread.join();
  }
  copies_.Write({}, {});
}

}  // namespace vigia::alerting::outbox
