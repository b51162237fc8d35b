#include "alerting/deliver/alertmanagers.h"

#include <algorithm>
#include <optional>

#include "alerting/deliver/answer.h"
#include "alerting/deliver/postable_alerts.h"
#include "core/log.h"
#include "core/redact.h"

namespace vigia::alerting::deliver {
namespace {

constexpr Milliseconds kFirstPause = 1s;
constexpr Milliseconds kLongestPause = 30s;
// Rules tell of an end for so long; after that an Alertmanager has nothing to learn from it.
constexpr Timestamp kStaleAfter = 15 * 60 * 1000;
constexpr auto kLastTry = 2s;

std::optional<Alert> Relabeled(const Alert& alert, const Relabeling& relabeling) {
  if (relabeling.empty()) return alert;
  LabelsBuilder labels(alert.labels);
  if (!relabeling.Apply(labels)) return std::nullopt;
  Alert out = alert;
  out.labels = labels.Build();
  return out;
}

std::vector<Alert> Relabeled(std::span<const Alert> alerts, const Relabeling& relabeling) {
  std::vector<Alert> out;
  out.reserve(alerts.size());
  for (const auto& alert : alerts) {
    if (auto one = Relabeled(alert, relabeling)) out.push_back(*std::move(one));
  }
  return out;
}

}  // namespace

// One Alertmanager: its queue, and the thread that empties it.
class Alertmanagers::Lane {
 public:
  Lane(AlertmanagerOptions options, Clock& clock)
      : options_(std::move(options)), clock_(clock), sender_(options_.http, clock) {
    stats_.url = Redact(options_.url);
    if (options_.aws) credentials_ = std::make_unique<AwsCredentials>(*options_.aws);
    thread_ = std::jthread([this](std::stop_token stop) { Work(std::move(stop)); });
  }

  const AlertmanagerOptions& options() const { return options_; }

  void Post(std::span<const Alert> alerts) {
    auto relabeled = Relabeled(alerts, options_.relabeling);
    const std::lock_guard lock(mutex_);
    for (auto& alert : relabeled) Put(std::move(alert));
    wake_.notify_all();
  }

  AlertmanagerStats Stats() const {
    const std::lock_guard lock(mutex_);
    auto stats = stats_;
    stats.waiting = queue_.size();
    return stats;
  }

  void RequestStop() { thread_.request_stop(); }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // With mutex_ held.
  void Put(Alert alert) {
    if (const auto known = places_.find(alert.labels); known != places_.end()) {
      *known->second = std::move(alert);
      return;
    }
    if (queue_.size() == kCapacity) {
      places_.erase(queue_.front().labels);
      queue_.pop_front();
      ++stats_.dropped;
    }
    queue_.push_back(std::move(alert));
    places_.emplace(queue_.back().labels, std::prev(queue_.end()));
  }

  void Work(std::stop_token stop) {
    Lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (queue_.empty()) {
        clock_.WaitUntil(lock, wake_, stop, clock_.Now() + 1h, [&] { return !queue_.empty(); });
      } else if (clock_.Now() < resume_) {
        clock_.WaitUntil(lock, wake_, stop, resume_, [] { return false; });
      } else {
        SendBatch(lock, Deadline::After(clock_, options_.timeout), stop);
      }
    }
    const auto last = Deadline::After(clock_, kLastTry);
    while (!queue_.empty() && !last.Passed() && SendBatch(lock, last, {})) {
    }
  }

  // The lock is given up while the request is under way.
  bool SendBatch(Lock& lock, Deadline deadline, const std::stop_token& stop) {
    const auto batch = Take();
    lock.unlock();
    const auto begin = clock_.Now();
    const auto outcome = Send(batch, deadline, stop);
    const std::chrono::duration<double> took = clock_.Now() - begin;
    if (!stop.stop_requested()) Tell(outcome);
    lock.lock();
    stats_.seconds += took.count();
    return Conclude(batch, outcome);
  }

  Outcome Send(const std::vector<Alert>& batch, Deadline deadline, const std::stop_token& stop) {
    HttpRequest request{.method = "POST",
                        .url = options_.url,
                        .headers = {{"Content-Type", "application/json"}},
                        .body = PostableAlerts(batch)};
    if (credentials_) {
      const auto keys = credentials_->For("aps", sender_, clock_, deadline, stop);
      if (!keys) {
        return {.kind = Outcome::Kind::kRetry, .message = Redact(keys.error().message())};
      }
      request.aws = *keys;
    }
    const auto response = sender_.Send(std::move(request), deadline, stop);
    const bool refused = response && response->status == 403;
    if (credentials_ && refused) credentials_->Forget();
    return ReadAnswer(response, clock_.Wall());
  }

  // With mutex_ held: the first of the queue.
  std::vector<Alert> Take() {
    std::vector<Alert> batch;
    while (!queue_.empty() && batch.size() < kBatch) {
      places_.erase(queue_.front().labels);
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return batch;
  }

  // With mutex_ held. False if the next request has to wait.
  bool Conclude(const std::vector<Alert>& batch, const Outcome& outcome) {
    stats_.up = outcome.kind == Outcome::Kind::kDelivered;
    stats_.last_error = stats_.up ? "" : outcome.message;
    if (stats_.up) {
      stats_.sent += batch.size();
      pause_ = kFirstPause;
      return true;
    }
    ++stats_.failed;
    if (outcome.kind == Outcome::Kind::kRejected) {
      stats_.dropped += batch.size();
      return true;
    }
    PutBack(batch);
    // An hour's Retry-After would keep what is new back, too.
    resume_ =
        clock_.Now() + std::min<Duration>(outcome.retry_after.value_or(pause_), kLongestPause);
    pause_ = std::min(2 * pause_, kLongestPause);
    return false;
  }

  // With mutex_ held: to the front, in their order, unless something newer waits.
  void PutBack(const std::vector<Alert>& batch) {
    const auto stale = clock_.Wall() - kStaleAfter;
    for (auto alert = batch.rbegin(); alert != batch.rend(); ++alert) {
      if (places_.contains(alert->labels)) continue;
      if (queue_.size() == kCapacity || alert->ends_at < stale) {
        ++stats_.dropped;
        continue;
      }
      queue_.push_front(*alert);
      places_.emplace(queue_.front().labels, queue_.begin());
    }
  }

  // The thread's own: says once that it went wrong, and once that it is well again.
  void Tell(const Outcome& outcome) {
    const bool well = outcome.kind == Outcome::Kind::kDelivered;
    const auto url = Redact(options_.url);
    if (well && told_) log::Info("an Alertmanager takes alerts again", {{"url", url}});
    if (!well && !told_) {
      log::Warn("an Alertmanager does not take alerts", {{"url", url}, {"error", outcome.message}});
    }
    told_ = !well;
  }

  const AlertmanagerOptions options_;
  Clock& clock_;
  HttpSender sender_;
  std::unique_ptr<AwsCredentials> credentials_;  // null: requests are not signed
  bool told_ = false;  // that it does not take alerts; of the thread alone
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  // Guarded by mutex_.
  std::list<Alert> queue_;  // the oldest first; one for each label set
  std::unordered_map<Labels, std::list<Alert>::iterator> places_;
  Instant resume_{};
  Milliseconds pause_ = kFirstPause;
  AlertmanagerStats stats_;
  std::jthread thread_;  // last: it uses the rest
};

Alertmanagers::Alertmanagers(Clock& clock) : clock_(clock) {}

Alertmanagers::~Alertmanagers() { Stop(); }

void Alertmanagers::Apply(AlertmanagersOptions options) {
  std::vector<std::shared_ptr<Lane>> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::exchange(lanes_, {});
    for (auto& target : options.targets) {
      const auto same = std::find_if(gone.begin(), gone.end(), [&](const auto& lane) {
        return lane->options().url == target.url &&
               lane->options().fingerprint == target.fingerprint;
      });
      if (same == gone.end()) {
        lanes_.push_back(std::make_shared<Lane>(std::move(target), clock_));
      } else {
        lanes_.push_back(std::move(*same));
        gone.erase(same);
      }
    }
    relabeling_ = std::move(options.relabeling);
  }
  for (const auto& lane : gone) lane->RequestStop();
  for (const auto& lane : gone) lane->Join();
}

void Alertmanagers::Post(std::span<const Alert> alerts) {
  std::vector<std::shared_ptr<Lane>> lanes;
  Relabeling relabeling;
  {
    const std::lock_guard lock(mutex_);
    lanes = lanes_;
    relabeling = relabeling_;
  }
  if (lanes.empty()) return;
  const auto relabeled = Relabeled(alerts, relabeling);
  for (const auto& lane : lanes) lane->Post(relabeled);
}

std::vector<AlertmanagerStats> Alertmanagers::Stats() const {
  std::vector<std::shared_ptr<Lane>> lanes;
  {
    const std::lock_guard lock(mutex_);
    lanes = lanes_;
  }
  std::vector<AlertmanagerStats> stats;
  for (const auto& lane : lanes) stats.push_back(lane->Stats());
  return stats;
}

void Alertmanagers::Stop() {
  std::vector<std::shared_ptr<Lane>> lanes;
  {
    const std::lock_guard lock(mutex_);
    lanes = std::exchange(lanes_, {});
  }
  for (const auto& lane : lanes) lane->RequestStop();
  for (const auto& lane : lanes) lane->Join();
}

}  // namespace vigia::alerting::deliver
