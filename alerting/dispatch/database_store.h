// The dispatcher's state in the state file.

#pragma once

#include "alerting/dispatch/store.h"
#include "alerting/state/database.h"
#include "alerting/state/journal.h"

namespace vigia::alerting::dispatch {

// An event as the journal has it.
state::Event JournalEvent(const Event& event);

class DatabaseStore final : public Store {
 public:
  // Makes the tables; the journal of events has made its own. `database` outlives the store. A file
  // that cannot be used leaves a store whose every Commit() fails.
  explicit DatabaseStore(state::Database& database);

  // What people typed (silences, acknowledgements) is on the disk when this returns.
  Status Commit(const Changes& changes) override;
  Result<Snapshot> Load() override;

 private:
  state::Database& database_;
  Status migrated_;
};

}  // namespace vigia::alerting::dispatch
