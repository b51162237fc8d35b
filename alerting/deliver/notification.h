// A Notification is what a receiver is to tell: one group of alerts at one moment. Plain values;
// the same notification may be delivered to several receivers, and several times to one.

#pragma once

#include <string>
#include <vector>

#include "alerting/alert.h"
#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting::deliver {

struct Notification {
  std::string receiver;   // its name in alertmanager.yml
  std::string group_key;  // Alertmanager's: {}/{severity="page"}:{alertname="Down"}
  Labels group_labels;
  Labels common_labels;
  Labels common_annotations;
  // Firing and resolved ones, in no order; ResolvedAt(now) tells which is which.
  std::vector<Alert> alerts;
  std::string external_url;  // of vigia's page, without a slash at its end
  std::string reason;        // why now: "first notification", "new alerts added", ...
  std::string delivery_id;   // the same in every attempt
  Timestamp now = 0;         // when the group was looked at; the same in every attempt
  // What the receiver's Outcome::handle said when it last delivered this group, empty at first:
  // where the message stands that an update would change.
  std::string handle;

  bool Firing() const {
    for (const Alert& alert : alerts) {
      if (!alert.ResolvedAt(now)) return true;
    }
    return false;
  }
};

// Labels and annotations that all alerts have with the same value.
Labels CommonLabels(const std::vector<Alert>& alerts);
Labels CommonAnnotations(const std::vector<Alert>& alerts);

}  // namespace vigia::alerting::deliver
