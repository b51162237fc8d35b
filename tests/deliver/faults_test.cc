// Channels that fail in every way they can, behind the outbox: nothing is rejected, nothing lost.

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <set>

#include "alerting/outbox/outbox.h"
#include "exporter/routing/receiver_channel.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using dispatch::Notice;
using dispatch::NoticeResult;
using State = NoticeResult::State;

namespace {

class NoStore final : public dispatch::Store {
 public:
  Status Commit(const dispatch::Changes&) override { return Ok(); }
  Result<dispatch::Snapshot> Load() override { return dispatch::Snapshot(); }
};

// What tells two deliveries of one channel apart; empty where the channel knows no such thing.
std::string IdentityOf(const std::string& channel, const test::StubRequest& request) {
  if (channel == "webhook") {
    return request.headers.at("webhook-id") + request.headers.at("idempotency-key");
  }
  if (channel == "googlechat") return request.target.substr(request.target.find("requestId="));
  const auto body = test::BodyOf(channel, request.body);
  const auto text = [&](const char* key) { return body[key].get<std::string>(); };
  if (channel == "sentry") return text("event_id");
  if (channel == "pagerduty") return text("dedup_key");
  if (channel == "opsgenie") return text("alias");
  if (channel == "victorops") return text("entity_id");
  return "";
}

// Answers each group's attempts with 429, 500 and garbage, half an answer, silence or 503; then
// takes it if it keeps to the channel's limits. Thread-safe.
class FaultyChannel {
 public:
  explicit FaultyChannel(std::string name) : name_(std::move(name)) {
    test::AnswerBeside(name_, stub_);
    stub_.Decide(test::PathOf(name_),
                 [this](const test::StubRequest& request) { return Answer(request); });
  }

  std::shared_ptr<deliver::Receiver> Receiver() {
    return test::MakeReceiver(test::Yaml(name_, stub_.Url("/x")));
  }
  int attempts() const { return attempt_; }
  std::string fault() const { return fault_; }
  // Of each group: one.
  std::set<std::string> identities() const { return identities_; }

 private:
  test::StubAnswer Answer(const test::StubRequest& request) {
    const auto body = test::BodyOf(name_, request.body);
    const auto fault = test::Fault(name_, body, request.body.size());
    if (!fault.empty()) fault_ = fault;
    if (const auto id = IdentityOf(name_, request); !id.empty()) identities_.insert(id);
    switch (attempt_++ % 5) {
      case 0:
        return {.status = 429, .headers = {{"Retry-After", "0.01"}}, .body = "slow down"};
      case 1:
        return {.status = 500, .body = "<html>\xff garbage"};
      case 2:
        return {.status = 200, .body = "ok, it se", .manner = test::StubAnswer::Manner::kCutBody};
      case 3:
        // Once is enough: what ends it is the time that an attempt may take, and a busy machine
        // needs more for 500 alerts.
        if (attempt_ > 5) return {.status = 503};
        return {.manner = test::StubAnswer::Manner::kHang};
      default:
        return {.status = fault.empty() ? 200 : 400, .body = test::TakenBody(name_)};
    }
  }

  const std::string name_;
  // What follows is touched by the stub's requests, one at a time, and read once they are over.
  int attempt_ = 0;
  std::string fault_;
  std::set<std::string> identities_;
  test::HttpStub stub_;  // last: its thread ends first
};

Notice NoticeOf(const std::string& receiver, std::size_t alerts) {
  const auto group = test::Group(alerts, 200);
  const auto name = receiver + std::to_string(alerts);
  Notice notice{.id = name, .key = {"{}:{g=\"" + name + "\"}", receiver, 0}};
  notice.time = SystemClock().Wall();
  for (auto alert : group.alerts) {
    alert.ends_at = notice.time + 3'600'000;
    dispatch::KnownAlert known{.alert = std::move(alert)};
    known.fingerprint = Fingerprint(known.alert.labels);
    notice.alerts.push_back(std::make_shared<const dispatch::KnownAlert>(std::move(known)));
  }
  return notice;
}

// Counts what became of notices. Thread-safe.
class Results {
 public:
  void Add(const NoticeResult& result) {
    const std::lock_guard lock(mutex_);
    ++counts_[result.state];
    changed_.notify_all();
  }
  std::size_t AwaitDelivered(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(240),
                      [&] { return counts_[State::kDelivered] >= count; });
    return counts_[State::kDelivered];
  }
  std::size_t Of(State state) {
    const std::lock_guard lock(mutex_);
    return counts_[state];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<State, std::size_t> counts_;
};

}  // namespace

TEST_CASE("no channel's faults lose a notification, and each has one copy by the fallback",
          "[deliver]") {
  constexpr std::array<std::size_t, 3> kSizes{1, 50, 500};
  std::map<std::string, std::unique_ptr<FaultyChannel>> channels;
  test::HttpStub rescue;
  rescue.Answer("/x", {});
  routing::Handles handles;
  std::map<outbox::LaneId, outbox::LaneOptions> lanes;
  const auto add = [&](const std::string& name, std::shared_ptr<deliver::Receiver> receiver) {
    lanes[{name, 0}] = {.kind = name,
                        .channel = std::make_shared<routing::ReceiverChannel>(
                            std::move(receiver), "http://vigia.example", handles)};
  };
  for (const std::string name : test::kChannels) {
    channels[name] = std::make_unique<FaultyChannel>(name);
    add(name, channels[name]->Receiver());
  }
  add("rescue", test::MakeReceiver(test::Yaml("webhook", rescue.Url("/x"))));

  NoStore store;
  Results results;
  outbox::Outbox::Options options{.attempt_timeout = Milliseconds(2000),
                                  .backoff_min = Milliseconds(1),
                                  .backoff_max = Milliseconds(5),
                                  .fallback_after = 2,
                                  .fallback = "rescue",
                                  .seed = 1};
  outbox::Outbox box(SystemClock(), store, options,
                     [&](const NoticeResult& result) { results.Add(result); });
  box.SetLanes(lanes, options);
  std::size_t sent = 0;
  // One after another, so that each goes through the same faults.
  for (const std::size_t size : kSizes) {
    std::vector<Notice> notices;
    for (const std::string name : test::kChannels) notices.push_back(NoticeOf(name, size));
    sent += 2 * notices.size();  // with the copies
    box.Submit(std::move(notices));
    const auto delivered = results.AwaitDelivered(sent);
    std::string lanes_now;
    for (const auto& lane : box.Stats()) {
      lanes_now += lane.kind + ": " + std::to_string(lane.attempts) + " attempts, " +
                   std::to_string(lane.waiting) + " wait, " + lane.last_error + "\n";
    }
    INFO(lanes_now);
    REQUIRE(delivered == sent);
    options.attempt_timeout = Milliseconds(120'000);
    box.SetLanes(lanes, options);
  }
  box.Stop();

  CHECK(results.Of(State::kDead) == 0);
  CHECK(results.Of(State::kReplaced) == 0);
  CHECK(rescue.requests().size() == channels.size() * kSizes.size());
  for (const auto& [name, channel] : channels) {
    INFO(name);
    CHECK(channel->fault() == "");
    CHECK(channel->attempts() == 5 * static_cast<int>(kSizes.size()));
    const bool identified = !channel->identities().empty();
    if (identified) CHECK(channel->identities().size() == kSizes.size());
  }
  for (const std::string name :
       {"webhook", "googlechat", "sentry", "pagerduty", "opsgenie", "victorops"}) {
    CHECK(channels[name]->identities().size() == kSizes.size());
  }
}
