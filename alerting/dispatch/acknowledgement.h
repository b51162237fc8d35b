// An acknowledgement: somebody looks after an alert, so its repeats stop. Its end is still told,
// and so is whatever joins its group.

#pragma once

#include <string>

#include "alerting/dispatch/identity.h"
#include "core/sample.h"

namespace vigia::alerting::dispatch {

struct Acknowledgement {
  AlertId fingerprint = 0;
  std::string by;
  std::string comment;
  Timestamp time = 0;
  Timestamp until = 0;  // 0: until the alert ends

  bool HoldsAt(Timestamp now) const { return until == 0 || now < until; }
};

}  // namespace vigia::alerting::dispatch
