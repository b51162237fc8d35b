// What people declare: deploys, and maintenance in which nothing is learnt. Kept in the event
// journal. Thread-safe.

#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "alerting/state/journal.h"
#include "core/clock.h"

namespace vigia::exporter {

struct Deploy {
  Timestamp time = 0;
  std::string version;
  std::string text;
  std::string by;  // who said so; empty for nobody who authenticated
};

struct Maintenance {
  Timestamp start = 0;
  Timestamp end = 0;
  std::string text;
  std::string by;
};

class Marks {
 public:
  // Older ones are forgotten here; the journal has them as long as it keeps events.
  static constexpr std::size_t kMost = 50;

  explicit Marks(alerting::state::Journal& journal) : journal_(journal) {}

  // Reads what the journal has.
  Status Load();
  // In the journal once it returns; an error says that they are known, but would not survive the
  // process.
  Status Add(Deploy deploy);
  Status Add(Maintenance maintenance);

  bool InMaintenance(Timestamp now) const;
  // Newest first.
  std::vector<Deploy> Deploys() const;
  std::vector<Maintenance> Maintenances() const;
  // The last deploy in the time before `time`, else the first one a little after it: what changes
  // with a deploy may be seen before somebody declares it.
  std::optional<Deploy> DeployNear(Timestamp time) const;

 private:
  alerting::state::Journal& journal_;
  mutable std::mutex mutex_;
  // Guarded by mutex_; newest first.
  std::vector<Deploy> deploys_;
  std::vector<Maintenance> maintenances_;
};

}  // namespace vigia::exporter
