#include "core/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "core/curl_request.h"

namespace vigia {
namespace {

constexpr long kMaxConnections = 4;

// Constructors do not fail, and curl_global_init() is done before the first handle is made.
CURL* NewHandle() {
  InitCurl();
  return curl_easy_init();
}

ErrorCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kTimeout;
    // Not so files of the TLS options: they may be in the middle of being replaced.
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return ErrorCode::kInvalid;
    case CURLE_BAD_CONTENT_ENCODING:
      return ErrorCode::kCorrupt;
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kUnavailable;
  }
}

// A parsed URL that can be edited.
class Url {
 public:
  explicit Url(std::string_view text)
      : url_(curl_url()),
        code_(url_ ? curl_url_set(url_, CURLUPART_URL, std::string(text).c_str(), 0)
                   : CURLUE_OUT_OF_MEMORY) {
    if (text.find('\0') != text.npos) code_ = CURLUE_MALFORMED_INPUT;  // curl stops there
  }
  ~Url() { curl_url_cleanup(url_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  // Empty where there is no such part.
  std::string Get(CURLUPart part) const {
    char* text = nullptr;
    const unsigned flags = part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0;
    if (curl_url_get(url_, part, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }
  void Set(CURLUPart part, const std::string& text, unsigned flags = 0) {
    if (code_ == CURLUE_OK) code_ = curl_url_set(url_, part, text.c_str(), flags);
  }
  Status status() const {
    if (code_ != CURLUE_OK) {
      return Fail(ErrorCode::kInvalid, std::string("not a URL: ") + curl_url_strerror(code_));
    }
    const auto scheme = Get(CURLUPART_SCHEME);
    if (scheme == "http" || scheme == "https") return Ok();
    return Fail(ErrorCode::kInvalid, "not a URL of http or https");
  }

 private:
  CURLU* url_;
  CURLUcode code_;
};

// As CURLOPT_SSLVERSION takes them.
long CurlVersions(const HttpTls& tls) {
  constexpr std::array<long, 5> kLeast{CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_TLSv1_0,
                                       CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_TLSv1_2,
                                       CURL_SSLVERSION_TLSv1_3};
  constexpr std::array<long, 5> kMost{CURL_SSLVERSION_MAX_DEFAULT, CURL_SSLVERSION_MAX_TLSv1_0,
                                      CURL_SSLVERSION_MAX_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_2,
                                      CURL_SSLVERSION_MAX_TLSv1_3};
  return kLeast[static_cast<std::size_t>(tls.min_version)] |
         kMost[static_cast<std::size_t>(tls.max_version)];
}

}  // namespace

void SetCurlTls(void* curl, const HttpTls& tls) {
  const auto set_path = [curl](CURLoption option, const std::filesystem::path& path) {
    if (!path.empty()) curl_easy_setopt(curl, option, path.c_str());
  };
  const auto set_pem = [curl](CURLoption option, std::string pem) {
    curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
    if (!pem.empty()) curl_easy_setopt(curl, option, &blob);
  };
  set_path(CURLOPT_CAINFO, tls.ca_file);
  set_pem(CURLOPT_CAINFO_BLOB, tls.ca);
  // Who names authorities trusts no others.
  if (!tls.ca_file.empty() || !tls.ca.empty()) curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  set_path(CURLOPT_SSLCERT, tls.cert_file);
  set_pem(CURLOPT_SSLCERT_BLOB, tls.cert);
  set_path(CURLOPT_SSLKEY, tls.key_file);
  set_pem(CURLOPT_SSLKEY_BLOB, tls.key.Reveal().value_or(""));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CurlVersions(tls));
  if (tls.min_version == TlsVersion::k10 || tls.min_version == TlsVersion::k11) {
    // OpenSSL refuses what these versions sign with unless it is told not to.
    curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
  }
  if (!tls.insecure_skip_verify) return;
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

Result<HttpUrl> ParseHttpUrl(std::string_view url) {
  const Url parsed(url);
  if (auto status = parsed.status(); !status) return Fail(status.error());
  return HttpUrl{parsed.Get(CURLUPART_SCHEME), parsed.Get(CURLUPART_HOST),
                 std::stoi(parsed.Get(CURLUPART_PORT)), !parsed.Get(CURLUPART_USER).empty()};
}

Result<std::string> AddUrlParameters(std::string_view url, const HttpFields& parameters) {
  Url edited(url);
  for (const auto& [name, value] : parameters) {
    edited.Set(CURLUPART_QUERY, name + "=" + value, CURLU_APPENDQUERY | CURLU_URLENCODE);
  }
  if (auto status = edited.status(); !status) return Fail(status.error());
  return edited.Get(CURLUPART_URL);
}

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (header == name) return value;
  }
  return {};
}

// One request on its way: what curl calls back, and what has to live until it is done.
class HttpClient::Transfer {
 public:
  Transfer(CURL* curl, const Options& options) : curl_(curl), options_(options), request_(curl) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Status Prepare(const HttpRequest& request) {
    if (auto url = ParseHttpUrl(request.url); !url) return Fail(url.error());
    request_.SetGeneral(options_.follow_redirects, options_.max_redirects);
    SetCallbacks();
    request_.SetMethod(request.method, request.body, request.aws.has_value());
    request_.SetTls(options_.tls);
    request_.SetProxy(options_.proxy, request.url);
    for (const auto& [name, value] : request.headers) {
      if (auto status = request_.AddHeader(name, value); !status) return status;
    }
    auto status = request_.SetUrl(request.url, options_.tls.server_name);
    if (status)
      status = request.aws ? request_.Sign(*request.aws) : request_.SetAuth(options_.auth);
    request_.SetHeaders();
    return status;
  }

  Result<HttpResponse> Run(Deadline deadline, std::stop_token stop) {
    stop_ = std::move(stop);
    if (stop_.stop_possible()) {
      Set(CURLOPT_NOPROGRESS, 0L);
      Set(CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
      Set(CURLOPT_XFERINFODATA, this);
    }
    constexpr auto kLongest = std::chrono::milliseconds(24h);
    const auto left = std::min(deadline.Left(), kLongest);
    if (left.count() == 0) return Fail(ErrorCode::kTimeout, "the deadline has passed");
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    const CURLcode code = curl_easy_perform(curl_);
    if (code != CURLE_OK && !response_.truncated) {
      return Fail(CodeOf(code), request_.Why(code));
    }
    long status = 0;
    char* url = nullptr;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl_, CURLINFO_EFFECTIVE_URL, &url);
    response_.status = static_cast<int>(status);
    response_.url = url ? url : "";
    response_.headers = std::move(head_.fields());
    response_.timings = request_.Timings();
    return std::move(response_);
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(curl_, option, value);
  }

  void SetCallbacks() {
    Set(CURLOPT_MAXCONNECTS, kMaxConnections);
    if (!options_.http2) Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_USERAGENT, "vigia");
    Set(CURLOPT_ACCEPT_ENCODING, "gzip");
    Set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    Set(CURLOPT_WRITEDATA, this);
  }

  // curl asks at least once a second; anything but 0 ends the transfer.
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stop_.stop_requested() ? 1 : 0;
  }

  static std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->head_.Take({data, size}) ? size : 0;
  }

  static std::size_t OnBody(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->TakeBody({data, size}) ? size : 0;
  }

  bool TakeBody(std::string_view bytes) {
    const std::size_t room = options_.max_body_bytes - response_.body.size();
    response_.truncated = bytes.size() > room;
    response_.body += bytes.substr(0, room);
    return !response_.truncated;
  }

  CURL* const curl_;
  const Options& options_;
  CurlRequest request_;
  std::stop_token stop_;
  HttpHead head_;
  HttpResponse response_;
};

HttpClient::HttpClient(Options options) : options_(std::move(options)), curl_(NewHandle()) {}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

Result<HttpResponse> HttpClient::Send(const HttpRequest& request, Deadline deadline,
                                      std::stop_token stop) {
  if (!curl_) return Fail(ErrorCode::kInternal, "curl has no memory");
  Transfer transfer(curl_, options_);
  if (auto status = transfer.Prepare(request); !status) return Fail(status.error());
  return transfer.Run(deadline, std::move(stop));
}

}  // namespace vigia
