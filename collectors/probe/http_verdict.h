// Whether an answer over HTTP meets the conditions of a module.

#pragma once

#include <string>

#include "collectors/probe/module.h"
#include "collectors/probe/observation.h"
#include "core/http_client.h"

namespace vigia::collectors::probe {

// The last of a probe, after redirects. Borrows everything.
struct HttpAnswer {
  int status;
  double version;  // as blackbox_exporter has it: 1.1, 2
  bool secure;     // came over TLS
  const HttpFields& headers;
  const std::string& body;  // decompressed; empty where no condition needs it
};

// Fails `observation`, whose duration is set, for each condition that is not met, in
// blackbox_exporter's order: the first is what the probe failed due to.
void Judge(const HttpModule& module, const HttpAnswer& answer, Observation& observation);

}  // namespace vigia::collectors::probe
