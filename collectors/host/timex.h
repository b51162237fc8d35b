// How well the clock is disciplined, from adjtimex(2).

#pragma once

#include <sys/timex.h>

#include <memory>

#include "collectors/collector.h"

namespace vigia::collectors::host {

// As adjtimex(2): fills in its argument; returns the clock's state, or -1 with errno.
using AdjtimexFunction = int (*)(timex*);

std::unique_ptr<Collector> MakeTimexOver(AdjtimexFunction adjtimex);

}  // namespace vigia::collectors::host
