// What is watched where nobody wrote a vigia.yml: beside the host, a PostgreSQL on the local socket
// and a Redis on this machine, if they are there and let us in.

#pragma once

#include "exporter/config/config.h"

namespace vigia::exporter {

// Looks for them, for a few seconds at most, adds collectors for what it finds, and logs one line
// for each: what was found, or what was tried.
//
// PostgreSQL: where PGHOST, PGPORT and the other PG* variables say, else each socket in
// /run/postgresql and /tmp; as PGUSER or the user of this process, with a password from
// PGPASSWORD or ~/.pgpass. Redis: where REDIS_URL says, else 127.0.0.1:6379 and the sockets that
// distributions use.
void AddDiscovered(Config& config);

}  // namespace vigia::exporter
