#include "core/curl_request.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>

namespace vigia {
namespace {

// All headers of all answers to one request together.
constexpr std::size_t kMaxHeaderBytes = 256 * 1024;
static_assert(CURL_ERROR_SIZE == 256);

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

template <typename T>
void Set(void* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

}  // namespace

bool IsHttpField(std::string_view name, std::string_view value) {
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

void InitCurl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

CurlRequest::CurlRequest(void* easy) : easy_(easy) {
  curl_easy_reset(easy_);
  Set(easy_, CURLOPT_ERRORBUFFER, error_.data());
}

CurlRequest::~CurlRequest() {
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
  curl_slist_free_all(proxy_headers_);
}

void CurlRequest::SetGeneral(bool follow, int max_redirects) {
  Set(easy_, CURLOPT_NOSIGNAL, 1L);
  Set(easy_, CURLOPT_QUICK_EXIT, 1L);
  Set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  Set(easy_, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
  Set(easy_, CURLOPT_MAXREDIRS, static_cast<long>(max_redirects));
}

void CurlRequest::SetMethod(const std::string& method, const std::string& body, bool to_sign) {
  if (method == "HEAD") {
    Set(easy_, CURLOPT_NOBODY, 1L);
  } else if (method == "POST" || !body.empty()) {
    Set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    Set(easy_, CURLOPT_POSTFIELDS, body.data());
    // No waiting for a "100 Continue" that few servers send. curl 7.88 would sign that there is
    // none, and no server agrees.
    if (!to_sign) headers_ = curl_slist_append(headers_, "Expect:");
  }
  const bool plain = method == "GET" || method == "HEAD" || method == "POST";
  if (!plain || (method == "GET" && !body.empty())) {
    Set(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void CurlRequest::SetTls(const HttpTls& tls) { SetCurlTls(easy_, tls); }

void CurlRequest::SetProxy(const HttpProxy& proxy, std::string_view url) {
  if (!proxy.from_environment) {
    Set(easy_, CURLOPT_PROXY, proxy.url.c_str());
  } else if (!url.starts_with("https:") && !std::getenv("http_proxy")) {
    // curl reads this one in lower case only, for the sake of CGI programs.
    const char* const upper = std::getenv("HTTP_PROXY");
    if (upper) Set(easy_, CURLOPT_PROXY, upper);
  }
  // Unset, curl takes the environment's.
  if (!proxy.from_environment || !proxy.no_proxy.empty()) {
    Set(easy_, CURLOPT_NOPROXY, proxy.no_proxy.c_str());
  }
  if (proxy.connect_headers.empty()) return;
  for (const auto& [name, value] : proxy.connect_headers) {
    if (!IsHttpField(name, value)) continue;
    proxy_headers_ = curl_slist_append(proxy_headers_, (name + ": " + value).c_str());
  }
  Set(easy_, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  Set(easy_, CURLOPT_PROXYHEADER, proxy_headers_);
}

Status CurlRequest::SetUrl(const std::string& url, const std::string& server_name) {
  if (server_name.empty() || !curl_strnequal(url.c_str(), "https:", 6)) {
    Set(easy_, CURLOPT_URL, url.c_str());
    return Ok();
  }
  const auto parsed = ParseHttpUrl(url);
  if (!parsed) return Fail(parsed.error());
  const auto port = std::to_string(parsed->port);
  const auto route = server_name + ":" + port + ":" + parsed->host + ":" + port;
  connect_to_ = curl_slist_append(connect_to_, route.c_str());
  Set(easy_, CURLOPT_CONNECT_TO, connect_to_);
  CURLU* const edited = curl_url();
  curl_url_set(edited, CURLUPART_URL, url.c_str(), 0);
  const CURLUcode code = curl_url_set(edited, CURLUPART_HOST, server_name.c_str(), 0);
  char* text = nullptr;
  const bool ok = code == CURLUE_OK && curl_url_get(edited, CURLUPART_URL, &text, 0) == CURLUE_OK;
  if (ok) Set(easy_, CURLOPT_URL, static_cast<const char*>(text));  // copied
  curl_free(text);
  curl_url_cleanup(edited);
  if (!ok) return Fail(ErrorCode::kInvalid, "'" + server_name + "' is not a host's name");
  if (has_host_) return Ok();
  return AddHeader("Host", parsed->port == 443 ? parsed->host : parsed->host + ":" + port);
}

// curl sends neither to a host that the server redirects to.
Status CurlRequest::SetAuth(const HttpAuth& auth) {
  if (!auth.username.empty() || !auth.password.empty()) {
    const auto password = auth.password.Reveal();
    if (!password) return Fail(password.error());
    Set(easy_, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    Set(easy_, CURLOPT_USERNAME, auth.username.c_str());
    Set(easy_, CURLOPT_PASSWORD, password->c_str());
  }
  if (auth.credentials.empty()) return Ok();
  const auto credentials = auth.credentials.Reveal();
  if (!credentials) return Fail(credentials.error());
  return AddHeader("Authorization", auth.type + " " + *credentials);
}

Status CurlRequest::Sign(const AwsSignature& aws) {
  Set(easy_, CURLOPT_AWS_SIGV4, ("aws:amz:" + aws.region + ":" + aws.service).c_str());
  Set(easy_, CURLOPT_USERNAME, aws.access_key.c_str());
  Set(easy_, CURLOPT_PASSWORD, aws.secret_key.c_str());
  if (aws.session_token.empty()) return Ok();
  return AddHeader("X-Amz-Security-Token", aws.session_token);
}

Status CurlRequest::AddHeader(const std::string& name, const std::string& value) {
  if (!IsHttpField(name, value)) {
    return Fail(ErrorCode::kInvalid, "header '" + name + "' holds characters that no header may");
  }
  has_host_ = has_host_ || curl_strequal(name.c_str(), "Host") != 0;
  // The form with a semicolon is curl's for an empty value.
  const auto line = value.empty() ? name + ";" : name + ": " + value;
  headers_ = curl_slist_append(headers_, line.c_str());
  return Ok();
}

void CurlRequest::SetHeaders() { Set(easy_, CURLOPT_HTTPHEADER, headers_); }

std::string CurlRequest::Why(int code) const {
  return error_[0] != '\0' ? error_.data() : curl_easy_strerror(static_cast<CURLcode>(code));
}

// curl's times count from the start of each request, and add up over redirects.
HttpTimings CurlRequest::Timings() const {
  const auto time = [this](CURLINFO info) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy_, info, &microseconds);
    return std::chrono::microseconds(microseconds);
  };
  const auto until_resolved = time(CURLINFO_NAMELOOKUP_TIME_T);
  const auto until_connected = std::max(until_resolved, time(CURLINFO_CONNECT_TIME_T));
  const auto until_secured = std::max(until_connected, time(CURLINFO_APPCONNECT_TIME_T));
  const auto until_sent = std::max(until_secured, time(CURLINFO_PRETRANSFER_TIME_T));
  const auto until_first_byte = std::max(until_sent, time(CURLINFO_STARTTRANSFER_TIME_T));
  HttpTimings timings;
  timings.total = time(CURLINFO_TOTAL_TIME_T);
  timings.resolve = until_resolved;
  timings.connect = until_connected - until_resolved;
  timings.tls = until_secured - until_connected;
  timings.processing = until_first_byte - until_sent;
  timings.transfer = std::max(timings.total, until_first_byte) - until_first_byte;
  return timings;
}

bool HttpHead::Take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > kMaxHeaderBytes) return false;
  if (line.starts_with("HTTP/")) fields_.clear();
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return true;
  std::string name(Trim(line.substr(0, colon)));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  fields_.emplace_back(std::move(name), Trim(line.substr(colon + 1)));
  return true;
}

std::string_view HttpHead::Find(std::string_view name) const {
  for (const auto& [header, value] : fields_) {
    if (header == name) return value;
  }
  return {};
}

}  // namespace vigia
