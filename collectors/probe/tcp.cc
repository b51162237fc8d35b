// TCP and TLS probes: connect, send and expect, STARTTLS.

#include "collectors/probe/probers.h"
#include "collectors/probe/resolve.h"
#include "collectors/probe/stream.h"

namespace vigia::collectors::probe {
namespace {

class TcpProbe {
 public:
  TcpProbe(const TcpModule& module, IpChoice ip, Deadline deadline, Observation& observation)
      : module_(module), ip_(ip), deadline_(deadline), observation_(observation) {}

  void Run(const std::string& text) {
    const auto target = ParseHostPort(text);
    if (!target) return observation_.FailWith(Reason::kOther, target.error().message());
    host_ = target->host;
    if (!Connect(*target)) return;
    bool accepted = true;
    if (module_.tls) accepted = StartTls();
    for (std::size_t i = 0; accepted && i < module_.steps.size(); ++i) {
      const auto& step = module_.steps[i];
      if (!Expect(step) || !Send(step)) break;
      if (step.starttls) accepted = StartTls();
    }
    certificate_.Report(accepted, observation_);
  }

  bool failed_regex() const { return failed_regex_; }

 private:
  bool Connect(const HostPort& target) {
    const Instant begin = deadline_.clock().Now();
    const auto addresses = Resolve(target, ip_, deadline_);
    const auto took = deadline_.clock().Now() - begin;
    observation_.Add(kDnsLookup, std::chrono::duration<double>(took).count());
    if (!addresses) {
      observation_.FailWith(ReasonOf(addresses.error(), Reason::kDns), addresses.error().message());
      return false;
    }
    auto stream = Stream::Connect(*addresses, deadline_);
    const auto address = (stream ? (*stream)->address() : addresses->front()).Text();
    observation_.Add(kIpProtocol, AddressFamily(address));
    observation_.Add(kIpAddrHash, AddressHash(address));
    if (!stream) {
      observation_.FailWith(ReasonOf(stream.error(), Reason::kConnect), stream.error().message());
      return false;
    }
    stream_ = *std::move(stream);
    return true;
  }

  bool StartTls() {
    auto status = stream_->StartTls(module_.tls_options, host_, certificate_, deadline_);
    if (!status) {
      observation_.FailWith(ReasonOf(status.error(), Reason::kTls), status.error().message());
    }
    return status.has_value();
  }

  // Reads lines until one matches.
  bool Expect(const TcpStep& step) {
    if (step.expect.empty()) return true;
    const auto& pattern = step.expect.front();
    while (true) {
      const auto line = stream_->ReadLine(deadline_);
      if (!line) {
        failed_regex_ = true;
        observation_.FailWith(ReasonOf(line.error(), Reason::kAnswer),
                              "no line matches '" + pattern.expression() + "'");
        return false;
      }
      if (!pattern.Find(*line, groups_)) continue;
      if (!step.labels.empty()) {
        Observation::Value info{kExpectInfo, 1, {}};
        for (const auto& [name, value] : step.labels) {
          info.labels.emplace_back(name, Expand(value, groups_));
        }
        observation_.values.push_back(std::move(info));
      }
      return true;
    }
  }

  bool Send(const TcpStep& step) {
    if (step.send.empty()) return true;
    auto status = stream_->Write(Expand(step.send, groups_) + "\n", deadline_);
    if (!status) {
      observation_.FailWith(ReasonOf(status.error(), Reason::kConnection),
                            status.error().message());
    }
    return status.has_value();
  }

  const TcpModule& module_;
  const IpChoice ip_;
  const Deadline deadline_;
  Observation& observation_;
  std::string host_;
  std::unique_ptr<Stream> stream_;
  CertificateRecorder certificate_;
  std::vector<std::string> groups_;
  bool failed_regex_ = false;
};

}  // namespace

Reason ReasonOf(const Error& error, Reason otherwise) {
  return error.code() == ErrorCode::kTimeout ? Reason::kTimeout : otherwise;
}

Observation ProbeTcp(const TcpModule& module, IpChoice ip, const std::string& target,
                     Deadline deadline) {
  Observation observation;
  observation.success = true;
  const Instant begin = deadline.clock().Now();
  TcpProbe probe(module, ip, deadline, observation);
  probe.Run(target);
  observation.Add(kFailedRegex, probe.failed_regex() ? 1 : 0);
  observation.duration_seconds =
      std::chrono::duration<double>(deadline.clock().Now() - begin).count();
  return observation;
}

}  // namespace vigia::collectors::probe
