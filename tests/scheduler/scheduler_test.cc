#include "collectors/scheduler.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "collectors/delivery.h"
#include "tests/support/collect.h"
#include "tests/support/fake_collector.h"

using namespace vigia;
using namespace vigia::collectors;
using namespace vigia::test;

namespace {

// Counts what the scheduler hands on.
class RecordingSink final : public ReadingSink {
 public:
  void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) override {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    log_ += instance.name + ": " + std::to_string(reading->SeriesCount()) + " series\n";
  }
  void Withdraw(const InstanceId& instance, Timestamp,
                std::shared_ptr<const Reading> last_words) override {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    log_ += instance.name + ": unknown" + (last_words ? " but " + ReadingText(*last_words) : "\n");
  }
  std::string log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  // Waits until the log has `text`, after `before` if that is given; for at most 30 s, then returns
  // false.
  bool Await(const std::string& text, const std::string& before = {}) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] {
      const auto at = log_.find(before);
      return at != std::string::npos && log_.find(text, at) != std::string::npos;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string log_;
};

// A scheduler at a manual clock with fake collectors of interval 10 s and timeout 5 s.
class Stand {
 public:
  Stand() : scheduler_(clock_, {.scrape_wait = 100ms, .seed = 1}, {&sink_}) {}
  ~Stand() {
    for (const auto& source : sources_) source->Release();
  }

  FakeSource& Add(const std::string& name, const std::string& worker = {}) {
    sources_.push_back(std::make_shared<FakeSource>());
    Instance instance;
    instance.id = {"fake", name};
    instance.worker = worker.empty() ? name : worker;
    instance.interval = 10s;
    instance.timeout = 5s;
    instance.impl = std::make_unique<FakeCollector>(sources_.back());
    pending_.push_back(std::move(instance));
    return *sources_.back();
  }
  void Start() { scheduler_.Apply(std::move(pending_)); }

  // The value of each instance in a snapshot: "a=1 b=2".
  static std::string Values(const Snapshot& snapshot) {
    std::string out;
    for (const auto& entry : snapshot.entries) {
      if (!out.empty()) out += ' ';
      out += entry.instance->name + "=" + std::to_string(int(entry.reading->families[0].values[0]));
    }
    return out;
  }

  ManualClock clock_;
  RecordingSink sink_;
  std::vector<std::shared_ptr<FakeSource>> sources_;
  std::vector<Instance> pending_;
  Scheduler scheduler_;
};

}  // namespace

TEST_CASE("a first scrape starts every collector and waits for it", "[scheduler]") {
  Stand stand;
  stand.Add("a").SetValue(1);
  stand.Add("b").SetValue(2);
  stand.Start();

  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "a=1 b=2");
}

TEST_CASE("scrapes at the interval cause one run each and are served fresh values", "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  stand.Start();
  stand.scheduler_.Scrape();
  const int before = source.started();
  for (int round = 1; round <= 50; ++round) {
    // A scraper with up to 400 ms of jitter around its interval.
    stand.clock_.Advance(10s + std::chrono::milliseconds((round % 3 - 1) * 200));
    source.SetValue(round);
    const auto snapshot = stand.scheduler_.Scrape();
    REQUIRE(Stand::Values(snapshot) == "a=" + std::to_string(round));
    REQUIRE(stand.clock_.Wall() - snapshot.entries[0].reading->time == 0);
    REQUIRE(source.started() == before + round);
  }
}

TEST_CASE("a scrape soon after a run is served that reading and starts nothing", "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  stand.Start();
  stand.scheduler_.Scrape();
  const int runs = source.started();
  stand.clock_.Advance(4900ms);
  const auto snapshot = stand.scheduler_.Scrape();
  REQUIRE(source.started() == runs);
  REQUIRE(stand.clock_.Wall() - snapshot.entries[0].reading->time == 4900);
}

TEST_CASE("without scrapes a collector runs once per interval", "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  stand.Start();
  stand.clock_.Advance(1s);  // beyond the jitter of the start
  REQUIRE(source.AwaitEnded(1));
  for (int run = 2; run <= 20; ++run) {
    stand.clock_.AwaitWaiters(2);  // the worker and the watch
    stand.clock_.Advance(9900ms);
    REQUIRE(source.started() == run - 1);
    stand.clock_.Advance(100ms);
    REQUIRE(source.AwaitEnded(run));
  }
}

TEST_CASE("ticks of one worker that have drifted apart come together", "[scheduler]") {
  Stand stand;
  auto& early = stand.Add("early", "shared");
  auto& late = stand.Add("late", "shared");
  stand.Start();
  stand.scheduler_.Scrape([](const InstanceId& id) { return id.name == "early"; });
  stand.clock_.Advance(50ms);
  stand.scheduler_.Scrape([](const InstanceId& id) { return id.name == "late"; });
  const int early_runs = early.ended();
  const int late_runs = late.ended();
  // The tick of `early` is due, that of `late` 50 ms later: both run now.
  stand.clock_.AwaitWaiters(2);
  stand.clock_.Advance(10450ms);
  REQUIRE(early.AwaitEnded(early_runs + 1));
  REQUIRE(late.AwaitEnded(late_runs + 1));
}

TEST_CASE("a hung collector delays no scrape and its series become unknown", "[scheduler]") {
  Stand stand;
  auto& hung = stand.Add("hung");
  stand.Add("fine").SetValue(7);
  stand.Start();
  stand.scheduler_.Scrape();

  hung.Hang();
  stand.clock_.Advance(6s);
  std::thread advance([&] {
    hung.AwaitStarted(2);
    stand.clock_.AwaitWaiters(3);  // fine's worker, the watch, the scrape
    stand.clock_.Advance(100ms);
  });
  // Waits its 100 ms, then serves what is there: the old reading is within its timeout.
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "hung=1 fine=7");
  advance.join();

  // Known to be late now: no waiting at all, so this returns although the clock stands still.
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "hung=1 fine=7");
  stand.clock_.Advance(5s);
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "fine=7");
  const auto state = stand.scheduler_.States()[0];
  REQUIRE_FALSE(state.up);
  REQUIRE(state.timeouts_total == 1);
  REQUIRE(state.last_error == "no answer within 5s");
  REQUIRE(stand.sink_.Await("hung: unknown\n"));

  // It returns: what it has read meanwhile is of nobody knows when and stays out, what it reads
  // next is good. The scrape does not wait for it, because its last run took so long.
  hung.Release();
  REQUIRE(hung.AwaitEnded(2));
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "fine=7");
  stand.clock_.Advance(6s);
  stand.scheduler_.Scrape();
  REQUIRE(stand.sink_.Await("hung: 2 series\n", "hung: unknown\n"));
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "hung=1 fine=7");
  REQUIRE(stand.scheduler_.States()[0].up);
  REQUIRE(stand.scheduler_.States()[0].timeouts_total == 1);
}

TEST_CASE("a collector that hangs leaves its neighbours to another thread", "[scheduler]") {
  Stand stand;
  auto& hung = stand.Add("hung", "shared");
  auto& neighbour = stand.Add("neighbour", "shared");
  stand.Add("other");
  stand.Start();
  stand.scheduler_.Scrape();
  hung.Hang();
  stand.clock_.Advance(6s);
  std::thread advance([&] {
    hung.AwaitStarted(2);
    stand.clock_.AwaitWaiters(3);  // other's worker, the watch, the scrape
    stand.clock_.Advance(100ms);
  });
  // The neighbour's turn does not come within the 100 ms that the scrape waits.
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "hung=1 neighbour=1 other=1");
  advance.join();
  REQUIRE(neighbour.started() == 1);

  // A second later it has a thread of its own, and goes on for as long as the other one hangs.
  stand.clock_.AwaitWaiters(2);
  stand.clock_.Advance(1s);
  REQUIRE(neighbour.AwaitEnded(2));
  for (int round = 2; round < 6; ++round) {
    neighbour.SetValue(round);
    stand.clock_.AwaitWaiters(3);
    stand.clock_.Advance(11s);
    REQUIRE(neighbour.AwaitEnded(round + 1));
    REQUIRE(Stand::Values(stand.scheduler_.Scrape()) ==
            "neighbour=" + std::to_string(round) + " other=1");
  }
  REQUIRE(stand.scheduler_.States()[1].failures_total == 0);
}

TEST_CASE("a scrape runs brief collectors in its own thread", "[scheduler]") {
  Stand stand;
  auto& brief = stand.Add("brief", "kernel");
  stand.pending_.back().brief = true;
  auto& also = stand.Add("also", "kernel");
  stand.pending_.back().brief = true;
  auto& other = stand.Add("other");
  stand.Start();
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "brief=1 also=1 other=1");
  REQUIRE(brief.last_thread() == std::this_thread::get_id());
  REQUIRE(also.last_thread() == std::this_thread::get_id());
  REQUIRE(other.last_thread() != std::this_thread::get_id());

  // Without scrapes its worker goes on, at the ticks that the scrape has set.
  const int runs = brief.ended();
  stand.clock_.AwaitWaiters(3);
  stand.clock_.Advance(11s);
  REQUIRE(brief.AwaitEnded(runs + 1));
  REQUIRE(brief.last_thread() != std::this_thread::get_id());
}

TEST_CASE("a brief collector that blocks does so once", "[scheduler]") {
  Stand stand;
  auto& brief = stand.Add("brief");
  stand.pending_.back().brief = true;
  stand.Start();
  stand.scheduler_.Scrape();
  brief.Hang();
  stand.clock_.Advance(6s);
  std::thread scraper([&] { stand.scheduler_.Scrape(); });
  REQUIRE(brief.AwaitStarted(2));
  stand.clock_.Advance(1s);  // more than a scrape may wait
  brief.Release();
  scraper.join();
  stand.clock_.Advance(9s);
  stand.scheduler_.Scrape();
  REQUIRE(brief.AwaitEnded(3));
  REQUIRE(brief.last_thread() != std::this_thread::get_id());
}

TEST_CASE("sinks hear of readings in order however threads overtake each other", "[scheduler]") {
  // Stands in for a sink that takes its time, during which others have something to tell.
  class SlowSink final : public ReadingSink {
   public:
    void Publish(const InstanceId&, std::shared_ptr<const Reading> reading) override {
      log += "publish " + std::to_string(reading->time) + "\n";
      if (reading->time == 1) during();
    }
    void Withdraw(const InstanceId&, Timestamp time, std::shared_ptr<const Reading>) override {
      log += "withdraw " + std::to_string(time) + "\n";
    }
    std::function<void()> during;
    std::string log;
  } sink;
  std::vector<ReadingSink*> sinks{&sink};
  std::mutex mutex;
  Delivery delivery;
  const auto reading = [](Timestamp time) {
    auto made = std::make_shared<Reading>();
    made->time = time;
    return made;
  };
  sink.during = [&] {
    std::thread([&] {
      std::unique_lock lock(mutex);
      delivery.Withdraw(2, nullptr);
      delivery.Run({"fake", "a"}, sinks, lock);  // returns: it is being delivered
      delivery.Publish(reading(3));
    }).join();
    REQUIRE(sink.log == "publish 1\n");
  };
  std::unique_lock lock(mutex);
  delivery.Publish(reading(1));
  delivery.Run({"fake", "a"}, sinks, lock);
  REQUIRE(sink.log == "publish 1\nwithdraw 2\npublish 3\n");
}

TEST_CASE("a failed run withdraws the series and keeps its last words", "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  stand.Start();
  stand.scheduler_.Scrape();
  source.FailWith({ErrorCode::kUnavailable, "connection refused"});
  stand.clock_.Advance(10s);
  const auto snapshot = stand.scheduler_.Scrape();
  REQUIRE(ReadingText(*snapshot.entries.at(0).reading) == "fake_up 0\n");
  const auto state = stand.scheduler_.States()[0];
  REQUIRE_FALSE(state.up);
  REQUIRE(state.last_error == "connection refused");
  REQUIRE(state.failures_total == 1);
  REQUIRE(stand.sink_.log() == "a: 2 series\na: unknown but fake_up 0\n");
}

TEST_CASE("a source that returns is seen within one interval however long it was away",
          "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  source.FailWith({ErrorCode::kUnavailable, "connection refused"});
  stand.Start();
  stand.clock_.Advance(1s);
  REQUIRE(source.AwaitEnded(1));
  for (int run = 2; run < 30; ++run) {
    stand.clock_.AwaitWaiters(2);
    stand.clock_.Advance(10s);
    REQUIRE(source.AwaitEnded(run));
  }
  source.Recover();
  stand.clock_.AwaitWaiters(2);
  stand.clock_.Advance(10s);
  REQUIRE(source.AwaitEnded(30));
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "a=1");
}

TEST_CASE("scrapes do not start a collector that keeps failing", "[scheduler]") {
  Stand stand;
  auto& source = stand.Add("a");
  source.FailWith({ErrorCode::kUnavailable, "connection refused"});
  stand.Start();
  stand.clock_.Advance(1s);
  REQUIRE(source.AwaitEnded(1));
  for (int run = 2; run <= 3; ++run) {
    stand.clock_.AwaitWaiters(2);
    stand.clock_.Advance(10s);
    REQUIRE(source.AwaitEnded(run));
  }
  stand.clock_.AwaitWaiters(2);
  stand.clock_.Advance(6s);
  stand.scheduler_.Scrape();
  REQUIRE(source.started() == 3);
}

TEST_CASE("a reload keeps unchanged instances and lets removed ones go", "[scheduler]") {
  Stand stand;
  auto& kept = stand.Add("kept");
  stand.Add("removed");
  stand.Start();
  stand.scheduler_.Scrape();
  REQUIRE(kept.started() == 1);

  stand.Add("kept");  // another collector object of equal fingerprint: not used
  stand.Add("added").SetValue(3);
  stand.Start();
  REQUIRE(Stand::Values(stand.scheduler_.Scrape()) == "kept=1 added=3");
  REQUIRE(kept.started() == 1);
  REQUIRE(stand.scheduler_.States().size() == 2);
  REQUIRE(stand.sink_.log().find("removed: 0 series\n") != std::string::npos);
}

TEST_CASE("a filtered scrape starts only what it asks for", "[scheduler]") {
  Stand stand;
  auto& a = stand.Add("a");
  auto& b = stand.Add("b");
  stand.Start();
  stand.scheduler_.Scrape();
  stand.clock_.Advance(9s);
  stand.scheduler_.Scrape([](const InstanceId& id) { return id.name == "b"; });
  REQUIRE(a.started() == 1);
  REQUIRE(b.started() == 2);
}

TEST_CASE("stopping abandons a collector that does not return", "[scheduler]") {
  auto source = std::make_shared<FakeSource>();
  {
    // The abandoned thread still asks for the time after its collector has returned.
    static ManualClock clock;
    Scheduler scheduler(clock, {});
    std::vector<Instance> instances(1);
    instances[0].id = {"fake", "a"};
    instances[0].worker = "a";
    instances[0].impl = std::make_unique<FakeCollector>(source);
    source->Hang();
    scheduler.Apply(std::move(instances));
    clock.Advance(2s);
    REQUIRE(source->AwaitStarted(1));
    scheduler.Stop(10ms);
    source->Release();
    REQUIRE(source->AwaitEnded(1));
  }
  REQUIRE(source->ended() == 1);
}
