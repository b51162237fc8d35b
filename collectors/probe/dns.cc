// DNS probes: one query over UDP or TCP, and what its answer has to say.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "collectors/probe/dns_message.h"
#include "collectors/probe/probers.h"
#include "collectors/probe/resolve.h"
#include "collectors/probe/stream.h"

namespace vigia::collectors::probe {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Answers to others, or forged ones, are passed over until the deadline.
Result<DnsAnswer> AskOverUdp(const std::string& query, std::uint16_t id,
                             const SocketAddress& server, Deadline deadline) {
  const int socket = ::socket(server.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return Fail(SystemError("socket", errno));
  const auto ask = [&]() -> Result<DnsAnswer> {
    if (::connect(socket, server.get(), server.size) != 0) {
      return Fail(SystemError("connect", errno));
    }
    if (::send(socket, query.data(), query.size(), MSG_NOSIGNAL) < 0) {
      return Fail(SystemError("send", errno));
    }
    std::string message(65535, '\0');
    while (true) {
      if (auto ready = AwaitSocket(socket, POLLIN, deadline); !ready) return Fail(ready.error());
      const ssize_t size = ::recv(socket, message.data(), message.size(), 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return Fail(SystemError("recv", errno));
      auto answer = ReadDnsAnswer({message.data(), static_cast<std::size_t>(size)}, id);
      if (answer) return answer;
    }
  };
  auto answer = ask();
  ::close(socket);
  return answer;
}

Result<DnsAnswer> AskOverTcp(const std::string& query, std::uint16_t id,
                             const std::vector<SocketAddress>& servers, Deadline deadline) {
  auto stream = Stream::Connect(servers, deadline);
  if (!stream) return Fail(stream.error());
  std::string framed{static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 255)};
  framed += query;
  if (auto status = (*stream)->Write(framed, deadline); !status) return Fail(status.error());
  const auto length = (*stream)->ReadExactly(2, deadline);
  if (!length) return Fail(length.error());
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>((*length)[0])) << 8 |
                           static_cast<unsigned char>((*length)[1]);
  const auto message = (*stream)->ReadExactly(size, deadline);
  if (!message) return Fail(message.error());
  return ReadDnsAnswer(*message, id);
}

void CheckRecords(const RecordRules& rules, const std::vector<std::string>& records,
                  std::string_view section, Observation& observation) {
  const auto fails = [&](const Pattern& pattern, std::string_view what) {
    observation.FailWith(Reason::kAnswer, std::string(section) + ": " + std::string(what) + " '" +
                                              pattern.expression() + "'");
  };
  const auto count = [&](const Pattern& pattern) {
    return static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(),
                      [&](const std::string& record) { return pattern.Found(record); }));
  };
  for (const auto& pattern : rules.bad) {
    if (count(pattern) > 0) fails(pattern, "a record matches");
  }
  for (const auto& pattern : rules.all_bad) {
    if (!records.empty() && count(pattern) == records.size()) fails(pattern, "all records match");
  }
  for (const auto& pattern : rules.good) {
    if (count(pattern) < records.size()) fails(pattern, "a record does not match");
  }
  for (const auto& pattern : rules.none_bad) {
    if (count(pattern) == 0) fails(pattern, "no record matches");
  }
}

void CheckAnswer(const DnsModule& module, const DnsAnswer& answer, Observation& observation) {
  const auto& valid = module.valid_rcodes;
  const bool fine = valid.empty()
                        ? answer.rcode == 0
                        : std::find(valid.begin(), valid.end(), answer.rcode) != valid.end();
  if (!fine) {
    observation.FailWith(Reason::kAnswer, "response code " + std::to_string(answer.rcode));
  }
  CheckRecords(module.answer, answer.records[0], "answer", observation);
  CheckRecords(module.authority, answer.records[1], "authority", observation);
  CheckRecords(module.additional, answer.records[2], "additional", observation);
}

void Run(const DnsModule& module, IpChoice ip, const std::string& text, Deadline deadline,
         Observation& observation) {
  const auto target = ParseHostPort(text, 53);
  if (!target) return observation.FailWith(Reason::kOther, target.error().message());
  std::random_device random;
  const auto id = static_cast<std::uint16_t>(random());
  const auto query =
      WriteDnsQuery({module.name, module.type, module.dns_class, module.recursion_desired}, id);
  if (!query) return observation.FailWith(Reason::kOther, query.error().message());

  const auto& clock = deadline.clock();
  const Instant begin = clock.Now();
  const auto servers = Resolve(*target, ip, deadline);
  const Instant resolved = clock.Now();
  observation.Add(kDnsLookup, Seconds(resolved - begin));
  observation.Add(kDnsDuration, "phase", "resolve", Seconds(resolved - begin));
  if (!servers) {
    return observation.FailWith(ReasonOf(servers.error(), Reason::kDns), servers.error().message());
  }
  const auto address = servers->front().Text();
  observation.Add(kIpProtocol, AddressFamily(address));
  observation.Add(kIpAddrHash, AddressHash(address));
  const auto answer = module.tcp ? AskOverTcp(*query, id, *servers, deadline)
                                 : AskOverUdp(*query, id, servers->front(), deadline);
  observation.Add(kDnsDuration, "phase", "connect", 0);
  observation.Add(kDnsDuration, "phase", "request", Seconds(clock.Now() - resolved));
  observation.Add(kDnsSucceeded, answer ? 1 : 0);
  const auto records = [&](std::size_t section) {
    return answer ? static_cast<double>(answer->records[section].size()) : 0;
  };
  observation.Add(kDnsAnswers, records(0));
  observation.Add(kDnsAuthorities, records(1));
  observation.Add(kDnsAdditionals, records(2));
  if (!answer) {
    return observation.FailWith(ReasonOf(answer.error(), Reason::kConnect),
                                answer.error().message());
  }
  if (answer->serial && module.type == 6) observation.Add(kDnsSerial, *answer->serial);
  CheckAnswer(module, *answer, observation);
}

}  // namespace

Observation ProbeDns(const DnsModule& module, IpChoice ip, const std::string& target,
                     Deadline deadline) {
  Observation observation;
  observation.success = true;
  const Instant begin = deadline.clock().Now();
  Run(module, ip, target, deadline, observation);
  observation.duration_seconds = Seconds(deadline.clock().Now() - begin);
  return observation;
}

}  // namespace vigia::collectors::probe
