// Signatures of outgoing webhooks.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/http_client.h"
#include "core/result.h"
#include "core/secret.h"

namespace vigia::alerting::deliver {

std::string Sha256(std::string_view text);
std::string HmacSha256(std::string_view key, std::string_view text);
std::string Hex(std::string_view bytes);

// Headers of Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature: one "v1,..." for
// each key, so that a receiver accepts while keys change) and X-Signature-256, which GitHub's
// verifiers understand, by the first key. A key "whsec_..." is base64, any other its own bytes.
Result<HttpFields> Sign(const std::vector<Secret>& keys, std::string_view id,
                        std::int64_t unix_seconds, std::string_view body);

}  // namespace vigia::alerting::deliver
