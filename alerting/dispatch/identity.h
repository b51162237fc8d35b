// How alerts, groups and notices are named.

#pragma once

#include <cstdint>
#include <string>

#include "alerting/fingerprint.h"
#include "core/labels.h"

namespace vigia::alerting::dispatch {

// The Fingerprint() of an alert's labels.
using AlertId = std::uint64_t;

// `{a="b", c="d"}`, as Alertmanager writes label sets in the keys of groups.
std::string LabelSetText(const Labels& labels);

// A random UUID (version 4) from the kernel's generator.
std::string NewUuid();

}  // namespace vigia::alerting::dispatch
