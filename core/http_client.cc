#include "core/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>

namespace vigia {
namespace {

// All headers of all answers to one request together.
constexpr std::size_t kMaxHeaderBytes = 256 * 1024;
constexpr long kMaxConnections = 4;

// Constructors do not fail, and curl_global_init() is done before the first handle is made.
CURL* NewHandle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return curl_easy_init();
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// Whether a header cannot smuggle a second one in.
bool IsHeader(std::string_view name, std::string_view value) {
  const auto token = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  const auto printable = [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), token) &&
         std::all_of(value.begin(), value.end(), printable);
}

ErrorCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kTimeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
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
                   : CURLUE_OUT_OF_MEMORY) {}
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
  set_path(CURLOPT_CAINFO, tls.ca_file);
  // Who names authorities trusts no others.
  if (!tls.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  set_path(CURLOPT_SSLCERT, tls.cert_file);
  set_path(CURLOPT_SSLKEY, tls.key_file);
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
  Transfer(CURL* curl, const Options& options) : curl_(curl), options_(options) {
    curl_easy_reset(curl_);  // connections stay
  }
  ~Transfer() {
    curl_slist_free_all(headers_);
    curl_slist_free_all(connect_to_);
    curl_slist_free_all(proxy_headers_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Status Prepare(const HttpRequest& request) {
    SetGeneral();
    SetMethod(request);
    SetCurlTls(curl_, options_.tls);
    SetProxy();
    if (auto status = SetUrl(request.url); !status) return status;
    if (auto status = request.aws ? Sign(*request.aws) : SetAuth(); !status) return status;
    for (const auto& [name, value] : request.headers) {
      if (auto status = AddHeader(name, value); !status) return status;
    }
    Set(CURLOPT_HTTPHEADER, headers_);
    return Ok();
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
      return Fail(CodeOf(code), error_[0] ? error_.data() : curl_easy_strerror(code));
    }
    long status = 0;
    char* url = nullptr;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl_, CURLINFO_EFFECTIVE_URL, &url);
    response_.status = static_cast<int>(status);
    response_.url = url ? url : "";
    ReadTimings();
    return std::move(response_);
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(curl_, option, value);
  }

  void SetGeneral() {
    Set(CURLOPT_ERRORBUFFER, error_.data());
    Set(CURLOPT_NOSIGNAL, 1L);
    // Else a resolver that hangs would hold us beyond the timeout.
    Set(CURLOPT_QUICK_EXIT, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_FOLLOWLOCATION, options_.follow_redirects ? 1L : 0L);
    Set(CURLOPT_MAXREDIRS, static_cast<long>(options_.max_redirects));
    Set(CURLOPT_MAXCONNECTS, kMaxConnections);
    if (!options_.http2) Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_USERAGENT, "vigia");
    Set(CURLOPT_ACCEPT_ENCODING, "gzip");
    Set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    Set(CURLOPT_WRITEDATA, this);
  }

  void SetProxy() {
    const auto& proxy = options_.proxy;
    if (!proxy.from_environment) Set(CURLOPT_PROXY, proxy.url.c_str());
    if (!proxy.no_proxy.empty()) Set(CURLOPT_NOPROXY, proxy.no_proxy.c_str());
    if (proxy.connect_headers.empty()) return;
    for (const auto& [name, value] : proxy.connect_headers) {
      if (!IsHeader(name, value)) continue;
      proxy_headers_ = curl_slist_append(proxy_headers_, (name + ": " + value).c_str());
    }
    Set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    Set(CURLOPT_PROXYHEADER, proxy_headers_);
  }

  void SetMethod(const HttpRequest& request) {
    if (request.method == "HEAD") {
      Set(CURLOPT_NOBODY, 1L);
    } else if (request.method == "POST" || !request.body.empty()) {
      Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      Set(CURLOPT_POSTFIELDS, request.body.data());
      // No waiting for a "100 Continue" that few servers send. curl 7.88 would sign that there is
      // none, and no server agrees.
      if (!request.aws) headers_ = curl_slist_append(headers_, "Expect:");
    }
    const bool plain =
        request.method == "GET" || request.method == "HEAD" || request.method == "POST";
    if (!plain || (request.method == "GET" && !request.body.empty())) {
      Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  // With a server name of its own, curl is told to ask that server at the address of the other.
  Status SetUrl(const std::string& text) {
    Url url(text);
    if (auto status = url.status(); !status) return status;
    const auto& name = options_.tls.server_name;
    if (!name.empty() && url.Get(CURLUPART_SCHEME) == "https") {
      const auto host = url.Get(CURLUPART_HOST);
      const auto port = url.Get(CURLUPART_PORT);
      url.Set(CURLUPART_HOST, name);
      if (auto status = url.status(); !status) return status;
      const auto route = name + ":" + port + ":" + host + ":" + port;
      connect_to_ = curl_slist_append(connect_to_, route.c_str());
      Set(CURLOPT_CONNECT_TO, connect_to_);
      const auto asked = port == "443" ? host : host + ":" + port;
      if (auto status = AddHeader("Host", asked); !status) return status;
    }
    Set(CURLOPT_URL, url.Get(CURLUPART_URL).c_str());
    return Ok();
  }

  // curl sends neither to a host that the server redirects to.
  Status SetAuth() {
    const auto& auth = options_.auth;
    if (!auth.username.empty() || !auth.password.empty()) {
      const auto password = auth.password.Reveal();
      if (!password) return Fail(password.error());
      Set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      Set(CURLOPT_USERNAME, auth.username.c_str());
      Set(CURLOPT_PASSWORD, password->c_str());
    }
    if (auth.credentials.empty()) return Ok();
    const auto credentials = auth.credentials.Reveal();
    if (!credentials) return Fail(credentials.error());
    return AddHeader("Authorization", auth.type + " " + *credentials);
  }

  // curl signs the headers of the request, too.
  Status Sign(const AwsSignature& aws) {
    Set(CURLOPT_AWS_SIGV4, ("aws:amz:" + aws.region + ":" + aws.service).c_str());
    Set(CURLOPT_USERNAME, aws.access_key.c_str());
    Set(CURLOPT_PASSWORD, aws.secret_key.c_str());
    if (aws.session_token.empty()) return Ok();
    return AddHeader("X-Amz-Security-Token", aws.session_token);
  }

  Status AddHeader(const std::string& name, const std::string& value) {
    if (!IsHeader(name, value)) {
      return Fail(ErrorCode::kInvalid, "header '" + name + "' holds characters that no header may");
    }
    // The form with a semicolon is curl's for an empty value.
    const auto line = value.empty() ? name + ";" : name + ": " + value;
    headers_ = curl_slist_append(headers_, line.c_str());
    return Ok();
  }

  // curl asks at least once a second; anything but 0 ends the transfer.
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stop_.stop_requested() ? 1 : 0;
  }

  static std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->TakeHeader({data, size}) ? size : 0;
  }

  bool TakeHeader(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes) return false;
    if (line.starts_with("HTTP/")) response_.headers.clear();
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return true;
    response_.headers.emplace_back(Lower(Trim(line.substr(0, colon))),
                                   Trim(line.substr(colon + 1)));
    return true;
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

  // curl's times count from the start of each request, and add up over redirects.
  void ReadTimings() {
    const auto time = [this](CURLINFO info) {
      curl_off_t microseconds = 0;
      curl_easy_getinfo(curl_, info, &microseconds);
      return std::chrono::microseconds(microseconds);
    };
    const auto until_resolved = time(CURLINFO_NAMELOOKUP_TIME_T);
    const auto until_connected = std::max(until_resolved, time(CURLINFO_CONNECT_TIME_T));
    const auto until_secured = std::max(until_connected, time(CURLINFO_APPCONNECT_TIME_T));
    const auto until_sent = std::max(until_secured, time(CURLINFO_PRETRANSFER_TIME_T));
    const auto until_first_byte = std::max(until_sent, time(CURLINFO_STARTTRANSFER_TIME_T));
    auto& timings = response_.timings;
    timings.total = time(CURLINFO_TOTAL_TIME_T);
    timings.resolve = until_resolved;
    timings.connect = until_connected - until_resolved;
    timings.tls = until_secured - until_connected;
    timings.processing = until_first_byte - until_sent;
    timings.transfer = std::max(timings.total, until_first_byte) - until_first_byte;
  }

  CURL* const curl_;
  const Options& options_;
  std::stop_token stop_;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  curl_slist* proxy_headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::size_t header_bytes_ = 0;
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
