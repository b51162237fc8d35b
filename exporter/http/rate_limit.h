// At most so many requests per client address: a token bucket each. Thread-safe.

#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "core/hash.h"

namespace vigia::http {

class RateLimiter {
 public:
  struct Limit {
    double rate = 0;   // requests per second; 0: no limit
    double burst = 1;  // requests that may come at once
  };

  explicit RateLimiter(const Clock& clock) : clock_(clock) {}

  // Takes a token of `client`; returns 0 if there was one, else the seconds until there is.
  double Take(std::string_view client, Limit limit);

 private:
  // Clients beyond it share what is left: full buckets are forgotten first.
  static constexpr std::size_t kMaxClients = 10'000;

  struct Bucket {
    double tokens;
    Instant filled;
  };

  void ForgetFull(Limit limit, Instant now);

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket, StringHash, std::equal_to<>>
      buckets_;  // guarded by mutex_
};

}  // namespace vigia::http
