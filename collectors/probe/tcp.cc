// TCP and TLS probes: connect, send and expect, STARTTLS.

#include "collectors/probe/probers.h"
#include "collectors/probe/resolve.h"
#include "collectors/probe/stream.h"

namespace vigia::collectors::probe {
namespace {

class TcpProbe {
 public:
  TcpProbe(const TcpModule& module, const Call& call, Observation& observation)
      : module_(module), call_(call), deadline_(call.deadline), observation_(observation) {}

  void Run(int default_port) {
    const auto target = ParseHostPort(call_.target, default_port);
    if (!target) return observation_.FailWith(Reason::kOther, target.error().message());
    host_ = target->host;
    if (Connect(*target)) Converse();
  }

  // The same over the socket of that path.
  void RunUnix() {
    auto stream = Stream::ConnectUnix(call_.target, deadline_);
    if (!stream) {
      return observation_.FailWith(ReasonOf(stream.error(), Reason::kConnect),
                                   stream.error().message());
    }
    observation_.Note("connected", {{"path", call_.target}});
    stream_ = *std::move(stream);
    Converse();
  }

  bool failed_regex() const { return failed_regex_; }
  bool failed_bytes() const { return failed_bytes_; }

 private:
  void Converse() {
    bool accepted = true;
    if (module_.tls) accepted = StartTls();
    for (std::size_t i = 0; accepted && i < module_.steps.size(); ++i) {
      const auto& step = module_.steps[i];
      if (!Expect(step) || !ExpectBytes(step) || !Send(step)) break;
      if (step.starttls) accepted = StartTls();
    }
    certificate_.Report(accepted, observation_);
  }

  bool Connect(const HostPort& target) {
    const auto addresses = LookUp(target, call_, observation_);
    if (addresses.empty()) return false;
    auto stream = Stream::Connect(addresses, module_.source_ip, deadline_);
    ReportAddress((stream ? (*stream)->address() : addresses.front()).Text(), observation_);
    if (!stream) {
      observation_.FailWith(ReasonOf(stream.error(), Reason::kConnect), stream.error().message());
      return false;
    }
    observation_.Note("connected", {{"address", (*stream)->address().Text()}});
    stream_ = *std::move(stream);
    return true;
  }

  bool StartTls() {
    auto status = stream_->StartTls(module_.tls_options, host_, certificate_, deadline_);
    if (!status) {
      observation_.FailWith(ReasonOf(status.error(), Reason::kTls), status.error().message());
    } else {
      observation_.Note("TLS is in use");
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
      observation_.Note("read a line", {{"line", *line}});
      if (!pattern.Find(*line, groups_)) continue;
      observation_.Note("it matches", {{"regexp", pattern.expression()}});
      AddExpectInfo(step, groups_, observation_);
      return true;
    }
  }

  bool ExpectBytes(const TcpStep& step) {
    if (step.expect_bytes.empty()) return true;
    const auto bytes = stream_->ReadExactly(step.expect_bytes.size(), deadline_);
    failed_bytes_ = bytes && *bytes != step.expect_bytes;
    if (!bytes) {
      observation_.FailWith(ReasonOf(bytes.error(), Reason::kAnswer), bytes.error().message());
    } else if (failed_bytes_) {
      observation_.FailWith(Reason::kAnswer, "other bytes than expect_bytes");
    }
    return bytes && !failed_bytes_;
  }

  bool Send(const TcpStep& step) {
    if (step.send.empty()) return true;
    const auto line = Expand(step.send, groups_);
    observation_.Note("sending a line", {{"line", line}});
    // What holds a zero byte is no line: it goes out as it is.
    const bool binary = line.find('\0') != line.npos;
    auto status = stream_->Write(binary ? line : line + "\n", deadline_);
    if (!status) {
      observation_.FailWith(ReasonOf(status.error(), Reason::kConnection),
                            status.error().message());
    }
    return status.has_value();
  }

  const TcpModule& module_;
  const Call& call_;
  const Deadline deadline_;
  Observation& observation_;
  std::string host_;
  std::unique_ptr<Stream> stream_;
  CertificateRecorder certificate_;
  std::vector<std::string> groups_;
  bool failed_regex_ = false;
  bool failed_bytes_ = false;
};

}  // namespace

Observation Begin(const Call& call) {
  Observation observation;
  observation.success = true;
  observation.trace = call.trace;
  return observation;
}

std::vector<SocketAddress> LookUp(const HostPort& target, const Call& call,
                                  Observation& observation) {
  const auto& clock = call.deadline.clock();
  const Instant begin = clock.Now();
  auto addresses = Resolve(target, call.ip, call.deadline);
  const auto took = std::chrono::duration<double>(clock.Now() - begin).count();
  observation.Add(kDnsLookup, took);
  if (addresses) {
    observation.Note("looked up", {{"host", target.host}, {"address", addresses->front().Text()}});
    return *std::move(addresses);
  }
  observation.FailWith(ReasonOf(addresses.error(), Reason::kDns), addresses.error().message());
  return {};
}

void AddExpectInfo(const TcpStep& step, const std::vector<std::string>& groups,
                   Observation& observation) {
  if (step.labels.empty()) return;
  Observation::Value info{kExpectInfo, 1, {}};
  for (const auto& [name, value] : step.labels) {
    info.labels.emplace_back(name, Expand(value, groups));
  }
  observation.values.push_back(std::move(info));
}

Reason ReasonOf(const Error& error, Reason otherwise) {
  return error.code() == ErrorCode::kTimeout ? Reason::kTimeout : otherwise;
}

namespace {

template <typename Run>
Observation Observe(const TcpModule& module, const Call& call, Run run) {
  auto observation = Begin(call);
  const auto& clock = call.deadline.clock();
  const Instant begin = clock.Now();
  TcpProbe probe(module, call, observation);
  run(probe);
  observation.Add(kFailedRegex, probe.failed_regex() ? 1 : 0);
  observation.Add(kFailedBytes, probe.failed_bytes() ? 1 : 0);
  observation.duration_seconds = std::chrono::duration<double>(clock.Now() - begin).count();
  return observation;
}

}  // namespace

Observation ProbeTcp(const TcpModule& module, const Call& call, int default_port) {
  return Observe(module, call, [&](TcpProbe& probe) { probe.Run(default_port); });
}

Observation ProbeUnix(const TcpModule& module, const Call& call) {
  return Observe(module, call, [](TcpProbe& probe) { probe.RunUnix(); });
}

}  // namespace vigia::collectors::probe
