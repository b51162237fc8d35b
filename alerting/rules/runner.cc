#include "alerting/rules/runner.h"

#include <pthread.h>

#include <algorithm>

namespace vigia::alerting::rules {
namespace {

// Names that the group's rules select; those that it records itself are not among them.
std::set<std::string, std::less<>> MetricsOf(const GroupDefinition& group) {
  std::set<std::string, std::less<>> names;
  for (const auto& rule : group.rules) {
    for (const auto* selector : rule->query->Selectors()) {
      for (const auto& matcher : selector->matchers) {
        if (matcher.name == kMetricName && matcher.op == Matcher::Op::kEqual) {
          names.insert(matcher.value);
        }
      }
    }
  }
  return names;
}

// A histogram's series have longer names than its family.
bool Feeds(const FamilyHead& family, const std::set<std::string, std::less<>>& metrics) {
  const std::string_view name = family.name;
  for (auto at = metrics.lower_bound(name); at != metrics.end() && at->starts_with(name); ++at) {
    const auto rest = std::string_view(*at).substr(name.size());
    if (rest.empty() || rest == "_bucket" || rest == "_sum" || rest == "_count") return true;
  }
  return false;
}

}  // namespace

Runner::Runner(Clock& clock, Environment environment, Outlets outlets, Options options)
    : clock_(clock), environment_(environment), outlets_(outlets), options_(std::move(options)) {}

Runner::~Runner() { Stop(); }

void Runner::Apply(std::vector<GroupDefinition> groups, Settings settings) {
  const auto shared = std::make_shared<const Settings>(std::move(settings));
  const Timestamp now = clock_.Wall();
  std::vector<std::shared_ptr<Slot>> next;
  for (auto& definition : groups) {
    auto metrics = MetricsOf(definition);
    auto group = std::make_shared<Group>(std::move(definition), shared);
    Phase phase(group->key(), group->interval(), now);
    next.push_back(
        std::make_shared<Slot>(Slot{std::move(group), std::move(phase), std::move(metrics)}));
  }
  std::vector<std::shared_ptr<Group>> retired;
  {
    std::unique_lock lock(mutex_);
    // Evaluations that go on end first; no other begins meanwhile.
    applying_ = true;
    wake_.wait(lock, [&] {
      return std::none_of(slots_.begin(), slots_.end(), [](const auto& s) { return s->running; });
    });
    std::map<std::string, std::shared_ptr<Slot>> old;
    for (auto& slot : slots_) old.emplace(slot->group->key(), slot);
    for (auto& slot : next) {
      const auto known = old.find(slot->group->key());
      if (known != old.end()) {
        slot->group->TakeOver(*known->second->group);
        if (known->second->group->interval() == slot->group->interval()) {
          slot->phase = known->second->phase;
        }
        old.erase(known);
      }
      FindFeeds(*slot);
    }
    for (auto& [key, slot] : old) retired.push_back(slot->group);
    slots_ = std::move(next);
    applying_ = false;
  }
  for (const auto& group : retired) group->Retire(now, outlets_.series);
  wake_.notify_all();
}

bool Runner::Restore(std::string_view group, std::string_view rule, AlertInstance instance) {
  const std::lock_guard lock(mutex_);
  for (auto& slot : slots_) {
    if (slot->group->key() == group) return slot->group->Restore(rule, std::move(instance));
  }
  return false;
}

void Runner::Start() {
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
    threads_.emplace_back([this](std::stop_token stop) { Work(stop); });
    ::pthread_setname_np(threads_.back().native_handle(), "rules");
  }
}

void Runner::Stop() {
  for (auto& thread : threads_) thread.request_stop();
  wake_.notify_all();
  threads_.clear();
}

std::shared_ptr<Runner::Slot> Runner::Next() const {
  if (applying_) return nullptr;
  const std::shared_ptr<Slot>* next = nullptr;
  for (const auto& slot : slots_) {
    if (slot->running) continue;
    if (!next || slot->phase.due() < (*next)->phase.due()) next = &slot;
  }
  return next ? *next : nullptr;
}

void Runner::Work(std::stop_token stop) {
  // Looks at the wall clock at least so often: it may be set.
  constexpr std::int64_t kLook = 1000;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Timestamp now = clock_.Wall();
    // All of them: a clock that was set back would leave those that are due later behind.
    for (auto& one : slots_) {
      if (!one->running) one->phase.Check(now);
    }
    const auto slot = Next();
    const Timestamp due = slot ? slot->phase.due() : now + kLook;
    if (due > now) {
      const auto until = clock_.Now() + Milliseconds(std::min(due - now, kLook));
      clock_.WaitUntil(lock, wake_, stop, until, [&] {
        const auto first = Next();
        return first && first->phase.due() < due;
      });
      continue;
    }
    std::uint64_t missed = 0;
    const Timestamp time = slot->phase.Take(now, missed);
    slot->running = true;
    lock.unlock();
    if (missed > 0) slot->group->CountMissed(missed);
    slot->group->Evaluate(time, environment_, outlets_);
    lock.lock();
    slot->running = false;
    wake_.notify_all();
  }
}

std::vector<std::shared_ptr<const Group>> Runner::Groups() const {
  std::vector<std::shared_ptr<const Group>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& slot : slots_) out.push_back(slot->group);
  return out;
}

void Runner::FindFeeds(Slot& slot) const {
  std::vector<std::pair<InstanceId, Milliseconds>> feeds;
  const std::int64_t interval = slot.group->interval().count();
  for (const auto& [id, instance] : instances_) {
    const bool feeds_it =
        std::any_of(instance.families.begin(), instance.families.end(),
                    [&](const auto& family) { return Feeds(*family, slot.metrics); });
    if (!feeds_it) continue;
    const std::int64_t own = options_.interval_of(id).count();
    // One that runs out of step decides nothing.
    if (own > 0 && interval % own == 0) feeds.emplace_back(id, Milliseconds(own));
  }
  slot.phase.SetFeeds(std::move(feeds));
}

void Runner::Heard(const InstanceId& id, Timestamp time, const Reading* reading) {
  if (!options_.interval_of) return;
  bool ready = false;
  {
    const std::lock_guard lock(mutex_);
    Instance& instance = instances_[id];
    if (reading) {
      std::vector<std::shared_ptr<const FamilyHead>> families;
      families.reserve(reading->families.size());
      for (const auto& family : reading->families) families.push_back(family.family->shared_head());
      if (families != instance.families) {
        instance.families = std::move(families);
        for (auto& slot : slots_) FindFeeds(*slot);
      }
    }
    for (auto& slot : slots_) {
      const Timestamp before = slot->phase.due();
      slot->phase.OnReading(id, time);
      ready = ready || slot->phase.due() != before;
    }
  }
  if (ready) wake_.notify_all();
}

void Runner::Publish(const InstanceId& id, std::shared_ptr<const Reading> reading) {
  Heard(id, reading->time, reading.get());
}

void Runner::Withdraw(const InstanceId& id, Timestamp time, std::shared_ptr<const Reading>) {
  Heard(id, time, nullptr);
}

}  // namespace vigia::alerting::rules
