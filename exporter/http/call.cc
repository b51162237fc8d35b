#include "exporter/http/call.h"

#include <algorithm>
#include <array>
#include <exception>

#include "core/text/words.h"
#include "exporter/http/answer.h"
#include "exporter/http/decode.h"
#include "exporter/http/large_stack.h"
#include "exporter/http/request_id.h"

namespace vigia::http {
namespace {

// An unread body up to this size is read, to keep the connection.
constexpr std::uint64_t kSmallBody = 64 * 1024;
// What a client may still send after it was refused, and for how long: many read the answer only
// when they have sent all, and a connection closed before that is reset, with the answer.
constexpr std::uint64_t kLingerBytes = 64 * 1024 * 1024;
constexpr auto kLingerTime = 5s;

}  // namespace

Call::Call(const Router& router, const Server::Options& options, Watchdog& watchdog,
           HangUpWatch& hang_ups, Exchange& exchange)
    : router_(router),
      options_(options),
      watchdog_(watchdog),
      hang_ups_(hang_ups),
      exchange_(exchange),
      head_(exchange.head()) {}

void Call::Run(bool stopping) {
  const Instant start = options_.clock->Now();
  const Response response = Answer(stopping);
  SkipSmallBody();
  // Without chunks only the end of the connection ends a stream.
  const bool keep_alive = framing_.keep_alive && !stopping &&
                          (body_ == Body::kNone || body_ == Body::kRead) &&
                          (head_.http11 || !response.stream);
  if (!keep_alive) exchange_.CloseAfter();
  const std::string header_lines = options_.header_lines ? options_.header_lines() : "";
  Sent sent = SendAnswer({.exchange = exchange_,
                          .watchdog = watchdog_,
                          .write_timeout = options_.write_timeout,
                          .header_lines = header_lines,
                          .request_id = request_.id,
                          .now = options_.clock->Wall(),
                          .http11 = head_.http11,
                          .head_only = head_.method == "HEAD",
                          .large_stack = route_ && route_->large_stack,
                          .keep_alive = keep_alive},
                         response);
  Linger();
  if (options_.on_access) {
    options_.on_access({.request = request_,
                        .handler = route_ ? std::string_view(route_->pattern) : "",
                        .status = response.status,
                        .bytes = sent.bytes,
                        .took = options_.clock->Now() - start,
                        .error = error_.empty() ? std::move(sent.error) : error_});
  }
}

Response Call::Answer(bool stopping) {
  try {
    if (auto instead = ReadHead()) return *std::move(instead);
    if (stopping) {
      auto response = Response::Text(503, "vigia is stopping\n");
      response.headers.emplace_back("retry-after", "1");
      return response;
    }
    if (options_.admit) {
      if (auto instead = options_.admit(request_)) return *std::move(instead);
    }
    if (auto instead = FindRoute()) return *std::move(instead);
    if (auto instead = CheckChange()) return *std::move(instead);
    if (auto instead = ReadBody()) return *std::move(instead);
    if (route_->cancellable) {
      hang_up_.emplace(hang_ups_, exchange_.connection());
      request_.gone = hang_up_->token();
    }
    if (!route_->large_stack) return route_->handler(request_);
    Response response;
    OnLargeStack([&] { response = route_->handler(request_); });
    return response;
  } catch (const std::exception& error) {
    error_ = error.what();
  } catch (...) {
    error_ = "something was thrown that is no exception";
  }
  return Response::Text(500,
                        "internal error; the log has more about request " + request_.id + "\n");
}

Call::Instead Call::ReadHead() {
  const auto id = HeaderValue(head_.headers, "x-request-id");
  request_.id = IsRequestId(id) ? std::string(id) : MakeRequestId();
  request_.remote_address = head_.remote;
  request_.tls = head_.tls;
  request_.user = head_.client_subject;
  request_.method = head_.method == "HEAD" ? "GET" : head_.method;
  request_.path = head_.path;
  if (auto refusal = CheckHead(head_, framing_)) {
    framing_ = {};  // where the next request would begin is anybody's guess
    return Response::Text(refusal->status, refusal->why + "\n");
  }
  body_ = framing_.has_body() ? Body::kUnread : Body::kNone;
  auto path = PercentDecode(head_.path);
  if (!path) return Response::Text(400, "malformed path\n");
  request_.path = *std::move(path);
  request_.query = ParseUrlEncoded(head_.query);
  request_.headers = head_.headers;
  return std::nullopt;
}

Call::Instead Call::FindRoute() {
  std::string allowed;
  route_ = router_.Find(request_, allowed);
  if (route_) return std::nullopt;
  if (allowed.empty()) return Response::Text(404, "no such page\n");
  auto response = Response::Text(405, "allowed here: " + allowed + "\n");
  response.headers.emplace_back("allow", allowed);
  return response;
}

Call::Instead Call::CheckChange() const {
  if (!route_->changes_state) return std::nullopt;
  if (request_.user.empty() && !request_.FromLoopback()) {
    return Response::Text(
        403, "this changes something: it needs a user (basic_auth_users in web.yml)\n");
  }
  // Browsers say where a request comes from; a page of another site may not speak for the user.
  // Over plain HTTP from elsewhere than loopback they say it only in Origin.
  const auto site = request_.Header("sec-fetch-site");
  const auto origin = request_.Header("origin");
  const auto scheme = origin.find("://");
  const bool foreign =
      site.empty() ? !origin.empty() && (scheme == origin.npos ||
                                         origin.substr(scheme + 3) != request_.Header("host"))
                   : site != "same-origin" && site != "none";
  if (foreign) return Response::Text(403, "refused: the request comes from another site's page\n");
  return std::nullopt;
}

Response Call::TooLarge() const {
  return Response::Text(413,
                        "the body is larger than " + std::to_string(route_->max_body) + " bytes\n");
}

Call::Instead Call::ReadBody() {
  if (!framing_.has_body()) return std::nullopt;
  if (framing_.length > route_->max_body) return TooLarge();
  if (framing_.expects_continue) {
    framing_.expects_continue = false;
    exchange_.Write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  {
    const Watchdog::Watch watch(watchdog_, exchange_.connection(), options_.body_timeout);
    if (framing_.chunked) {
      if (auto instead = ReadChunked(request_.body)) return instead;
    } else if (!ReadSized(request_.body)) {
      body_ = Body::kBroken;
      return Response::Text(400,
                            "the body is shorter than its Content-Length, or came too slowly\n");
    }
  }
  body_ = Body::kRead;
  const auto type = request_.Header("content-type");
  if (text::EqualsIgnoringCase(type.substr(0, type.find_first_of("; ")),
                               "application/x-www-form-urlencoded")) {
    request_.form = ParseUrlEncoded(request_.body);
  }
  return std::nullopt;
}

bool Call::ReadSized(std::string& body) {
  // Memory follows what has arrived, not what was announced.
  constexpr std::uint64_t kStep = 256 * 1024;
  while (body.size() < framing_.length) {
    const std::size_t have = body.size();
    const std::size_t want = std::min(kStep, framing_.length - have);
    body.resize(have + want);
    const long n = exchange_.Read({body.data() + have, want});
    if (n != static_cast<long>(want)) return false;
  }
  return true;
}

Call::Instead Call::ReadChunked(std::string& body) {
  constexpr std::size_t kStep = 64 * 1024;
  while (body.size() <= route_->max_body) {
    const std::size_t have = body.size();
    body.resize(have + kStep);
    const long n = exchange_.Read({body.data() + have, kStep});
    body.resize(have + static_cast<std::size_t>(std::max(n, 0L)));
    if (n == 0) return std::nullopt;
    if (n < 0) {
      body_ = Body::kBroken;
      return Response::Text(400, "malformed chunked body\n");
    }
  }
  return TooLarge();
}

void Call::SkipSmallBody() {
  // A client that waits for "100 Continue" does not send its body now.
  if (body_ != Body::kUnread || framing_.chunked || framing_.expects_continue ||
      framing_.length > kSmallBody) {
    return;
  }
  const Watchdog::Watch watch(watchdog_, exchange_.connection(), kLingerTime);
  std::string skipped;
  body_ = ReadSized(skipped) ? Body::kRead : Body::kBroken;
}

void Call::Linger() {
  if (body_ != Body::kUnread || framing_.expects_continue) return;
  const Watchdog::Watch watch(watchdog_, exchange_.connection(), kLingerTime);
  std::array<char, 16 * 1024> skipped{};
  for (std::uint64_t total = 0; total < kLingerBytes;) {
    const long n = exchange_.Read(skipped);
    if (n <= 0) return;
    total += static_cast<std::uint64_t>(n);
  }
}

}  // namespace vigia::http
