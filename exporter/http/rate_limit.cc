#include "exporter/http/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "core/hash.h"

namespace vigia::http {
namespace {

constexpr std::size_t kWays = 8;  // places in which an address may stand

// Refills `tokens` for the time since `last` and takes one if it can.
template <typename T>
Wait TakeFrom(T& tokens, Instant& last, const Rate& rate, Instant now) {
  const double passed = std::chrono::duration<double>(now - last).count();
  last = now;
  const double filled =
      std::min(rate.burst, static_cast<double>(tokens) + std::max(0.0, passed) * rate.per_second);
  if (filled >= 1) {
    tokens = static_cast<T>(filled - 1);
    return Wait(0);
  }
  tokens = static_cast<T>(filled);
  return Wait((1 - filled) / rate.per_second);
}

}  // namespace

Wait Limiter::Take() {
  const Instant now = clock_.Now();
  const std::lock_guard lock(mutex_);
  return TakeFrom(tokens_, last_, rate_, now);
}

ClientLimiter::ClientLimiter(Rate rate, const Clock& clock, std::size_t clients)
    : rate_(rate), clock_(clock), buckets_((clients + kWays - 1) / kWays * kWays) {}

ClientLimiter::Bucket& ClientLimiter::Find(std::uint32_t address) {
  const std::string_view bytes(reinterpret_cast<const char*>(&address), sizeof address);
  const auto first = buckets_.begin() + static_cast<std::ptrdiff_t>(
                                            HashBytes(bytes) % (buckets_.size() / kWays) * kWays);
  const auto last = first + kWays;
  for (auto bucket = first; bucket != last; ++bucket) {
    if (bucket->address == address && bucket->last != Instant::min()) return *bucket;
  }
  auto& oldest =
      *std::min_element(first, last, [](const auto& a, const auto& b) { return a.last < b.last; });
  oldest = {address, static_cast<float>(rate_.burst), clock_.Now()};
  return oldest;
}

Wait ClientLimiter::Take(std::uint32_t address) {
  const Instant now = clock_.Now();
  const std::lock_guard lock(mutex_);
  Bucket& bucket = Find(address);
  return TakeFrom(bucket.tokens, bucket.last, rate_, now);
}

std::uint32_t ParseIpv4(std::string_view address) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, std::string(address).c_str(), &parsed) != 1) return 0;
  return ntohl(parsed.s_addr);
}

}  // namespace vigia::http
