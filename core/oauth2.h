// Access tokens of OAuth 2.0 by client credentials (RFC 6749, section 4.4), as Prometheus' oauth2
// has it. What asks over HttpClient takes a TokenSource; what runs requests of its own takes the
// parts.

#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/http_client.h"

namespace vigia {

struct OAuth2 {
  std::string client_id;
  Secret client_secret;
  std::string token_url;  // empty: not used
  std::vector<std::string> scopes;
  HttpFields endpoint_params;
  HttpTls tls;  // of the token's server, as the proxy is
  HttpProxy proxy;

  bool used() const { return !token_url.empty(); }
};

// Where a client says who it is. Servers understand one or both (section 2.3.1).
enum class ClientAuth { kHeader, kForm };

// kInvalid or kUnavailable for a secret that cannot be read.
Result<HttpRequest> MakeTokenRequest(const OAuth2& options, ClientAuth auth);

struct AccessToken {
  std::string text;
  std::optional<std::chrono::seconds> lifetime;  // none: until it is refused
};

// kUnavailable, with the server's own word for it, where the answer holds no token.
Result<AccessToken> ReadTokenAnswer(int status, std::string_view body);

// The token at hand. Thread-safe.
class TokenCache {
 public:
  // Nothing if there is none or it is about to expire.
  std::optional<std::string> Get(Instant now) const;
  void Put(AccessToken token, ClientAuth auth, Instant now);
  // It was refused.
  void Forget();
  // The way that worked last; nothing where none has.
  std::optional<ClientAuth> auth() const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::string token_;
  Instant fresh_until_ = Instant::max();
  std::optional<ClientAuth> auth_;
};

// Thread-safe.
class TokenSource {
 public:
  // `clock` outlives it.
  TokenSource(OAuth2 options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // The token at hand, or a new one; for that the header is tried first, then the form, as Go's
  // clients do. Errors as HttpClient::Send, or those of ReadTokenAnswer(); all begin with "oauth2".
  Result<std::string> Get(Deadline deadline, std::stop_token stop = {});
  void Forget() { cache_.Forget(); }

 private:
  Result<HttpResponse> Ask(ClientAuth auth, Deadline deadline, std::stop_token stop) const;

  const OAuth2 options_;
  const Clock& clock_;
  TokenCache cache_;
};

}  // namespace vigia
