#include "alerting/deliver/http_sender.h"

#include <nlohmann/json.hpp>

#include "alerting/templates/escape.h"

namespace vigia::alerting::deliver {
namespace {

// More connections than this are not kept.
constexpr std::size_t kMaxIdle = 8;

void AppendParameter(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += templates::EscapeQuery(name) + "=" + templates::EscapeQuery(value);
}

}  // namespace

HttpSender::HttpSender(HttpConfig config, Clock& clock)
    : config_(std::move(config)), clock_(clock) {}
HttpSender::~HttpSender() = default;

std::unique_ptr<HttpClient> HttpSender::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  return std::make_unique<HttpClient>(config_.client);
}

void HttpSender::GiveBack(std::unique_ptr<HttpClient> client) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(client));
}

Result<HttpResponse> HttpSender::Send(HttpRequest request, Deadline deadline,
                                      std::stop_token stop) {
  if (!config_.oauth2.used()) return SendOnce(std::move(request), deadline, stop);
  auto response = SendOnce(request, deadline, stop);
  if (!response || response->status != 401) return response;
  {
    const std::lock_guard lock(mutex_);
    token_.clear();  // revoked before its time
  }
  return SendOnce(std::move(request), deadline, stop);
}

Result<HttpResponse> HttpSender::SendOnce(HttpRequest request, Deadline deadline,
                                          const std::stop_token& stop) {
  if (auto status = AddConfigured(request, deadline); !status) return Fail(status.error());
  auto client = Take();
  auto response = client->Send(request, deadline, stop);
  GiveBack(std::move(client));
  return response;
}

Status HttpSender::AddConfigured(HttpRequest& request, Deadline deadline) {
  for (const auto& [name, secret] : config_.headers) {
    const auto value = secret.Reveal();
    if (!value) return Fail(value.error());
    request.headers.emplace_back(name, *value);
  }
  if (!config_.oauth2.used()) return Ok();
  const auto token = Token(deadline);
  if (!token) return Fail(token.error().In("oauth2"));
  request.headers.emplace_back("Authorization", "Bearer " + *token);
  return Ok();
}

Result<HttpResponse> HttpSender::AskForToken(Deadline deadline) const {
  const auto secret = config_.oauth2.client_secret.Reveal();
  if (!secret) return Fail(secret.error());
  std::string form;
  AppendParameter(form, "grant_type", "client_credentials");
  std::string scopes;
  for (const auto& scope : config_.oauth2.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty()) AppendParameter(form, "scope", scopes);
  for (const auto& [name, value] : config_.oauth2.endpoint_params) {
    AppendParameter(form, name, value);
  }
  auto options = config_.client;
  options.tls = config_.oauth2.tls;
  options.proxy = config_.oauth2.proxy;
  options.auth = {.username = config_.oauth2.client_id, .password = Secret::FromValue(*secret)};
  HttpClient client(options);
  return client.Send({.method = "POST",
                      .url = config_.oauth2.token_url,
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = form},
                     deadline);
}

Result<std::string> HttpSender::Token(Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (!token_.empty() && clock_.Now() < token_ends_) return token_;
  }
  const auto response = AskForToken(deadline);
  if (!response) return Fail(response.error());
  const auto json = nlohmann::json::parse(response->body, nullptr, false);
  if (response->status != 200 || !json.is_object() || !json.contains("access_token") ||
      !json["access_token"].is_string()) {
    return Fail(ErrorCode::kUnavailable, "no token: status " + std::to_string(response->status));
  }
  double seconds = 3600;
  if (json.contains("expires_in") && json["expires_in"].is_number()) {
    seconds = std::clamp(json["expires_in"].get<double>(), 0.0, 86'400.0);
  }
  const std::lock_guard lock(mutex_);
  token_ = json["access_token"].get<std::string>();
  // A little before its end, so that it does not run out on its way.
  token_ends_ = clock_.Now() + std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 900));
  return token_;
}

}  // namespace vigia::alerting::deliver
