#include "core/oauth2.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/text/percent.h"

namespace vigia {
namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;

// A token is renewed so long before it expires, so that it does not run out on its way.
constexpr std::chrono::milliseconds kMargin = 10s;
constexpr double kLongestLifetime = 1e8;  // seconds

void AppendParameter(std::string& form, std::string_view name, std::string_view value) {
  form += "&" + text::FormEncode(name) + "=" + text::FormEncode(value);
}

// What section 5.2 lets a server say: "invalid_client: unknown client".
std::string Complaint(const nlohmann::json& answer) {
  constexpr std::size_t kMost = 200;
  std::string text;
  for (const auto* const key : {"error", "error_description"}) {
    if (!answer.is_object() || !answer.contains(key) || !answer[key].is_string()) continue;
    text += ": " + answer[key].get<std::string>();
  }
  return text.substr(0, kMost);
}

}  // namespace

Result<HttpRequest> MakeTokenRequest(const OAuth2& options, ClientAuth auth) {
  const auto secret = options.client_secret.Reveal();
  if (!secret) return Fail(secret.error());
  HttpRequest request{.method = "POST", .url = options.token_url};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = "grant_type=client_credentials";
  if (auth == ClientAuth::kHeader) {
    const auto pair = text::FormEncode(options.client_id) + ":" + text::FormEncode(*secret);
    request.headers.emplace_back("Authorization", "Basic " + EncodeBase64(pair));
  } else {
    AppendParameter(request.body, "client_id", options.client_id);
    if (!secret->empty()) AppendParameter(request.body, "client_secret", *secret);
  }
  std::string scopes;
  for (const auto& scope : options.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty()) AppendParameter(request.body, "scope", scopes);
  for (const auto& [name, value] : options.endpoint_params) {
    AppendParameter(request.body, name, value);
  }
  return request;
}

Result<AccessToken> ReadTokenAnswer(int status, std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto text = json.is_object() ? json.find("access_token") : json.end();
  if (status / 100 != 2 || text == json.end() || !text->is_string() ||
      text->get<std::string>().empty()) {
    return Fail(ErrorCode::kUnavailable,
                "no token, HTTP status " + std::to_string(status) + Complaint(json));
  }
  AccessToken token{text->get<std::string>(), std::nullopt};
  if (const auto lifetime = json.find("expires_in"); lifetime != json.end()) {
    // Some servers write the number as a string.
    const double seconds = lifetime->is_number()   ? lifetime->get<double>()
                           : lifetime->is_string() ? std::atof(lifetime->get<std::string>().c_str())
                                                   : kLongestLifetime;
    if (seconds >= 0) {  // a string may say "nan"
      token.lifetime =
          std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kLongestLifetime)));
    }
  }
  return token;
}

std::optional<std::string> TokenCache::Get(Instant now) const {
  const std::lock_guard lock(mutex_);
  if (token_.empty() || now >= fresh_until_) return std::nullopt;
  return token_;
}

void TokenCache::Put(AccessToken token, ClientAuth auth, Instant now) {
  const std::lock_guard lock(mutex_);
  token_ = std::move(token.text);
  auth_ = auth;
  fresh_until_ = Instant::max();
  if (!token.lifetime) return;
  const std::chrono::milliseconds lifetime = *token.lifetime;
  fresh_until_ = now + lifetime - std::min(kMargin, lifetime / 10);
}

void TokenCache::Forget() {
  const std::lock_guard lock(mutex_);
  token_.clear();
}

std::optional<ClientAuth> TokenCache::auth() const {
  const std::lock_guard lock(mutex_);
  return auth_;
}

Result<HttpResponse> TokenSource::Ask(ClientAuth auth, Deadline deadline,
                                      std::stop_token stop) const {
  const auto request = MakeTokenRequest(options_, auth);
  if (!request) return Fail(request.error());
  HttpClient client({.tls = options_.tls, .proxy = options_.proxy, .max_body_bytes = kMaxAnswer});
  return client.Send(*request, deadline, std::move(stop));
}

Result<std::string> TokenSource::Get(Deadline deadline, std::stop_token stop) {
  if (auto token = cache_.Get(clock_.Now())) return *std::move(token);
  const auto known = cache_.auth();
  auto auth = known.value_or(ClientAuth::kHeader);
  std::optional<Error> first;
  while (true) {
    const auto answer = Ask(auth, deadline, stop);
    if (!answer) return Fail(answer.error().In("oauth2"));
    if (const auto token = ReadTokenAnswer(answer->status, answer->body)) {
      cache_.Put(*token, auth, clock_.Now());
      return token->text;
    } else if (!first) {
      first = token.error().In("oauth2");
    }
    const bool other = !known && auth == ClientAuth::kHeader && answer->status / 100 == 4;
    if (!other) return Fail(*first);
    auth = ClientAuth::kForm;
  }
}

}  // namespace vigia
