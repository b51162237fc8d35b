// Why a request failed, in the word of a probe.

#pragma once

#include "collectors/probe/observation.h"

namespace vigia::collectors::probe {

// `code` is a CURLcode.
Reason ReasonOfCurl(int code);

}  // namespace vigia::collectors::probe
