// Numbers as Go writes them in places that Prometheus shows.

#pragma once

#include <string>

#include "core/sample.h"

namespace vigia::promql {

// strconv.FormatFloat(value, 'f', -1, 64): never an exponent. "NaN", "+Inf", "-Inf".
std::string FormatFixed(double value);

// %g and %v: an exponent below 1e-4 and from 1e6 on, "1e+06", "5e-05".
std::string FormatGeneral(double value);

// %.2g of a difference, as one annotation has it.
std::string FormatShort(double value);

// "2006-01-02T15:04:05Z", the milliseconds cut off.
std::string FormatRfc3339(Timestamp time);

}  // namespace vigia::promql
