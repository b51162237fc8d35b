// Makes a receiver a channel of the outbox: a notice becomes the notification that it sends.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "alerting/deliver/receiver.h"
#include "alerting/outbox/channel.h"

namespace vigia::routing {

// What a receiver is told of a notice.
alerting::deliver::Notification NotificationOf(const alerting::dispatch::Notice& notice,
                                               const std::string& external_url);

// What receivers want back with the next notice of a group. Thread-safe.
class Handles {
 public:
  void Restore(std::map<alerting::dispatch::LogKey, std::string> handles);
  std::string Get(const alerting::dispatch::LogKey& key) const;
  void Set(const alerting::dispatch::LogKey& key, const std::string& handle);

 private:
  mutable std::mutex mutex_;
  std::map<alerting::dispatch::LogKey, std::string> handles_;  // guarded by mutex_
};

class ReceiverChannel final : public alerting::outbox::Channel {
 public:
  ReceiverChannel(std::shared_ptr<alerting::deliver::Receiver> receiver, std::string external_url,
                  Handles& handles)
      : receiver_(std::move(receiver)), external_url_(std::move(external_url)), handles_(handles) {}

  alerting::outbox::Answer Attempt(const alerting::dispatch::Notice& notice,
                                   Deadline deadline) override;
  void Interrupt() override { receiver_->Interrupt(); }

 private:
  const std::shared_ptr<alerting::deliver::Receiver> receiver_;
  const std::string external_url_;
  Handles& handles_;
};

}  // namespace vigia::routing
