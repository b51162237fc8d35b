// Token buckets: how many requests a client may make.

#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace vigia::http {

struct Rate {
  double per_second = 100;
  double burst = 500;

  friend bool operator==(const Rate&, const Rate&) = default;
};

// Zero: go ahead. Else how long until the next request is allowed.
using Wait = std::chrono::duration<double>;

// One bucket for everybody. Thread-safe.
class Limiter {
 public:
  Limiter(Rate rate, const Clock& clock)
      : rate_(rate), clock_(clock), tokens_(rate.burst), last_(clock.Now()) {}

  Wait Take();

 private:
  const Rate rate_;
  const Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_.
  double tokens_;
  Instant last_;
};

// A bucket per IPv4 address, in a table of fixed size: when many addresses come at once, those
// not heard of for longest begin anew. Thread-safe.
class ClientLimiter {
 public:
  // At most `clients` addresses are remembered, rounded up to a multiple of 8.
  ClientLimiter(Rate rate, const Clock& clock, std::size_t clients = 4096);

  Wait Take(std::uint32_t address);

 private:
  struct Bucket {
    std::uint32_t address = 0;
    float tokens = 0;
    Instant last = Instant::min();  // never used
  };

  Bucket& Find(std::uint32_t address);

  const Rate rate_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<Bucket> buckets_;  // guarded by mutex_
};

// "192.0.2.1" as a number, 0 for anything else.
std::uint32_t ParseIpv4(std::string_view address);

inline bool IsLoopback(std::uint32_t address) { return address >> 24 == 127; }

}  // namespace vigia::http
