// The Dispatcher: takes alerts from rules and other senders, groups them by the routing tree, and
// decides at each group's pace whom to tell.
//
// Semantics are Alertmanager's, and where its users complain about them, better:
//  - Nothing leaks at the start: no group is told about before Release() (the first evaluation of
//    the rules), or before `start_hold` has passed.
//  - The end of an alert reaches whoever was told that it fires, even if it has been silenced or
//    inhibited since, and after mute intervals.
//  - A change in a group that nobody was told about for `group_interval` does not wait for the next
//    tick of that interval: it goes out after `group_wait`. Never is a group told about twice
//    within `group_interval`.
//  - Alerts, silences, the notification log and what is still to be delivered are written down
//  before
//    they take effect.
//
// Thread-safe. One thread of its own does all the deciding.

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "alerting/alert.h"
#include "alerting/dispatch/event.h"
#include "alerting/dispatch/group.h"
#include "alerting/dispatch/inhibitor.h"
#include "alerting/dispatch/log.h"
#include "alerting/dispatch/missed.h"
#include "alerting/dispatch/plan.h"
#include "alerting/dispatch/store.h"
#include "alerting/dispatch/view.h"
#include "core/clock.h"

namespace vigia::alerting::dispatch {

class Dispatcher final : public alerting::AlertSink {
 public:
  struct Options {
    // How long the first notifications wait for Release() at most.
    Milliseconds start_hold{60'000};
    // Whether a change in a quiet group goes out before the next tick (see above).
    bool early_flush = true;
    // How long silences, resolved alerts and the log are kept after their end.
    Milliseconds retention{std::chrono::hours(120)};
  };

  // What it works with, all borrowed. `events` and `notices` are called without any lock held.
  struct Parts {
    Clock& clock;
    Store& store;
    NoticeSink& notices;
    EventSink& events;
  };

  Dispatcher(Parts parts, Options options, std::shared_ptr<const Plan> plan);
  ~Dispatcher() override;

  // Before Start(): takes up what was stored, so that a restart goes on where the last run ended.
  // Time in which nobody ran ends no alert. Notices that wait are the outbox's business.
  void Restore(Snapshot snapshot);
  void Start();
  // Does what is due now: what the thread does each time it wakes. For tests without a thread.
  void Step();
  // When Step() has something to do next, for those that drive it by a clock of their own.
  Instant NextWork() const;
  // Writes what is left. Safe to call twice.
  void Stop();

  // The rules have been evaluated once: what fires is known.
  void Release();
  // A new configuration. Groups are formed anew; what was told and to whom stays known. A
  // `start_hold` counts from the start as ever.
  void Apply(std::shared_ptr<const Plan> plan, Options options);

  void Post(std::span<const alerting::Alert> alerts) override;
  // Waits until what was posted so far is written down; for at most `patience`.
  void AwaitSettled(std::chrono::milliseconds patience);

  // Returns the id. Errors as SilenceBook::PrepareSet.
  Result<std::string> SetSilence(Silence silence);
  Status ExpireSilence(std::string_view id);
  std::vector<Silence> Silences() const;

  // Acknowledges all firing alerts that match; returns them. kUnavailable if none does.
  Result<std::vector<AlertPtr>> Acknowledge(const route::Matchers& matchers, Acknowledgement ack);
  // Takes acknowledgements back; returns how many.
  std::size_t Unacknowledge(const route::Matchers& matchers);

  // What became of a notice; called by the delivery.
  void Report(NoticeResult result);

  // What is known now. Alerts that have ended are left out unless `resolved`.
  std::vector<AlertView> Alerts(bool resolved = false) const;
  std::vector<GroupView> Groups() const;
  // Everything about one alert's way to people.
  std::vector<WayView> Ways(AlertId fingerprint) const;
  std::shared_ptr<const Plan> plan() const;
  DispatcherStats stats() const;

 private:
  struct AlertState {
    AlertPtr alert;
    std::string suppressed_by;  // as last seen by a flush: "silenced:..", "inhibited:..", ""
    Timestamp ended_at = 0;     // when it was first seen resolved
  };

  struct EarlierFirst {
    bool operator()(const std::pair<Instant, Group*>& a,
                    const std::pair<Instant, Group*>& b) const {
      return a.first != b.first ? a.first < b.first : a.second->id < b.second->id;
    }
  };

  void Run(std::stop_token stop);
  // Writes a round of the thread down, then lets it take effect.
  void Settle(Changes round);

  // All below: with mutex_ held.
  void TakeIn(const alerting::Alert& alert, Timestamp now);
  void Route(const KnownAlert& alert, Timestamp now);
  void Join(Group& group, const KnownAlert& alert, Timestamp now);
  Group& GroupFor(const route::Route& route, Labels labels);
  void Schedule(Group& group, Instant at);
  void Erase(Group& group);
  // Forms all groups anew from what is known; `pace` has the old ones, by key and receiver.
  void Regroup(const std::map<std::pair<std::string, std::string>, Group>& pace);
  void TakePaceFromLog(Group& group, Timestamp now);
  // Groups of log entries that still owe somebody an end, where no current group has it.
  void KeepOwed();
  // A notice that told ends has died: they are owed again.
  void OweAgain(const LogKey& key, const std::vector<AlertPtr>& ended);
  // Puts alerts whose end is owed into the group they were told in, as guests where they belong to
  // it no more; it looks at them at its next tick. Without a group, a retired one is made.
  Group* JoinAsOwed(Group* group, const LogKey& key, const LogEntry& entry);
  // As many groups as one round takes; returns whether more are due.
  bool FlushDue(Instant now);
  void Flush(Group& group);
  std::vector<AlertPtr> TakeStock(const Group& group, Timestamp now);
  bool HeldByInterval(Group& group, Timestamp now);
  bool Tell(Group& group, const std::vector<AlertPtr>& alerts, Timestamp now);
  bool TellOne(Group& group, std::size_t index, const Integration& integration,
               const std::vector<AlertPtr>& passing, Timestamp now);
  std::string SuppressedBy(const Labels& labels, Timestamp now) const;
  bool AllAcknowledged(const AlertIds& firing, Timestamp now) const;
  bool IsOwed(const Group& group, AlertId fingerprint) const;
  void DropEnded(Group& group, const std::vector<AlertPtr>& flushed, bool keep_owed, Timestamp now);
  void CleanUp(Timestamp now);
  void Note(std::string type, const Labels& alert,
            std::vector<std::pair<std::string, std::string>> details = {});
  void TakeResult(const NoticeResult& result);
  AlertView ViewOf(const KnownAlert& alert, Timestamp now) const;
  std::vector<AlertPtr> MatchingFiring(const route::Matchers& matchers, Timestamp now) const;
  // All that is known, with what failed writes left out.
  Changes Everything();
  Instant NextWake() const;
  bool Held(Instant now) const { return !released_ && now < hold_until_; }
  void Wake();
  // Without mutex_: writes, and says so where it fails.
  bool Write(const Changes& changes);

  const Parts parts_;
  const Instant begun_;
  mutable std::mutex mutex_;
  std::mutex silence_mutex_;  // one edit of the silences at a time, writing included; taken first
  std::condition_variable_any wake_;

  // Guarded by mutex_.
  Options options_;
  std::shared_ptr<const Plan> plan_;
  std::unordered_map<AlertId, AlertState> alerts_;
  SilenceBook silences_;
  std::unordered_map<AlertId, Acknowledgement> acks_;
  Inhibitor inhibitor_;
  NotificationLog log_;
  std::map<GroupId, Group> groups_;
  std::set<std::pair<Instant, Group*>, EarlierFirst> timers_;
  Changes round_;  // what the thread has still to settle
  std::uint64_t taken_rounds_ = 0;
  std::uint64_t settled_rounds_ = 0;
  std::condition_variable settled_;
  bool released_ = false;
  Instant hold_until_{};
  Instant next_clean_up_{};
  bool wanted_ = false;   // the thread has something to do
  bool rewrite_ = false;  // the store missed something: write everything when it works again
  Missed missed_;
  // Ends that notices under way tell, by the notice's id: owed again if it dies.
  std::unordered_map<std::string, std::vector<AlertPtr>> ends_under_way_;
  DispatcherStats stats_;

  std::jthread thread_;
};

}  // namespace vigia::alerting::dispatch
