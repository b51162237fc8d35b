// Sends requests to one endpoint, one after another, until each is delivered or refused.
//
// A request that fails (no connection, a timeout, 5xx, 429) is tried again without end, after what
// the receiver asks for by Retry-After, or a random time that grows. One that is refused (any other
// answer) is dropped and counted; of one that is bad in part (400), the good part is found by
// halving. Not thread-safe: one per shard.

#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/http_client.h"
#include "core/oauth2.h"
#include "query/remote_write/counters.h"
#include "query/remote_write/health.h"
#include "query/remote_write/options.h"
#include "query/remote_write/pause.h"
#include "query/remote_write/portion.h"

namespace vigia::remote_write {

class Sender {
 public:
  // All references outlive the sender.
  Sender(const Endpoint& endpoint, Clock& clock, Counters& counters, Health& health,
         std::uint64_t seed);

  // False if it was stopped before all were delivered or refused.
  bool Send(std::span<const Request> requests, std::stop_token stop);
  bool SendMetadata(std::span<const MetricMetadata> metadata, std::stop_token stop);

 private:
  enum class Outcome { kDelivered, kRefused, kBadData, kStopped };

  bool Deliver(std::span<const SeriesPart> series, std::stop_token stop);
  Outcome Exchange(const std::string& body, std::stop_token stop);
  Result<HttpResponse> Attempt(const std::string& body, std::stop_token stop);
  bool Wait(std::chrono::milliseconds at_least, unsigned attempt, std::stop_token stop);

  const Endpoint& endpoint_;
  Clock& clock_;
  Counters& counters_;
  Health& health_;
  HttpClient client_;
  std::optional<TokenSource> tokens_;
  std::mt19937_64 random_;
  Pause pause_;
  std::optional<Error> refusal_;  // what the last request was refused for
  std::size_t halvings_ = 0;      // that are left until something is delivered
};

// Seconds or a date (RFC 9110, 10.2.3), as a time from `now` (Unix milliseconds) on; zero for
// anything else, an hour at most.
std::chrono::milliseconds ParseRetryAfter(std::string_view text, Timestamp now);

}  // namespace vigia::remote_write
