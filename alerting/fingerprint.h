// The identity of an alert as a number, the same as Alertmanager's and stable for ever, so it may
// be stored and shown (core/labels.h has a faster hash that may not).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/labels.h"

namespace vigia::alerting {

// FNV-1a, 64 bits, over name, 0xFF, value, 0xFF of each label in order (prometheus/common
// model.LabelSet.Fingerprint).
std::uint64_t Fingerprint(const Labels& labels);

// 16 hexadecimal digits, as Alertmanager shows it.
std::string FingerprintText(std::uint64_t fingerprint);
std::optional<std::uint64_t> ParseFingerprint(std::string_view text);

}  // namespace vigia::alerting
