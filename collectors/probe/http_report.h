// What curl tells of an HTTP request that is over, under the names of blackbox_exporter. For
// http_transfer.cc.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "collectors/probe/http_verdict.h"
#include "core/curl_request.h"

namespace vigia::collectors::probe {

// The answer on `easy`, a CURL*; borrows `head` and `body`. Its status is 0 if there was none.
HttpAnswer AnswerOf(void* easy, const HttpHead& head, const std::string& body);

// Adds what is known of the answer; `body_bytes` of it were read.
void ReportAnswer(void* easy, const HttpAnswer& answer, std::uint64_t body_bytes,
                  Observation& observation);

// Adds the phases; `before` was spent on looking the name up in vain.
void ReportTimings(const HttpTimings& timings, std::chrono::microseconds before,
                   Observation& observation);

}  // namespace vigia::collectors::probe
