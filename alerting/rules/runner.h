// The Runner evaluates all groups, each at its ticks, several at a time.
//
//     Runner runner(clock, environment, outlets, {.threads = 2});
//     runner.Apply(groups, settings);
//     for (auto& stored : ...) runner.Restore(...);
//     runner.Start();
//
// It listens to the collectors' readings, so that a group they feed is evaluated right behind
// them (phase.h). Thread-safe.

#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "alerting/rules/group.h"
#include "alerting/rules/phase.h"
#include "core/clock.h"
#include "core/reading.h"

namespace vigia::alerting::rules {

class Runner final : public ReadingSink {
 public:
  struct Options {
    unsigned threads = 1;
    // How often an instance runs; zero where nobody knows. Empty: readings are not followed.
    std::function<Milliseconds(const InstanceId&)> interval_of = {};
  };

  // What `environment` and `outlets` name outlives the runner.
  Runner(Clock& clock, Environment environment, Outlets outlets, Options options);
  ~Runner() override;

  // Evaluates exactly these groups from now on. A group whose file and name are known goes on where
  // it was; series of those that go are marked as gone.
  void Apply(std::vector<GroupDefinition> groups, Settings settings);
  // Puts back an alert; false if its rule is no more. Before Start().
  bool Restore(std::string_view group, std::string_view rule, AlertInstance instance);

  void Start();
  // Waits for the evaluations that go on.
  void Stop();

  // In the order of files and groups. Stays readable after a reload.
  std::vector<std::shared_ptr<const Group>> Groups() const;

  // A feed's reading is stored: call after the history has it.
  void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) override;
  void Withdraw(const InstanceId& instance, Timestamp time,
                std::shared_ptr<const Reading> last_words) override;

 private:
  struct Slot {
    std::shared_ptr<Group> group;
    Phase phase;
    std::set<std::string, std::less<>> metrics;  // that its rules select by name
    bool running = false;
  };
  struct Instance {
    std::vector<std::shared_ptr<const FamilyHead>> families;  // of the last good reading
  };

  void Work(std::stop_token stop);
  // The slot that is due first and not running; null without one. Under mutex_.
  std::shared_ptr<Slot> Next() const;
  void Heard(const InstanceId& id, Timestamp time, const Reading* reading);
  void FindFeeds(Slot& slot) const;

  Clock& clock_;
  const Environment environment_;
  const Outlets outlets_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Slot>> slots_;
  bool applying_ = false;  // no evaluation begins
  std::map<InstanceId, Instance> instances_;

  std::vector<std::jthread> threads_;
};

}  // namespace vigia::alerting::rules
