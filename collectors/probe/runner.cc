#include "collectors/probe/runner.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "collectors/probe/probers.h"

namespace vigia::collectors::probe {
namespace {

// Of what is no HTTP; PostgreSQL and Redis need more than a module and a name.
Observation ProbePlain(const Module& module, const Call& call) {
  switch (module.prober) {
    case ProberKind::kDns:
      return ProbeDns(module.dns, call);
    case ProberKind::kUnix:
      return ProbeUnix(module.tcp, call);
    case ProberKind::kGrpc:
      return ProbeGrpc(module.grpc, call);
    case ProberKind::kWebsocket:
      return ProbeWebsocket(module.websocket, call);
    case ProberKind::kIcmp:
      return ProbeIcmp(module.icmp, call);
    case ProberKind::kTls: {
      TcpModule tls = module.tcp;
      tls.tls = true;
      return ProbeTcp(tls, call, 443);
    }
    default:
      return ProbeTcp(module.tcp, call);
  }
}

}  // namespace

Runner::Runner(std::size_t concurrency) : concurrency_(concurrency), http_(concurrency) {}

Runner::~Runner() = default;

std::vector<Observation> Runner::Run(std::span<const Target> targets, Deadline deadline) {
  std::vector<HttpJob> jobs;
  std::vector<std::size_t> places;
  watchdogs_.resize(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& target = targets[i];
    if (target.module.prober == ProberKind::kPostgres && !watchdogs_[i]) {
      watchdogs_[i] = std::make_unique<postgres::Watchdog>();
    }
    if (target.module.prober != ProberKind::kHttp) continue;
    jobs.push_back(
        {&target.module.http, target.module.ip, target.address, target.module.timeout, {}});
    places.push_back(i);
  }
  std::vector<Observation> observations(targets.size());
  std::atomic<std::size_t> next = 0;
  const auto converse = [&] {
    for (std::size_t i = next++; i < targets.size(); i = next++) {
      if (targets[i].module.prober == ProberKind::kHttp) continue;
      observations[i] = Converse(targets[i], i, deadline);
    }
  };
  const std::size_t conversations = targets.size() - jobs.size();
  std::vector<std::jthread> threads;
  const bool alone = conversations == 1 && jobs.empty();
  if (alone) converse();
  for (std::size_t i = 0; !alone && i < std::min(conversations, concurrency_); ++i) {
    threads.emplace_back(converse);
  }
  auto answers = http_.Run(jobs, deadline);
  threads.clear();  // waits for them
  for (std::size_t i = 0; i < answers.size(); ++i) observations[places[i]] = std::move(answers[i]);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    observations[i].timeout = targets[i].module.timeout;
  }
  return observations;
}

Observation Runner::Converse(const Target& target, std::size_t index, Deadline deadline) {
  Observation observation;
  if (deadline.Passed()) {
    observation.FailWith(Reason::kTimeout, "its turn did not come");
    return observation;
  }
  const auto& module = target.module;
  const auto own = Deadline::After(deadline.clock(), module.timeout);
  const Deadline until = own.at() < deadline.at() ? own : deadline;
  if (module.prober == ProberKind::kRedis) return ProbeRedis(target.redis, until);
  if (module.prober == ProberKind::kPostgres) {
    return ProbePostgres(target.postgres, *watchdogs_[index], until);
  }
  return ProbePlain(module, {module.ip, target.address, until});
}

Observation ProbeOnce(const Module& module, const Call& call,
                      const std::function<bool(const std::string&)>& allow_redirect) {
  if (module.prober != ProberKind::kHttp) {
    return ProbePlain(module, {module.ip, call.target, call.deadline, call.trace});
  }
  const auto& target = call.target;
  const bool has_scheme = target.starts_with("http://") || target.starts_with("https://");
  const HttpJob job{&module.http,         module.ip,      has_scheme ? target : "http://" + target,
                    call.deadline.Left(), allow_redirect, call.trace};
  return std::move(HttpProber(1).Run(std::span(&job, 1), call.deadline).front());
}

}  // namespace vigia::collectors::probe
