#include "alerting/dispatch/rehearsal.h"

#include <algorithm>
#include <deque>

namespace vigia::alerting::dispatch {

class Rehearsal::Desk final : public Store, public NoticeSink, public EventSink {
 public:
  Desk(std::shared_ptr<const Plan> plan, Dispatcher::Options options, Timestamp from)
      : plan_(plan),
        clock_(from),
        dispatcher_({.clock = clock_, .store = *this, .notices = *this, .events = *this}, options,
                    std::move(plan)) {
    dispatcher_.Release();
  }

  void AdvanceTo(Timestamp time) {
    const auto end = clock_.Now() + Milliseconds(time - clock_.Wall());
    for (auto next = dispatcher_.NextWork(); next <= end; next = dispatcher_.NextWork()) {
      // A flush that stands still would go on forever; its own time is at least a tick away.
      if (next > clock_.Now()) clock_.Advance(next - clock_.Now());
      Step();
    }
    if (end > clock_.Now()) clock_.Advance(end - clock_.Now());
  }

  void Post(std::span<const Alert> alerts) {
    dispatcher_.Post(alerts);
    Step();
  }

  Status Commit(const Changes& changes) override {
    Count(changes.events);
    return Ok();
  }
  Result<Snapshot> Load() override { return Snapshot(); }
  void Record(std::vector<Event> events) override { Count(events); }

  void Submit(std::vector<Notice> notices) override {
    for (const auto& notice : notices) {
      const auto& integrations = plan_->Integrations(notice.key.receiver);
      const auto firing = notice.CountFiring();
      messages_.push_back({.time = notice.time,
                           .receiver = notice.key.receiver,
                           .kind = integrations.at(notice.key.integration).kind,
                           .group = notice.key.group_key,
                           .reason = notice.reason,
                           .firing = firing,
                           .resolved = notice.alerts.size() - firing});
      delivered_.push_back({.id = notice.id,
                            .key = notice.key,
                            .state = NoticeResult::State::kDelivered,
                            .attempts = 1,
                            .time = notice.time,
                            .decided = notice.time});
    }
  }

  const std::vector<Message>& messages() const { return messages_; }
  HeldBack held_back() const { return held_back_; }

 private:
  void Step() {
    dispatcher_.Step();
    for (auto& result : std::exchange(delivered_, {})) dispatcher_.Report(std::move(result));
  }

  void Count(const std::vector<Event>& events) {
    for (const auto& event : events) {
      if (event.type == "alert.suppressed") ++held_back_.inhibited;
      if (event.type == "group.muted") ++held_back_.muted;
    }
  }

  const std::shared_ptr<const Plan> plan_;
  ManualClock clock_;
  std::vector<Message> messages_;
  std::vector<NoticeResult> delivered_;
  HeldBack held_back_;
  Dispatcher dispatcher_;
};

Rehearsal::Rehearsal(std::shared_ptr<const Plan> plan, Dispatcher::Options options, Timestamp from)
    : desk_(std::make_unique<Desk>(std::move(plan), options, from)) {}

Rehearsal::~Rehearsal() = default;

void Rehearsal::AdvanceTo(Timestamp time) { desk_->AdvanceTo(time); }

void Rehearsal::Post(std::span<const Alert> alerts) { desk_->Post(alerts); }

const std::vector<Rehearsal::Message>& Rehearsal::messages() const { return desk_->messages(); }

Rehearsal::HeldBack Rehearsal::held_back() const { return desk_->held_back(); }

namespace {

// The last of what falls into an interval, and the most that ever did.
struct Window {
  Timestamp length;
  std::deque<Timestamp> times;

  void Add(Timestamp time, MessageCount::Burst& most) {
    times.push_back(time);
    while (times.front() <= time - length) times.pop_front();
    if (times.size() > most.messages) most = {times.size(), times.front()};
  }
};

}  // namespace

std::map<std::pair<std::string, std::string>, MessageCount> CountMessages(
    const std::vector<Rehearsal::Message>& messages) {
  struct Windows {
    Window minute{60'000, {}};
    Window hour{3'600'000, {}};
  };
  std::map<std::pair<std::string, std::string>, MessageCount> out;
  std::map<std::pair<std::string, std::string>, Windows> windows;
  for (const auto& message : messages) {
    const std::pair key(message.receiver, message.kind);
    auto& count = out[key];
    ++count.messages;
    ++count.by_reason[message.reason];
    windows[key].minute.Add(message.time, count.in_minute);
    windows[key].hour.Add(message.time, count.in_hour);
  }
  return out;
}

}  // namespace vigia::alerting::dispatch
