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

// One question to one server, and how long the parts of it took.
class DnsQuery {
 public:
  DnsQuery(const DnsModule& module, std::string message, std::uint16_t id, Deadline deadline)
      : module_(module), message_(std::move(message)), id_(id), deadline_(deadline) {}

  Result<DnsAnswer> Ask(const HostPort& target, const std::vector<SocketAddress>& servers) {
    const auto& clock = deadline_.clock();
    const Instant begin = clock.Now();
    auto connected = module_.tcp ? ConnectStream(target, servers) : ConnectSocket(servers.front());
    const Instant ready = clock.Now();
    connect_seconds_ = Seconds(ready - begin);
    if (!connected) return Fail(connected.error());
    auto answer = module_.tcp ? AskStream() : AskSocket();
    request_seconds_ = Seconds(clock.Now() - ready);
    return answer;
  }

  double connect_seconds() const { return connect_seconds_; }
  double request_seconds() const { return request_seconds_; }
  const CertificateRecorder& certificate() const { return certificate_; }

 private:
  // A descriptor that closes itself.
  struct Socket {
    int number = -1;

    Socket() = default;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
      if (number >= 0) ::close(number);
    }
  };

  Status ConnectSocket(const SocketAddress& server) {
    constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    socket_.number = ::socket(server.family(), SOCK_DGRAM | kFlags, 0);
    if (socket_.number < 0) return Fail(SystemError("socket", errno));
    auto bound = BindSource(socket_.number, server.family(), module_.source_ip);
    if (!bound) return bound;
    if (::connect(socket_.number, server.get(), server.size) == 0) return Ok();
    return Fail(SystemError("connect", errno));
  }

  // Answers to others, or forged ones, are passed over until the deadline.
  Result<DnsAnswer> AskSocket() const {
    if (::send(socket_.number, message_.data(), message_.size(), MSG_NOSIGNAL) < 0) {
      return Fail(SystemError("send", errno));
    }
    std::string message(65535, '\0');
    while (true) {
      auto ready = AwaitSocket(socket_.number, POLLIN, deadline_);
      if (!ready) return Fail(ready.error());
      const ssize_t size = ::recv(socket_.number, message.data(), message.size(), 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return Fail(SystemError("recv", errno));
      auto answer = ReadDnsAnswer({message.data(), static_cast<std::size_t>(size)}, id_);
      if (answer) return answer;
    }
  }

  Status ConnectStream(const HostPort& target, const std::vector<SocketAddress>& servers) {
    auto stream = Stream::Connect(servers, module_.source_ip, deadline_);
    if (!stream) return Fail(stream.error());
    stream_ = *std::move(stream);
    if (!module_.tls) return Ok();
    return stream_->StartTls(module_.tls_options, target.host, certificate_, deadline_);
  }

  Result<DnsAnswer> AskStream() const {
    std::string framed{static_cast<char>(message_.size() >> 8),
                       static_cast<char>(message_.size() & 255)};
    framed += message_;
    if (auto status = stream_->Write(framed, deadline_); !status) return Fail(status.error());
    const auto length = stream_->ReadExactly(2, deadline_);
    if (!length) return Fail(length.error());
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>((*length)[0]))
                                 << 8 |
                             static_cast<unsigned char>((*length)[1]);
    const auto message = stream_->ReadExactly(size, deadline_);
    if (!message) return Fail(message.error());
    return ReadDnsAnswer(*message, id_);
  }

  const DnsModule& module_;
  const std::string message_;
  const std::uint16_t id_;
  const Deadline deadline_;
  Socket socket_;  // of UDP
  std::unique_ptr<Stream> stream_;
  CertificateRecorder certificate_;
  double connect_seconds_ = 0;
  double request_seconds_ = 0;
};

// As blackbox_exporter judges them; only `all_bad` does here what its name says, while there a
// record that does not match fails the probe.
void CheckRecords(const RecordRules& rules, const std::vector<std::string>& records,
                  std::string_view section, Observation& observation) {
  const auto fails = [&](std::string_view what, const std::string& about) {
    observation.FailWith(Reason::kAnswer,
                         std::string(section) + ": " + std::string(what) + " '" + about + "'");
  };
  bool all = !rules.all_bad.empty() && !records.empty();
  bool any = false;
  for (const auto& record : records) {
    for (const auto& pattern : rules.bad) {
      if (pattern.Found(record)) fails("a record matches", pattern.expression());
    }
    for (const auto& pattern : rules.good) {
      if (!pattern.Found(record)) fails("a record does not match", pattern.expression());
    }
    for (const auto& pattern : rules.all_bad) all = all && pattern.Found(record);
    for (const auto& pattern : rules.none_bad) any = any || pattern.Found(record);
  }
  if (records.empty() && !rules.good.empty()) {
    fails("there is no record to match", rules.good.front().expression());
  }
  if (all) fails("all records match", rules.all_bad.front().expression());
  if (!rules.none_bad.empty() && !any) {
    fails("no record matches", rules.none_bad.front().expression());
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

void ReportRecords(const DnsModule& module, const DnsAnswer& answer, Observation& observation) {
  for (std::size_t section = 0; section < answer.records.size(); ++section) {
    for (const auto& record : answer.records[section]) {
      observation.Note("record", {{"section", std::to_string(section)}, {"record", record}});
    }
  }
  constexpr std::uint16_t kSoa = 6;
  if (answer.serial && module.type == kSoa) observation.Add(kDnsSerial, *answer.serial);
}

void Run(const DnsModule& module, const Call& call, Observation& observation) {
  const auto target = ParseHostPort(call.target, module.tls ? 853 : 53);
  if (!target) return observation.FailWith(Reason::kOther, target.error().message());
  std::random_device random;
  const auto id = static_cast<std::uint16_t>(random());
  auto message =
      WriteDnsQuery({module.name, module.type, module.dns_class, module.recursion_desired}, id);
  if (!message) return observation.FailWith(Reason::kOther, message.error().message());

  const auto& clock = call.deadline.clock();
  const Instant begin = clock.Now();
  const auto servers = LookUp(*target, call, observation);
  observation.Add(kDnsDuration, "phase", "resolve", Seconds(clock.Now() - begin));
  if (servers.empty()) return;
  ReportAddress(servers.front().Text(), observation);
  DnsQuery query(module, *std::move(message), id, call.deadline);
  const auto answer = query.Ask(*target, servers);
  observation.Add(kDnsDuration, "phase", "connect", query.connect_seconds());
  observation.Add(kDnsDuration, "phase", "request", query.request_seconds());
  observation.Add(kDnsSucceeded, answer ? 1 : 0);
  const auto records = [&](std::size_t section) {
    return answer ? static_cast<double>(answer->records[section].size()) : 0;
  };
  observation.Add(kDnsAnswers, records(0));
  observation.Add(kDnsAuthorities, records(1));
  observation.Add(kDnsAdditionals, records(2));
  query.certificate().Report(true, observation);
  if (!answer) {
    return observation.FailWith(ReasonOf(answer.error(), Reason::kConnect),
                                answer.error().message());
  }
  ReportRecords(module, *answer, observation);
  CheckAnswer(module, *answer, observation);
}

}  // namespace

Observation ProbeDns(const DnsModule& module, const Call& call) {
  auto observation = Begin(call);
  const Instant begin = call.deadline.clock().Now();
  Run(module, call, observation);
  observation.duration_seconds = Seconds(call.deadline.clock().Now() - begin);
  return observation;
}

}  // namespace vigia::collectors::probe
