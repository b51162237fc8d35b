// A Server keeps the connections to one PostgreSQL server: one to the database that the options
// name, and one to each further database that is read; never two to the same.
//
// After a failed attempt it does not connect again for a while that doubles up to 4 s, with jitter:
// short enough that a server that came back is read at the next interval. Used by one thread at a
// time, the one that has claimed it.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "collectors/postgres/connection.h"

namespace vigia::collectors::postgres {

class Server {
 public:
  explicit Server(ConnectOptions options);

  // Has the server for a whole reading. The collectors that share it share a thread, too, until one
  // hangs: the scheduler then gives the other a new one. kTimeout: a reading went on till
  // `deadline`.
  Result<std::unique_lock<std::timed_mutex>> Claim(Deadline deadline);

  // The connection to the database that the options name; opened if there is none.
  Result<Connection*> Main(Deadline deadline);
  // The connection to `database`, after Main().
  Result<Connection*> To(const std::string& database, Deadline deadline);
  // Whether To() or Main() opened `connection` in its last call, so it cannot be a stale one.
  bool fresh() const { return fresh_; }

  // Ends the connections that are lost. `failure`: why the last reading failed; a server that does
  // not answer is not asked again at once.
  void DropDead(const Error& failure, Deadline deadline);
  // Ends all: one was found dead that had been kept, so the others are no better.
  void DropAll();
  // Ends the connections to databases other than these and the main one.
  void Retain(const std::set<std::string>& databases);

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    int failures = 0;
    Instant not_before = Instant::min();
    std::optional<Error> last_error;
  };

  Result<Connection*> Use(Slot& slot, const std::string& database, Deadline deadline);
  void NoteFailure(Slot& slot, Error error, Deadline deadline);

  const ConnectOptions options_;
  std::timed_mutex claimed_;
  Watchdog watchdog_;  // outlives the connections
  Slot main_;
  std::map<std::string, Slot> others_;
  bool fresh_ = false;
  std::minstd_rand random_;
};

}  // namespace vigia::collectors::postgres
