#include "tests/rules/stage.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/number.h"

namespace vigia::alerting::rules::test {
namespace {

std::string After(Timestamp time) {
  return time == 0 ? "-" : FormatDouble(static_cast<double>(time - kStart) / 1000);
}

}  // namespace

GroupDefinition Stage::Parse(std::string_view file) {
  config::Diagnostics diagnostics("rules.yml");
  auto groups = ParseRuleFile(file, diagnostics);
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  REQUIRE(groups.size() == 1);
  return std::move(groups[0]);
}

Stage::Stage(std::string_view file, Settings settings)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      group_(std::make_unique<Group>(Parse(file), settings_)) {}

void Stage::Reload(std::string_view file) {
  auto next = std::make_unique<Group>(Parse(file), settings_);
  next->TakeOver(*group_);
  group_ = std::move(next);
}

void Stage::Put(const Labels& labels, int seconds, double value) {
  data.Add(labels, kStart + seconds * 1000, value);
}

void Stage::Evaluate(int seconds) {
  posted_.clear();
  const Environment environment{
      .source = data, .engine = engine_, .started = started, .stopped = stopped};
  group_->Evaluate(kStart + seconds * 1000, environment, {data, this, this});
}

std::string Stage::Active(std::size_t rule) const {
  std::string out;
  const auto& alerting = dynamic_cast<const AlertingRule&>(*group_->rules()[rule]);
  for (const auto& alert : alerting.Active()) {
    out += std::string(Name(alert.state)) + " " + FormatDouble(alert.value) + " since " +
           After(alert.active_at) + (alert.held ? " held" : "") + "\n";
  }
  return out;
}

std::string Stage::Posted() const {
  std::vector<std::string> lines;
  for (const auto& alert : posted_) {
    lines.push_back(alert.labels.ToString() + " " + After(alert.starts_at) + ".." +
                    After(alert.ends_at) + (alert.held ? " held" : "") + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const auto& line : lines) out += line;
  return out;
}

std::string Stage::Read(const std::string& selector, int seconds) const {
  const auto matchers = promql::ParseSelector(selector);
  REQUIRE(matchers);
  const Timestamp time = kStart + seconds * 1000;
  const auto series = data.Select(*matchers, {time, time});
  REQUIRE(series);
  std::string out;
  for (const auto& one : *series) {
    Columns samples;
    REQUIRE(one->Read(time, time, samples));
    for (const double value : samples.values) {
      out += out.empty() ? "" : " ";
      out += IsGone(value) ? "gone" : IsUnknown(value) ? "unknown" : FormatDouble(value);
    }
  }
  return out.empty() ? "none" : out;
}

std::string Stage::Events() const {
  std::string out;
  for (const auto& event : events_) out += event + "\n";
  return out;
}

void Stage::Post(std::span<const Alert> alerts) {
  posted_.insert(posted_.end(), alerts.begin(), alerts.end());
}

void Stage::Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) {
  for (const auto& change : changes) {
    if (change.change.event.empty()) continue;
    events_.push_back(After(time) + " " + std::string(change.change.event));
  }
  if (store) store->Store(group, time, std::move(changes));
}

}  // namespace vigia::alerting::rules::test
