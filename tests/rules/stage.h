// A stage on which rules play: a store in memory, a sink that keeps what is posted, a clock that
// is only a number.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/group.h"
#include "query/promql/memory_source.h"

namespace vigia::alerting::rules::test {

class Stage final : public AlertSink, public ChangeSink {
 public:
  // The first group of a rule file; faults fail the test.
  explicit Stage(std::string_view file, Settings settings = {});

  // Replaces the group as a reload does.
  void Reload(std::string_view file);

  // Writes a sample: `seconds` after the start.
  void Put(const Labels& labels, int seconds, double value);
  void Evaluate(int seconds);

  // "pending 1 since 0" and the like, one line per active alert: state, value, active since, and
  // " held" where it is.
  std::string Active(std::size_t rule = 0) const;
  // What the last Evaluate() posted: "firing {labels} start..end" per alert, in seconds.
  std::string Posted() const;
  // The value of a series right at `seconds`; "none" without one, "gone" or "unknown" for markers.
  std::string Read(const std::string& selector, int seconds) const;
  std::string Events() const;

  void Post(std::span<const Alert> alerts) override;
  void Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) override;

  Group& group() { return *group_; }
  RuleReport report(std::size_t rule = 0) const { return group_->rules()[rule]->report(); }

  promql::MemorySource data;
  Timestamp started = 0;
  Timestamp stopped = 0;
  ChangeSink* store = nullptr;  // gets the changes, too

 private:
  static GroupDefinition Parse(std::string_view file);

  const promql::Engine engine_{{}};
  const std::shared_ptr<const Settings> settings_;
  std::unique_ptr<Group> group_;
  std::vector<Alert> posted_;
  std::vector<std::string> events_;
};

inline constexpr Timestamp kStart = 1'700'000'000'000;

}  // namespace vigia::alerting::rules::test
