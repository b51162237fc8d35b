// A Receiver tells one notification to one place: a webhook, a chat, a pager.
//
// It makes one attempt and says how it went; when to try again, how fast to send and what becomes
// of the undeliverable is its caller's part. What it sends fits the limits of its channel: the
// most severe alerts first, the rest counted.
//
// A kind of receiver is one file and one line in receivers.def; it reads its own options, with
// Alertmanager's keys where Alertmanager has that receiver.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/deliver/notification.h"
#include "core/clock.h"
#include "core/config/reader.h"
#include "core/result.h"

namespace vigia::alerting::templates {
class TemplateSet;
}

namespace vigia::alerting::deliver {

// How an attempt went.
struct Outcome {
  enum class Kind {
    kDelivered,
    kRetry,     // not now: network, overload, a timeout; the same attempt may work later
    kRejected,  // never: the other side understood and refused
  };

  Kind kind = Kind::kDelivered;
  // What the other side said, for people; without secrets.
  std::string message;
  // kRetry: not before this has passed, if the other side said so.
  std::optional<Milliseconds> retry_after;
  // kDelivered: to be given back in Notification::handle for the next delivery of this group to
  // this receiver; empty: forget it.
  std::string handle;
};

class Receiver {
 public:
  virtual ~Receiver() = default;

  // One attempt, over by `deadline`. Thread-safe: several may be under way at once.
  virtual Outcome Deliver(const Notification& notification, Deadline deadline) = 0;

  // The process ends: attempts that still fetch what they need for telling anybody end soon, those
  // that tell go on. Thread-safe.
  virtual void Interrupt() {}

  // What Deliver() would send, for people: requests or mails as text, without secrets.
  virtual Result<std::string> Render(const Notification& notification) = 0;

  // Whether a group is told of that has only resolved alerts, and whether resolved ones are
  // listed beside firing ones.
  virtual bool send_resolved() const = 0;

  // How many messages the channel takes: the default of the caller's token bucket.
  struct Pace {
    double per_second = 10;
    double burst = 20;
  };
  virtual Pace pace() const { return {}; }
};

// What a kind of receiver is given to make one.
struct ReceiverInput {
  config::MapReader& options;    // an entry of "<kind>_configs"; the kind calls Finish()
  const config::Node& global;    // the `global:` map, for defaults; null if there is none
  std::filesystem::path folder;  // where relative paths are taken from
  // Named templates of the files under `templates:`, and the default ones.
  std::shared_ptr<const templates::TemplateSet> templates;
  Clock& clock;
};

// nullptr if a fault was reported.
using ReceiverFactory = std::unique_ptr<Receiver> (*)(const ReceiverInput& input);

struct ReceiverKind {
  std::string_view key;      // in a receiver: "webhook_configs"
  std::string_view globals;  // the keys of `global:` that it reads, by spaces
  ReceiverFactory make;
};

// All kinds, from receivers.def.
std::span<const ReceiverKind> ReceiverKinds();

// Reads all "<kind>_configs" lists of one receiver of alertmanager.yml, in the file's order of
// kinds; the caller reads `name` and calls Finish().
std::vector<std::unique_ptr<Receiver>> ReadReceiver(
    config::MapReader& receiver, const config::Node& global, const std::filesystem::path& folder,
    const std::shared_ptr<const templates::TemplateSet>& templates, Clock& clock);

// Tells `global` that the keys which receivers read are known: for the caller's Finish().
void ClaimGlobals(config::MapReader& global);

}  // namespace vigia::alerting::deliver
