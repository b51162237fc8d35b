// An HttpSender sends the requests of one receiver: with its http_config, over connections that
// are kept, several at once if need be. Thread-safe.

#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alerting/deliver/http_config.h"
#include "core/clock.h"
#include "core/http_client.h"
#include "core/result.h"

namespace vigia::alerting::deliver {

class HttpSender {
 public:
  // `clock` outlives the sender.
  HttpSender(HttpConfig config, Clock& clock);
  ~HttpSender();

  // Errors as HttpClient::Send; with oauth2 also those of fetching a token. Ends soon once `stop`
  // is requested.
  Result<HttpResponse> Send(HttpRequest request, Deadline deadline, std::stop_token stop = {});

  // No token is fetched from now on, and requests for one that go on end soon: whoever waits for
  // them has told nobody anything yet. Other requests are not concerned.
  void StopFetching() { fetching_.request_stop(); }
  // For those who fetch credentials of their own: requested by StopFetching().
  std::stop_token fetching() const { return fetching_.get_token(); }

 private:
  std::unique_ptr<HttpClient> Take();
  Result<HttpResponse> SendOnce(HttpRequest request, Deadline deadline,
                                const std::stop_token& stop);
  void GiveBack(std::unique_ptr<HttpClient> client);
  Status AddConfigured(HttpRequest& request, Deadline deadline, const std::stop_token& stop);

  const HttpConfig config_;
  std::optional<TokenSource> tokens_;  // with oauth2
  std::stop_source fetching_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpClient>> idle_;  // guarded by mutex_
};

}  // namespace vigia::alerting::deliver
