#include "query/remote_write/token.h"

#include <nlohmann/json.hpp>

namespace vigia::remote_write {
namespace {

// A token is renewed so long before it expires.
constexpr auto kMargin = 10s;

// Percent-encoding of application/x-www-form-urlencoded.
std::string Encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace

Result<HttpRequest> TokenSource::MakeRequest() const {
  auto secret = options_.client_secret.Reveal();
  if (!secret) return Fail(secret.error());
  std::string scopes;
  for (const auto& scope : options_.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  HttpRequest request{.method = "POST", .url = options_.token_url};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = "grant_type=client_credentials&client_id=" + Encoded(options_.client_id) +
                 "&client_secret=" + Encoded(*secret);
  if (!scopes.empty()) request.body += "&scope=" + Encoded(scopes);
  for (const auto& [name, value] : options_.endpoint_params) {
    request.body += "&" + Encoded(name) + "=" + Encoded(value);
  }
  return request;
}

Status TokenSource::Take(const HttpResponse& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  const auto token = json.is_object() ? json.find("access_token") : json.end();
  if (answer.status / 100 != 2 || token == json.end() || !token->is_string()) {
    return Fail(ErrorCode::kUnavailable,
                "oauth2: no token, HTTP status " + std::to_string(answer.status));
  }
  token_ = token->get<std::string>();
  const auto lifetime = json.find("expires_in");
  expires_.reset();
  if (lifetime != json.end() && lifetime->is_number()) {
    const double seconds = std::clamp(lifetime->get<double>(), 0.0, 1e8);
    expires_ = clock_.Now() + std::chrono::seconds(static_cast<std::int64_t>(seconds));
  }
  return Ok();
}

Result<std::string> TokenSource::Get(Deadline deadline, std::stop_token stop) {
  const bool fresh = !token_.empty() && (!expires_ || clock_.Now() + kMargin < *expires_);
  if (fresh) return token_;
  const auto request = MakeRequest();
  if (!request) return Fail(request.error().In("oauth2"));
  const auto answer = client_.Send(*request, deadline, std::move(stop));
  if (!answer) return Fail(answer.error().In("oauth2"));
  if (auto status = Take(*answer); !status) return Fail(status.error());
  return token_;
}

}  // namespace vigia::remote_write
