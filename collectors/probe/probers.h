// Probes that are a short conversation: TCP, TLS, DNS, ICMP, gRPC, WebSocket, PostgreSQL, Redis.
// Each call runs one probe in the calling thread and returns by its deadline; calls for different
// targets may run at the same time.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/postgres/connection.h"
#include "collectors/probe/module.h"
#include "collectors/probe/observation.h"
#include "collectors/probe/resolve.h"
#include "collectors/redis/connection.h"
#include "core/clock.h"

namespace vigia::collectors::probe {

// One probe that is to be made.
struct Call {
  IpChoice ip = IpChoice::kAny;
  std::string target;
  Deadline deadline;
  Trace* trace = nullptr;  // takes down what is done; may be null
};

// Adds probe_expect_info, if `step` has labels for what its expression caught.
void AddExpectInfo(const TcpStep& step, const std::vector<std::string>& groups,
                   Observation& observation);

// Connects to host:port, and holds the conversation of `module`. 0: the target has to name its
// port.
Observation ProbeTcp(const TcpModule& module, const Call& call, int default_port = 0);

// The same over the Unix socket whose path the target is; with TLS, `server_name` is the name.
Observation ProbeUnix(const TcpModule& module, const Call& call);

// Asks the DNS server host[:53], or host[:853] over TLS.
Observation ProbeDns(const DnsModule& module, const Call& call);

// Asks grpc.health.v1.Health how a service is, at host[:80], or host[:443] over TLS.
Observation ProbeGrpc(const GrpcModule& module, const Call& call);

// Makes the connection of a ws:// or wss:// URL one of WebSocket, and holds the conversation of
// `module`, in messages instead of lines.
Observation ProbeWebsocket(const WebsocketModule& module, const Call& call);
// kInvalid for what is no such URL.
Status CheckWebsocketUrl(const std::string& url);

// Sends one echo request. Needs net.ipv4.ping_group_range or CAP_NET_RAW.
Observation ProbeIcmp(const IcmpModule& module, const Call& call);

// Connects and asks for `SELECT 1`.
Observation ProbePostgres(const postgres::ConnectOptions& options, postgres::Watchdog& watchdog,
                          Deadline deadline);

// Sets a key of its own that expires by itself, reads it back and deletes it.
Observation ProbeRedis(const redis::Address& address, Deadline deadline);

// An observation to be filled in: a success until something fails.
Observation Begin(const Call& call);
// Looks `target` up for `call`, and reports how long that took. Empty, and `observation` failed,
// if there is no address.
std::vector<SocketAddress> LookUp(const HostPort& target, const Call& call,
                                  Observation& observation);
// The reason that an error stands for, where no better is known.
Reason ReasonOf(const Error& error, Reason otherwise);

}  // namespace vigia::collectors::probe
