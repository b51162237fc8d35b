#include "tests/dispatch/bench.h"

#include <stdexcept>

#include "core/config/yaml.h"

namespace vigia::test {

using namespace alerting::dispatch;

Status MemoryStore::Commit(const Changes& changes) {
  if (broken) return Fail(ErrorCode::kUnavailable, "disk full");
  ++commits;
  for (const auto& alert : changes.alerts) alerts[alert->fingerprint] = alert;
  for (const auto fingerprint : changes.forgotten_alerts) alerts.erase(fingerprint);
  for (const auto& silence : changes.silences) silences[silence.id] = silence;
  for (const auto& id : changes.forgotten_silences) silences.erase(id);
  for (const auto& ack : changes.acks) acks[ack.fingerprint] = ack;
  for (const auto fingerprint : changes.forgotten_acks) acks.erase(fingerprint);
  for (const auto& [key, entry] : changes.log) log[key] = entry;
  for (const auto& key : changes.forgotten_log) log.erase(key);
  for (const auto& notice : changes.notices) notices[notice.id] = notice;
  for (const auto& result : changes.results) {
    const bool open = result.state == NoticeResult::State::kRetrying ||
                      result.state == NoticeResult::State::kDead;
    if (!open) notices.erase(result.id);
  }
  events.insert(events.end(), changes.events.begin(), changes.events.end());
  return Ok();
}

Result<Snapshot> MemoryStore::Load() {
  Snapshot snapshot;
  for (const auto& [fingerprint, alert] : alerts) snapshot.alerts.push_back(alert);
  for (const auto& [id, silence] : silences) snapshot.silences.push_back(silence);
  for (const auto& [fingerprint, ack] : acks) snapshot.acks.push_back(ack);
  snapshot.log = log;
  for (const auto& [id, notice] : notices) snapshot.notices.push_back({.notice = notice});
  return snapshot;
}

std::shared_ptr<const Plan> PlanOf(const std::string& text) {
  config::Diagnostics diagnostics("am.yml");
  const auto root = config::ParseYaml(text, {}, diagnostics);
  config::MapReader map(root, diagnostics, "am.yml");
  auto plan = std::make_shared<Plan>();
  plan->config = alerting::route::ReadAlertmanagerConfig(map, "/");
  for (const auto& receiver : plan->config.receivers) {
    auto& integrations = plan->receivers[receiver.name];
    for (const auto& [key, list] : receiver.node.entries) {
      for (const auto& item : list.items) {
        const auto* send = item.Find("send_resolved");
        integrations.push_back({key.text, !send || send->text != "false"});
      }
    }
  }
  if (!diagnostics.ok()) throw std::runtime_error(diagnostics.ToString());
  return plan;
}

DispatchBench::DispatchBench(const std::string& config, Dispatcher::Options options)
    : options_(options), plan_(PlanOf(config)) {
  Open();
  dispatcher_->Release();
}

void DispatchBench::Open() {
  dispatcher_.reset();
  dispatcher_ = std::make_unique<Dispatcher>(
      Dispatcher::Parts{.clock = clock_, .store = store_, .notices = *this, .events = *this},
      options_, plan_);
  dispatcher_->Restore(store_.Load().value());
}

void DispatchBench::Restart(const std::string& config) {
  if (!config.empty()) plan_ = PlanOf(config);
  Open();
}

void DispatchBench::Apply(const std::string& config) {
  plan_ = PlanOf(config);
  dispatcher_->Apply(plan_, options_);
}

void DispatchBench::Apply(Dispatcher::Options options) {
  options_ = options;
  dispatcher_->Apply(plan_, options_);
}

void DispatchBench::Fire(const Labels& labels) {
  const auto now = clock_.Wall();
  const auto started = started_.try_emplace(labels, now).first->second;
  const alerting::Alert alert{
      .labels = labels, .starts_at = started, .ends_at = now + 1'000'000'000};
  dispatcher_->Post({&alert, 1});
  dispatcher_->Step();
}

void DispatchBench::End(const Labels& labels) {
  const auto now = clock_.Wall();
  const auto started = started_.try_emplace(labels, now).first->second;
  started_.erase(labels);
  const alerting::Alert alert{.labels = labels, .starts_at = started, .ends_at = now};
  dispatcher_->Post({&alert, 1});
  dispatcher_->Step();
}

void DispatchBench::Advance(std::chrono::milliseconds by) {
  constexpr auto kStep = 250ms;
  for (std::chrono::milliseconds gone(0); gone < by; gone += kStep) {
    clock_.Advance(std::min<std::chrono::milliseconds>(kStep, by - gone));
    dispatcher_->Step();
  }
}

std::string DispatchBench::Told() {
  std::string out;
  for (; shown_ < notices_.size(); ++shown_) {
    const auto& notice = notices_[shown_];
    std::string firing;
    std::string ended;
    for (const auto& alert : notice.alerts) {
      auto& list = alert->ResolvedAt(notice.time) ? ended : firing;
      list += (list.empty() ? "" : ",") + std::string(alert->alert.labels.Get("alertname"));
    }
    if (!out.empty()) out += "; ";
    out += notice.key.receiver + " [" + firing + "|" + ended + "] " + notice.reason;
  }
  return out;
}

void DispatchBench::Submit(std::vector<Notice> notices) {
  for (auto& notice : notices) notices_.push_back(std::move(notice));
}

void DispatchBench::Record(std::vector<Event> events) {
  for (auto& event : events) events_.push_back(std::move(event));
}

}  // namespace vigia::test
