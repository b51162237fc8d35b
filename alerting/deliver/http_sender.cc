#include "alerting/deliver/http_sender.h"

namespace vigia::alerting::deliver {
namespace {

// More connections than this are not kept.
constexpr std::size_t kMaxIdle = 8;

}  // namespace

HttpSender::HttpSender(HttpConfig config, Clock& clock) : config_(std::move(config)) {
  if (config_.oauth2.used()) tokens_.emplace(config_.oauth2, clock);
}
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
  if (!tokens_) return SendOnce(std::move(request), deadline, stop);
  auto response = SendOnce(request, deadline, stop);
  if (!response || response->status != 401) return response;
  tokens_->Forget();  // revoked before its time
  return SendOnce(std::move(request), deadline, stop);
}

Result<HttpResponse> HttpSender::SendOnce(HttpRequest request, Deadline deadline,
                                          const std::stop_token& stop) {
  if (auto status = AddConfigured(request, deadline, stop); !status) return Fail(status.error());
  auto client = Take();
  auto response = client->Send(request, deadline, stop);
  GiveBack(std::move(client));
  return response;
}

Status HttpSender::AddConfigured(HttpRequest& request, Deadline deadline,
                                 const std::stop_token& stop) {
  for (const auto& [name, secret] : config_.headers) {
    const auto value = secret.Reveal();
    if (!value) return Fail(value.error());
    request.headers.emplace_back(name, *value);
  }
  if (!tokens_) return Ok();
  const auto token = tokens_->Get(deadline, stop.stop_possible() ? stop : fetching());
  if (!token) return Fail(token.error());
  request.headers.emplace_back("Authorization", "Bearer " + *token);
  return Ok();
}

}  // namespace vigia::alerting::deliver
