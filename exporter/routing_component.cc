#include "alerting/dispatch/database_store.h"
#include "alerting/dispatch/dispatcher.h"
#include "alerting/outbox/outbox.h"
#include "core/log.h"
#include "exporter/component.h"
#include "exporter/config/alerting.h"
#include "exporter/routing/context.h"
#include "exporter/routing/metrics.h"
#include "exporter/routing/receiver_channel.h"

namespace vigia::exporter {
namespace {

namespace dispatch = alerting::dispatch;
namespace outbox = alerting::outbox;

// Events that the state file did not take wait in the journal's memory.
class JournalSink final : public dispatch::EventSink {
 public:
  explicit JournalSink(alerting::state::Journal& journal) : journal_(journal) {}

  void Record(std::vector<dispatch::Event> events) override {
    for (const auto& event : events) journal_.Add(dispatch::JournalEvent(event));
  }

 private:
  alerting::state::Journal& journal_;
};

class RoutingComponent final : public Component, public alerting::AlertSink {
 public:
  explicit RoutingComponent(const Ground& ground)
      : ground_(ground), store_(ground.database), events_(ground.journal) {
    const routing::RoutingContext context{
        .clock = ground.clock,
        .journal = ground.journal,
        .dispatcher = [this]() -> dispatch::Dispatcher& { return *dispatcher_; },
        .outbox = [this]() -> outbox::Outbox& { return *outbox_; },
        .rules =
            [this](const alerting::route::Matchers& matchers) {
              return ground_.alerts.Explained(matchers);
            },
        .started = ground.clock.Wall()};
    routing::AddAlertmanagerApi(ground_.router, context);
    routing::AddAlertingApi(ground_.router, context);
    ground_.alerts.Attach(*this);
  }

  Status Apply(const Config& config) override {
    const auto& alerting = *config.alerting;
    const bool first = !dispatcher_;
    if (first) {
      outbox_ = std::make_unique<outbox::Outbox>(
          ground_.clock, store_, alerting.delivery,
          [this](dispatch::NoticeResult result) { dispatcher_->Report(std::move(result)); });
      dispatcher_ = std::make_unique<dispatch::Dispatcher>(
          dispatch::Dispatcher::Parts{
              .clock = ground_.clock, .store = store_, .notices = *outbox_, .events = events_},
          alerting.dispatch, alerting.plan);
    }
    // Before the plan: what it tells a new receiver finds the receiver's lane.
    outbox_->SetLanes(Lanes(alerting), alerting.delivery);
    if (!first) dispatcher_->Apply(alerting.plan, alerting.dispatch);
    return Ok();
  }

  void Start() override {
    auto snapshot = store_.Load();
    if (snapshot) {
      handles_.Restore(std::move(snapshot->handles));
      auto waiting = std::move(snapshot->notices);
      dispatcher_->Restore(*std::move(snapshot));
      dispatcher_->Start();
      outbox_->Restore(std::move(waiting));
    } else {
      log::Error("state of notifications cannot be read, it begins anew",
                 {{"error", snapshot.error().message()}});
      dispatcher_->Start();
    }
    starter_ = std::jthread([this](std::stop_token stop) { AwaitRules(std::move(stop)); });
  }

  // What is in flight ends first, so that its outcome is written.
  void Stop() override {
    starter_ = {};
    outbox_->Stop();
    dispatcher_->Stop();
  }

  void Post(std::span<const alerting::Alert> alerts) override { dispatcher_->Post(alerts); }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    out.push_back(OwnInstance("vigia.alerting", "alerting",
                              routing::MakeAlertingCollector(*dispatcher_, *outbox_)));
    return out;
  }

 private:
  std::map<outbox::LaneId, outbox::LaneOptions> Lanes(const AlertingConfig& alerting) {
    std::map<outbox::LaneId, outbox::LaneOptions> lanes;
    for (const auto& [id, lane] : alerting.lanes) {
      lanes[id] = {.kind = lane.kind,
                   .channel = std::make_shared<routing::ReceiverChannel>(
                       lane.receiver, ground_.external_url, handles_),
                   .rate = lane.rate,
                   .burst = lane.burst};
    }
    return lanes;
  }

  // Notifications begin once every rule has been evaluated, else what is inhibited would leak.
  void AwaitRules(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested() && !ground_.alerts.Evaluated()) {
      ground_.clock.WaitUntil(lock, never, stop, ground_.clock.Now() + 100ms, [] { return false; });
    }
    if (!stop.stop_requested()) dispatcher_->Release();
  }

  const Ground ground_;
  dispatch::DatabaseStore store_;
  JournalSink events_;
  routing::Handles handles_;
  std::unique_ptr<outbox::Outbox> outbox_;
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;
  std::jthread starter_;
};

}  // namespace

std::unique_ptr<Component> MakeRoutingComponent(const Ground& ground) {
  return std::make_unique<RoutingComponent>(ground);
}

}  // namespace vigia::exporter
