// PostgreSQL and Redis as health checks: not how they are, but whether they serve.

#include <random>

#include "collectors/probe/probers.h"
#include "core/redact.h"

namespace vigia::collectors::probe {
namespace {

void FailWith(const Error& error, Reason otherwise, Observation& observation) {
  observation.FailWith(ReasonOf(error, otherwise), Redact(error.message()));
}

std::string RandomText() {
  std::random_device random;
  return std::to_string(random()) + std::to_string(random());
}

void SetGetDelete(redis::Connection& connection, Deadline deadline, Observation& observation) {
  const std::string key = "vigia:health:" + RandomText();
  const std::string value = RandomText();
  // It ends by itself should we be cut off before the DEL.
  const std::vector<redis::Command> commands{
      {"SET", key, value, "PX", "60000"}, {"GET", key}, {"DEL", key}};
  const auto replies = connection.Run(commands, deadline);
  if (!replies) return FailWith(replies.error(), Reason::kConnection, observation);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if ((*replies)[i].IsError()) {
      return observation.FailWith(Reason::kAnswer, commands[i][0] + ": " + (*replies)[i].text);
    }
  }
  if ((*replies)[1].text != value) observation.FailWith(Reason::kAnswer, "GET: another value");
}

}  // namespace

Observation ProbePostgres(const postgres::ConnectOptions& options, postgres::Watchdog& watchdog,
                          Deadline deadline) {
  Observation observation;
  observation.success = true;
  const Instant begin = deadline.clock().Now();
  const auto connection = postgres::Connection::Open(options, "", watchdog, deadline);
  if (!connection) {
    FailWith(connection.error(), Reason::kConnect, observation);
  } else if (const auto rows = (*connection)->Query("health", "SELECT 1", deadline); !rows) {
    FailWith(rows.error(), Reason::kAnswer, observation);
  }
  observation.duration_seconds =
      std::chrono::duration<double>(deadline.clock().Now() - begin).count();
  return observation;
}

Observation ProbeRedis(const redis::Address& address, Deadline deadline) {
  Observation observation;
  observation.success = true;
  const Instant begin = deadline.clock().Now();
  const auto connection = redis::Connection::Open(address, deadline);
  if (connection) {
    SetGetDelete(**connection, deadline, observation);
  } else {
    FailWith(connection.error(), Reason::kConnect, observation);
  }
  observation.duration_seconds =
      std::chrono::duration<double>(deadline.clock().Now() - begin).count();
  return observation;
}

}  // namespace vigia::collectors::probe
