#include "query/remote_write/sender.h"

#include <algorithm>
#include <ctime>

#include "core/number.h"

namespace vigia::remote_write {
namespace {

constexpr std::chrono::milliseconds kLongestWait = 1h;
// How often a bad request is halved before the rest of it is given up, if nothing was delivered
// since the last that was.
constexpr std::size_t kHalvings = 32;

void Add(Counters::Count& count, std::uint64_t n) { count.fetch_add(n, std::memory_order_relaxed); }

Error AnswerError(const HttpResponse& answer) {
  constexpr std::size_t kMost = 256;
  return {ErrorCode::kUnavailable,
          "HTTP status " + std::to_string(answer.status) + ": " + answer.body.substr(0, kMost)};
}

std::size_t CountSamples(std::span<const SeriesPart> series) {
  std::size_t count = 0;
  for (const auto& part : series) count += part.samples.size();
  return count;
}

void Advance(std::atomic<Timestamp>& newest, std::span<const SeriesPart> series) {
  Timestamp known = newest.load(std::memory_order_relaxed);
  for (const auto& part : series) {
    const Timestamp time = part.samples.back().time;
    while (time > known && !newest.compare_exchange_weak(known, time, std::memory_order_relaxed)) {
    }
  }
}

}  // namespace

std::chrono::milliseconds ParseRetryAfter(std::string_view text, Timestamp now) {
  std::chrono::milliseconds wait{0};
  if (const auto seconds = ParseUint(text)) {
    wait = std::chrono::seconds(std::min<std::uint64_t>(*seconds, 3600));
  } else {
    std::tm date{};
    const std::string copy(text);
    const char* const end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (end && *end == '\0') {
      wait = std::chrono::milliseconds(static_cast<Timestamp>(::timegm(&date)) * 1000 - now);
    }
  }
  return std::clamp(wait, std::chrono::milliseconds(0), kLongestWait);
}

Sender::Sender(const Endpoint& endpoint, Clock& clock, Counters& counters, Health& health,
               std::uint64_t seed)
    : endpoint_(endpoint),
      clock_(clock),
      counters_(counters),
      health_(health),
      client_(endpoint.http),
      random_(seed),
      halvings_(kHalvings) {
  if (endpoint.oauth2.used()) tokens_.emplace(endpoint.oauth2, clock);
}

bool Sender::Send(std::span<const Request> requests, std::stop_token stop) {
  return std::all_of(requests.begin(), requests.end(),
                     [&](const Request& request) { return Deliver(request.series, stop); });
}

bool Sender::SendMetadata(std::span<const MetricMetadata> metadata, std::stop_token stop) {
  const auto outcome = Exchange(EncodeMetadata(metadata), stop);
  if (outcome == Outcome::kDelivered) Add(counters_.metadata, metadata.size());
  return outcome != Outcome::kStopped;
}

bool Sender::Deliver(std::span<const SeriesPart> series, std::stop_token stop) {
  const auto outcome = Exchange(EncodeSeries(series), stop);
  if (outcome == Outcome::kStopped) return false;
  if (outcome == Outcome::kDelivered) {
    Add(counters_.samples, CountSamples(series));
    Advance(counters_.newest, series);
    halvings_ = kHalvings;
    return true;
  }
  if (outcome == Outcome::kBadData && series.size() > 1 && halvings_ > 0) {
    --halvings_;
    const std::size_t half = series.size() / 2;
    return Deliver(series.first(half), stop) && Deliver(series.subspan(half), stop);
  }
  Add(counters_.rejected, CountSamples(series));
  health_.Refused(*refusal_);
  return true;
}

Result<HttpResponse> Sender::Attempt(const std::string& body, std::stop_token stop) {
  const Deadline deadline = Deadline::After(clock_, endpoint_.timeout);
  HttpRequest request{.method = "POST", .url = endpoint_.url};
  request.headers = {{"Content-Encoding", "snappy"},
                     {"Content-Type", "application/x-protobuf"},
                     {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  request.headers.insert(request.headers.end(), endpoint_.headers.begin(), endpoint_.headers.end());
  if (tokens_) {
    auto token = tokens_->Get(deadline, stop);
    if (!token) return Fail(token.error());
    request.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  request.body = body;
  return client_.Send(request, deadline, std::move(stop));
}

Sender::Outcome Sender::Exchange(const std::string& body, std::stop_token stop) {
  bool renewed = false;
  for (unsigned attempt = 0; !stop.stop_requested(); ++attempt) {
    std::chrono::milliseconds asked{0};
    auto answer = Attempt(body, stop);
    if (answer && answer->status / 100 == 2) {
      Add(counters_.requests, 1);
      Add(counters_.bytes, body.size());
      health_.Delivered();
      return Outcome::kDelivered;
    }
    const auto error = answer ? AnswerError(*answer) : answer.error();
    const bool expired = answer && answer->status == 401 && tokens_ && !renewed;
    if (expired) {
      tokens_->Forget();
      renewed = true;
    } else if (answer && answer->status != 429 && answer->status / 100 != 5) {
      Add(counters_.refusals, 1);
      refusal_ = error;
      return answer->status == 400 ? Outcome::kBadData : Outcome::kRefused;
    }
    if (stop.stop_requested()) return Outcome::kStopped;
    Add(counters_.failures, 1);
    health_.Failed(error);
    if (answer) asked = ParseRetryAfter(answer->Header("retry-after"), clock_.Wall());
    if (!Wait(asked, attempt, stop)) return Outcome::kStopped;
  }
  return Outcome::kStopped;
}

// What the receiver asked for, and a random part of a time that doubles with each attempt; false
// if it was stopped.
bool Sender::Wait(std::chrono::milliseconds at_least, unsigned attempt, std::stop_token stop) {
  const auto& queue = endpoint_.queue;
  const auto doubled = queue.min_backoff * (std::int64_t{1} << std::min(attempt, 20U));
  const auto most = std::clamp<std::chrono::milliseconds>(doubled, 1ms, queue.max_backoff);
  std::uniform_int_distribution<std::int64_t> jitter(0, most.count());
  const auto wait = at_least + std::chrono::milliseconds(jitter(random_));
  return pause_.Until(clock_, clock_.Now() + wait, stop);
}

}  // namespace vigia::remote_write
