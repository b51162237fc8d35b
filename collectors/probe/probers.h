// Probes that are a short conversation: TCP, TLS, DNS, ICMP, PostgreSQL, Redis. Each call runs one
// probe in the calling thread and returns by its deadline; calls for different targets may run at
// the same time.

#pragma once

#include <memory>
#include <string>

#include "collectors/postgres/connection.h"
#include "collectors/probe/module.h"
#include "collectors/probe/observation.h"
#include "collectors/redis/connection.h"
#include "core/clock.h"

namespace vigia::collectors::probe {

// Connects to host:port, and holds the conversation of `module`.
Observation ProbeTcp(const TcpModule& module, IpChoice ip, const std::string& target,
                     Deadline deadline);

// Asks the DNS server host[:53].
Observation ProbeDns(const DnsModule& module, IpChoice ip, const std::string& target,
                     Deadline deadline);

// Sends one echo request. Needs net.ipv4.ping_group_range or CAP_NET_RAW.
Observation ProbeIcmp(const IcmpModule& module, IpChoice ip, const std::string& target,
                      Deadline deadline);

// Connects and asks for `SELECT 1`.
Observation ProbePostgres(const postgres::ConnectOptions& options, postgres::Watchdog& watchdog,
                          Deadline deadline);

// Sets a key of its own that expires by itself, reads it back and deletes it.
Observation ProbeRedis(const redis::Address& address, Deadline deadline);

// The reason that an error stands for, where no better is known.
Reason ReasonOf(const Error& error, Reason otherwise);

}  // namespace vigia::collectors::probe
