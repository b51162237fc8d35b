// Keeps alert instances in the state file, so that they survive the process: since when each is
// pending, firing, kept firing or resolved. All that one evaluation of a group changed is one
// transaction, the transitions in the event journal among it.
//
// While the file cannot be written, changes wait in memory, the latest of each alert, and go along
// with the next evaluation that finds it writable. Thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "alerting/rules/group.h"
#include "alerting/state/database.h"
#include "alerting/state/journal.h"

namespace vigia::alerting::rules {

class AlertStore final : public ChangeSink {
 public:
  struct Stored {
    std::string group;
    std::string rule;
    AlertInstance instance;
  };

  // `database` outlives the store; the journal is that of the same file, and open.
  AlertStore(state::Database& database, const state::Journal&) : database_(database) {}
  // Makes the tables. After an error the store works all the same, from memory.
  Status Open();

  // What the file holds.
  Result<std::vector<Stored>> Load();
  // When anything was evaluated last before this process, to half a minute; 0 if nobody knows.
  Timestamp LastEvaluation();
  // Forgets alerts whose rules are no more.
  Status Remove(const std::vector<Stored>& alerts);

  // Also without changes: what waits is tried again.
  void Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) override;

  // The time of an evaluation is not noted before `time`: until a look-back has passed since the
  // start, what was there before the stop may still come, and the older note stands.
  void NoteFrom(Timestamp time) { note_from_ = time; }

  // Tries what waits; before the end of the process.
  void Flush() { Store({}, 0, {}); }

  // Changes that wait for the file to be writable.
  std::size_t waiting() const;
  // Transitions that were too many to wait.
  std::uint64_t events_lost() const;

 private:
  using Key = std::tuple<std::string, std::string, Labels>;  // group, rule, alert
  struct Row {
    AlertInstance instance;
    bool removed = false;
  };
  struct Batch {
    std::map<Key, Row> rows;
    std::vector<state::Event> events;
  };
  struct Evaluated {
    const std::string& group;
    Timestamp time = 0;
    std::vector<RuleChange> changes;
    bool note = false;  // the time is to be written, too
  };

  // `before` is what waited for this.
  Status Write(const Evaluated& now, const Batch& before);
  void Postpone(Evaluated now, Batch before);

  state::Database& database_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Batch waiting_;
  std::uint64_t events_lost_ = 0;
  bool failing_ = false;
  Timestamp note_from_ = 1;  // constant once evaluations have begun
  Timestamp noted_ = 0;      // the last evaluation that was written down
};

}  // namespace vigia::alerting::rules
