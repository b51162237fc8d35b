// A CurlRequest sets up one request on a curl handle from our own types, and owns what curl only
// borrows meanwhile: what HttpClient and the HTTP probes have in common. For the .cc files that
// run curl. Not thread-safe; stays where it is while the handle uses it.

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/http_client.h"

struct curl_slist;

namespace vigia {

class CurlRequest {
 public:
  // `easy` is a CURL*, which is reset; its connections stay. It outlives the request.
  explicit CurlRequest(void* easy);
  ~CurlRequest();
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;

  // Only http and https, no signals, no waiting for a resolver that hangs. `follow`: at most
  // `max_redirects` redirects are followed.
  void SetGeneral(bool follow, int max_redirects);
  // `body` outlives the request. `to_sign`: Sign() follows.
  void SetMethod(const std::string& method, const std::string& body, bool to_sign = false);
  void SetTls(const HttpTls& tls);
  // Before the proxy: what is asked decides which of the environment's is meant.
  void SetProxy(const HttpProxy& proxy, std::string_view url);
  // With `server_name`, curl is told to ask that server at the address of the URL's; the Host
  // header stays that of the URL unless one is added before. kInvalid for what is not a URL, where
  // that is looked at.
  Status SetUrl(const std::string& url, const std::string& server_name);
  Status SetAuth(const HttpAuth& auth);
  // Instead of SetAuth(); curl signs the headers of the request, too.
  Status Sign(const AwsSignature& aws);
  // kInvalid for one that would smuggle a second in.
  Status AddHeader(const std::string& name, const std::string& value);
  // The last of all.
  void SetHeaders();

  // Why it ended with `code`, a CURLcode: in what curl said last, or in general words.
  std::string Why(int code) const;
  // Of what was done so far.
  HttpTimings Timings() const;

 private:
  void* const easy_;
  bool has_host_ = false;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  curl_slist* proxy_headers_ = nullptr;
  std::array<char, 256> error_{};  // CURL_ERROR_SIZE
};

// The head of an answer, as curl hands it over line by line; that of a redirect's answer is
// forgotten when the next one begins.
class HttpHead {
 public:
  // False once there is more than any server should send.
  bool Take(std::string_view line);

  // Names in lower case.
  const HttpFields& fields() const { return fields_; }
  HttpFields& fields() { return fields_; }
  // The first of that name, or an empty string.
  std::string_view Find(std::string_view name) const;

 private:
  HttpFields fields_;
  std::size_t bytes_ = 0;
};

// Whether a header may be called so and hold that: nothing that would smuggle a second in.
bool IsHttpField(std::string_view name, std::string_view value);

// Calls curl_global_init() once for the process.
void InitCurl();

}  // namespace vigia
