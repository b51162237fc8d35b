// A Runner probes many targets at once: HTTP in the calling thread by curl's multi interface, the
// other kinds in threads that last for the run. Used by one thread at a time.

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectors/probe/http.h"
#include "collectors/probe/observation.h"
#include "collectors/probe/probers.h"
#include "collectors/probe/target.h"

namespace vigia::collectors::probe {

class Runner {
 public:
  // At most `concurrency` HTTP probes at a time, and as many of all others together.
  explicit Runner(std::size_t concurrency);
  ~Runner();

  // One observation per target, in their order, by `deadline`. The targets are the same at every
  // call.
  std::vector<Observation> Run(std::span<const Target> targets, Deadline deadline);

 private:
  Observation Converse(const Target& target, std::size_t index, Deadline deadline);

  const std::size_t concurrency_;
  HttpProber http_;
  std::vector<std::unique_ptr<postgres::Watchdog>> watchdogs_;  // by target, for PostgreSQL
};

// Probes one target as Prometheus' multi-target pattern asks: any target, any module.
// The IP version is the module's. `allow_redirect`: see HttpJob.
Observation ProbeOnce(const Module& module, const Call& call,
                      const std::function<bool(const std::string&)>& allow_redirect);

}  // namespace vigia::collectors::probe
