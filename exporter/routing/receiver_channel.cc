#include "exporter/routing/receiver_channel.h"

namespace vigia::routing {

using alerting::deliver::Notification;
using alerting::deliver::Outcome;
using alerting::dispatch::LogKey;
using alerting::dispatch::Notice;
using alerting::outbox::Answer;

Notification NotificationOf(const Notice& notice, const std::string& external_url) {
  Notification out;
  out.receiver = notice.key.receiver;
  out.group_key = notice.key.group_key;
  out.group_labels = notice.group_labels;
  for (const auto& alert : notice.alerts) out.alerts.push_back(alert->alert);
  out.common_labels = alerting::deliver::CommonLabels(out.alerts);
  out.common_annotations = alerting::deliver::CommonAnnotations(out.alerts);
  out.external_url = external_url;
  out.reason = notice.reason;
  out.delivery_id = notice.id;
  out.now = notice.time;
  return out;
}

void Handles::Restore(std::map<LogKey, std::string> handles) {
  const std::lock_guard lock(mutex_);
  handles_ = std::move(handles);
}

std::string Handles::Get(const LogKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto at = handles_.find(key);
  return at == handles_.end() ? std::string() : at->second;
}

void Handles::Set(const LogKey& key, const std::string& handle) {
  const std::lock_guard lock(mutex_);
  if (handle.empty()) {
    handles_.erase(key);
  } else {
    handles_[key] = handle;
  }
}

Answer ReceiverChannel::Attempt(const Notice& notice, Deadline deadline) {
  auto notification = NotificationOf(notice, external_url_);
  notification.handle = handles_.Get(notice.key);
  auto outcome = receiver_->Deliver(notification, deadline);
  Answer answer{.text = std::move(outcome.message)};
  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
      answer.kind = Answer::Kind::kDelivered;
      handles_.Set(notice.key, outcome.handle);
      answer.handle = std::move(outcome.handle);
      break;
    case Outcome::Kind::kRetry:
      answer.kind = Answer::Kind::kRetry;
      if (outcome.retry_after) answer.retry_after = *outcome.retry_after;
      break;
    case Outcome::Kind::kRejected:
      answer.kind = Answer::Kind::kRejected;
      break;
  }
  return answer;
}

}  // namespace vigia::routing
