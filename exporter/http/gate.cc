#include "exporter/http/gate.h"

#include <algorithm>
#include <cmath>

#include "exporter/http/decode.h"

namespace vigia::http {
namespace {

Response RetryLater(std::string text, Wait wait) {
  auto response = Response::Text(429, std::move(text));
  const double seconds = std::clamp(std::ceil(wait.count()), 1.0, 3600.0);
  response.headers.emplace_back("retry-after", std::to_string(static_cast<int>(seconds)));
  return response;
}

}  // namespace

Gate::Gate(const Clock& clock, Options options)
    : options_(std::move(options)), settings_(options_.web_config, clock, options_.report) {
  if (options_.client_rate.per_second > 0) client_limiter_.emplace(options_.client_rate, clock);
}

Result<std::unique_ptr<Gate>> Gate::Open(const Clock& clock, Options options) {
  std::unique_ptr<Gate> gate(new Gate(clock, std::move(options)));
  if (auto status = gate->settings_.Load(); !status) return Fail(status.error());
  if (gate->settings_.Current()->config.tls) {
    auto tls =
        TlsServer::Make([settings = &gate->settings_] { return settings->Current()->config.tls; });
    if (!tls) return Fail(tls.error());
    gate->tls_ = *std::move(tls);
  }
  return gate;
}

std::string Gate::HeaderLines() { return settings_.Current()->header_lines; }

std::optional<Response> Gate::Admit(Request& request) {
  const auto settings = settings_.Current();
  if (auto refusal = CheckRates(*settings, request)) return refusal;
  if (settings->config.users.empty()) return std::nullopt;
  return CheckUser(*settings, request);
}

std::optional<Response> Gate::CheckRates(const WebSettings& settings, const Request& request) {
  Wait wait{};
  if (client_limiter_ && (options_.limit_loopback || !request.FromLoopback())) {
    wait = client_limiter_->Take(ParseIpv4(request.remote_address));
  }
  if (settings.limiter && wait <= Wait(0)) wait = settings.limiter->Take();
  if (wait > Wait(0)) return RetryLater("too many requests\n", wait);
  return std::nullopt;
}

std::optional<Response> Gate::CheckUser(const WebSettings& settings, Request& request) {
  if (auto credentials = DecodeBasicAuth(request.Header("authorization"))) {
    switch (passwords_.Check(settings.config.users, credentials->user, credentials->password,
                             ParseIpv4(request.remote_address))) {
      case PasswordChecker::Answer::kMatch:
        request.user = std::move(credentials->user);
        return std::nullopt;
      case PasswordChecker::Answer::kBusy:
        return RetryLater("too many passwords are being checked\n", Wait(1));
      case PasswordChecker::Answer::kMismatch:
        break;
    }
  }
  auto response = Response::Text(401, "a user name and password are needed\n");
  response.headers.emplace_back("www-authenticate", "Basic realm=\"vigia\", charset=\"UTF-8\"");
  return response;
}

}  // namespace vigia::http
