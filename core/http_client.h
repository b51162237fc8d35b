// An HttpClient asks HTTP servers and waits for the answer, at most until a deadline.
//
//     HttpClient client({.max_body_bytes = 1 << 20});
//     auto answer = client.Get("http://127.0.0.1:8000/metrics", deadline);
//     if (!answer) return Fail(answer.error());
//     if (answer->status != 200) ...
//
// Only http and https, redirects included; proxies only where the options say so, no .netrc.
// Connections are kept and used again. Not thread-safe: one client per worker.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"

namespace vigia {

// Names and values, in order; names may repeat.
using HttpFields = std::vector<std::pair<std::string, std::string>>;
// The same with values that are told to nobody, or stand in files.
using SecretHttpFields = std::vector<std::pair<std::string, Secret>>;

enum class TlsVersion { kDefault, k10, k11, k12, k13 };

// As Prometheus' tls_config has it.
struct HttpTls {
  std::filesystem::path ca_file;  // without it and `ca`: the system's
  std::filesystem::path cert_file;
  std::filesystem::path key_file;
  // PEM, instead of the files.
  std::string ca;
  std::string cert;
  Secret key;
  std::string server_name;  // what the certificate has to be made out to; empty: the URL's host
  bool insecure_skip_verify = false;
  TlsVersion min_version = TlsVersion::kDefault;  // 1.2
  TlsVersion max_version = TlsVersion::kDefault;  // the newest
};

// Sets the TLS options of a CURL*, all but the server's name.
void SetCurlTls(void* curl, const HttpTls& tls);

// At most one of the two. Sent to the host of the URL alone, not to hosts that it redirects to.
struct HttpAuth {
  std::string username;  // basic
  Secret password;
  std::string type = "Bearer";  // "Authorization: <type> <credentials>"
  Secret credentials;
};

// As Prometheus' proxy_url and its kin have it; none by default, whatever the environment says.
struct HttpProxy {
  std::string url;
  std::string no_proxy;           // hosts, domains and networks that are asked directly, by commas
  bool from_environment = false;  // HTTP_PROXY, HTTPS_PROXY, NO_PROXY
  HttpFields connect_headers;     // of CONNECT requests to the proxy
};

// What a request to one of Amazon's services is signed with (Signature Version 4).
struct AwsSignature {
  std::string region;
  std::string service;  // "sns"
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // of keys that are lent; empty for others
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpFields headers;
  std::string body;
  std::optional<AwsSignature> aws = std::nullopt;  // instead of the options' HttpAuth
};

// How long each phase took, summed over redirects; about zero for what a kept connection spared.
struct HttpTimings {
  std::chrono::microseconds resolve{};
  std::chrono::microseconds connect{};
  std::chrono::microseconds tls{};
  std::chrono::microseconds processing{};  // from the request to the first byte of its answer
  std::chrono::microseconds transfer{};
  std::chrono::microseconds total{};
};

struct HttpResponse {
  int status = 0;
  HttpFields headers;      // of the last answer; names in lower case
  std::string body;        // decompressed
  bool truncated = false;  // the body went on beyond max_body_bytes, where reading stopped
  std::string url;         // that answered, after redirects
  HttpTimings timings;

  // The first header called `name` (in lower case), or an empty string.
  std::string_view Header(std::string_view name) const;
};

// What a URL names.
struct HttpUrl {
  std::string scheme;  // http or https
  std::string host;    // IPv6 addresses in brackets
  int port = 0;        // 80 or 443 where the URL has none
  bool has_user = false;
};

// kInvalid for what is not a URL of http or https.
Result<HttpUrl> ParseHttpUrl(std::string_view url);

// `url` with parameters added to its query, percent-encoded.
Result<std::string> AddUrlParameters(std::string_view url, const HttpFields& parameters);

class HttpClient {
 public:
  struct Options {
    HttpTls tls = {};
    HttpAuth auth = {};
    HttpProxy proxy = {};
    bool follow_redirects = true;
    bool http2 = true;  // where a server of https offers it
    int max_redirects = 10;
    // Of the decompressed body.
    std::size_t max_body_bytes = std::size_t{64} << 20;
  };

  HttpClient() : HttpClient(Options{}) {}
  explicit HttpClient(Options options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is an answer. Errors: kTimeout at the deadline, kInvalid for a request that no
  // server could answer (URL, headers), else kUnavailable, as for files of the TLS options, which
  // may be in the middle of being replaced. Ends about a second after `stop`, as kUnavailable.
  Result<HttpResponse> Send(const HttpRequest& request, Deadline deadline,
                            std::stop_token stop = {});
  Result<HttpResponse> Get(std::string_view url, Deadline deadline) {
    return Send({.url = std::string(url)}, deadline);
  }

 private:
  class Transfer;

  const Options options_;
  void* curl_;  // CURL*; nullptr if there was no memory for it
};

}  // namespace vigia
