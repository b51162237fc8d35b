// What an HTTP answer means for a delivery.

#pragma once

#include <optional>
#include <string_view>

#include "alerting/deliver/receiver.h"
#include "core/http_client.h"

namespace vigia::alerting::deliver {

// Retry-After of an answer: seconds, also with a fraction, or a date, from `now` on; at most a
// day. Nothing if there is none or it makes no sense.
std::optional<Milliseconds> ParseRetryAfter(std::string_view value, Timestamp now);

// 2xx: delivered. 408, 425, 429, 5xx and no answer: retry. All else: rejected. The message has
// the status and the beginning of the answer.
Outcome ReadAnswer(const Result<HttpResponse>& response, Timestamp now);

// The number at a path of an answer in JSON ("parameters.retry_after"), as seconds.
std::optional<Milliseconds> SecondsInJson(std::string_view body, std::string_view path);

// A text at a path of an answer in JSON; empty if there is none.
std::string TextInJson(std::string_view body, std::string_view path);

// The boolean at a path of an answer in JSON.
std::optional<bool> BoolInJson(std::string_view body, std::string_view path);

// The whole number at a path of an answer in JSON.
std::optional<std::int64_t> IntegerInJson(std::string_view body, std::string_view path);

Outcome Rejected(std::string message);

}  // namespace vigia::alerting::deliver
