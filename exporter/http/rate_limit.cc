#include "exporter/http/rate_limit.h"

#include <algorithm>

namespace vigia::http {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

double RateLimiter::Take(std::string_view client, Limit limit) {
  if (limit.rate <= 0) return 0;
  const Instant now = clock_.Now();
  const std::lock_guard lock(mutex_);
  auto at = buckets_.find(client);
  if (at == buckets_.end()) {
    if (buckets_.size() >= kMaxClients) ForgetFull(limit, now);
    // More clients at once than can be told apart are one client.
    if (buckets_.size() >= kMaxClients) client = "others";
    at = buckets_.try_emplace(std::string(client), Bucket{limit.burst, now}).first;
  }
  auto& bucket = at->second;
  bucket.tokens = std::min(limit.burst, bucket.tokens + Seconds(now - bucket.filled) * limit.rate);
  bucket.filled = now;
  if (bucket.tokens < 1) return (1 - bucket.tokens) / limit.rate;
  bucket.tokens -= 1;
  return 0;
}

void RateLimiter::ForgetFull(Limit limit, Instant now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return entry.second.tokens + Seconds(now - entry.second.filled) * limit.rate >= limit.burst;
  });
}

}  // namespace vigia::http
