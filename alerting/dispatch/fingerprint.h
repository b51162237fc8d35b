// Fingerprint: the identity of an alert as one number, the same as Alertmanager's and the same
// from run to run, so it may be stored and shown.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/labels.h"

namespace vigia::dispatch {

using Fingerprint = std::uint64_t;

// FNV-1a over names and values in order, each followed by 0xff (prometheus/common,
// model.LabelSet.Fingerprint).
Fingerprint FingerprintOf(const Labels& labels);

// 16 hexadecimal digits, and back.
std::string ToHex(Fingerprint fingerprint);
std::optional<Fingerprint> ParseFingerprint(std::string_view text);

// `{a="b", c="d"}`, as Alertmanager writes label sets in the keys of groups.
std::string LabelSetText(const Labels& labels);

// A random UUID (version 4) from the kernel's generator.
std::string NewUuid();

}  // namespace vigia::dispatch
