// An HttpProber asks many HTTP servers at once, in the calling thread: curl's multi interface on
// an epoll. Every probe has a connection of its own, so that each phase is measured; certificates
// that were read for verification are kept from run to run. Not thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectors/probe/module.h"
#include "collectors/probe/observation.h"
#include "core/clock.h"

namespace vigia::collectors::probe {

struct HttpJob {
  const HttpModule* module;
  IpChoice ip = IpChoice::kAny;
  std::string url;
  Milliseconds timeout{5000};
  // Asked for the URL of each redirect if set; false ends the probe there.
  std::function<bool(const std::string& url)> allow_redirect = {};
  Trace* trace = nullptr;  // takes down what is done; may be null
};

class HttpProber {
 public:
  // At most `concurrency` probes are on their way at a time, for the sake of descriptors; each
  // one's timeout counts from its own start.
  explicit HttpProber(std::size_t concurrency);
  ~HttpProber();

  // One observation for each job, in their order, by `deadline`.
  std::vector<Observation> Run(std::span<const HttpJob> jobs, Deadline deadline);

 private:
  class Loop;
  const std::size_t concurrency_;
  std::unique_ptr<Loop> loop_;  // made by the first run
};

}  // namespace vigia::collectors::probe
