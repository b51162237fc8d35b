// A Rehearsal runs the routing over the past, on a clock of its own: how many messages would each
// receiver have got?
//
// The Dispatcher is the daemon's: groups and their intervals, repeats, inhibition, mute times. What
// it decides counts as delivered at once; there are no silences and no acknowledgements. Nothing is
// sent or stored. Not thread-safe.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/dispatch/dispatcher.h"

namespace vigia::alerting::dispatch {

class Rehearsal final : public AlertSink {
 public:
  // One message to one integration of a receiver.
  struct Message {
    Timestamp time = 0;
    std::string receiver;
    std::string kind;  // "webhook"
    std::string group;
    std::string reason;
    std::size_t firing = 0;  // alerts in it
    std::size_t resolved = 0;
  };
  // How often something was kept from being told.
  struct HeldBack {
    std::size_t inhibited = 0;  // alerts
    std::size_t muted = 0;      // groups
  };

  Rehearsal(std::shared_ptr<const Plan> plan, Dispatcher::Options options, Timestamp from);
  ~Rehearsal() override;

  // Does all that is due until `time`, each at its own; times never go back.
  void AdvanceTo(Timestamp time);
  // Alerts of now, that is of the last AdvanceTo().
  void Post(std::span<const Alert> alerts) override;

  const std::vector<Message>& messages() const;
  HeldBack held_back() const;

 private:
  class Desk;
  std::unique_ptr<Desk> desk_;
};

// The messages that one integration got.
struct MessageCount {
  std::size_t messages = 0;
  std::map<std::string, std::size_t> by_reason;
  // The most that came within an interval, and when the first of these did.
  struct Burst {
    std::size_t messages = 0;
    Timestamp from = 0;
  };
  Burst in_minute;
  Burst in_hour;
};

// By receiver and kind. `messages` are in the order of time.
std::map<std::pair<std::string, std::string>, MessageCount> CountMessages(
    const std::vector<Rehearsal::Message>& messages);

}  // namespace vigia::alerting::dispatch
