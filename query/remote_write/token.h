// Access tokens of OAuth 2.0, by client credentials (RFC 6749, section 4.4). Not thread-safe.

#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/http_client.h"
#include "query/remote_write/options.h"

namespace vigia::remote_write {

class TokenSource {
 public:
  TokenSource(const OAuth2& options, const Clock& clock)
      : options_(options),
        clock_(clock),
        client_({.tls = options.tls, .proxy = options.proxy, .max_body_bytes = 1 << 20}) {}

  // The token at hand, or a new one if there is none or it is about to expire.
  Result<std::string> Get(Deadline deadline, std::stop_token stop);
  // It was refused.
  void Forget() { token_.clear(); }

 private:
  Result<HttpRequest> MakeRequest() const;
  Status Take(const HttpResponse& answer);

  const OAuth2& options_;
  const Clock& clock_;
  HttpClient client_;
  std::string token_;
  std::optional<Instant> expires_;
};

}  // namespace vigia::remote_write
