#include "collectors/probe/http_transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>

#include "core/http_client.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256 * 1024;
// Go's http.Client, and so blackbox_exporter, gives up after as many.
constexpr long kMaxRedirects = 10;
static_assert(CURL_ERROR_SIZE == 256);

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  return text;
}

Reason ReasonOf(int code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Reason::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Reason::kDns;
    case CURLE_COULDNT_CONNECT:
      return Reason::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Reason::kTls;
    case CURLE_TOO_MANY_REDIRECTS:
      return Reason::kRedirect;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Reason::kConnection;
    case CURLE_FILESIZE_EXCEEDED:
      return Reason::kBodySize;
    default:
      return Reason::kOther;
  }
}

// The version as blackbox_exporter has it, and as its valid_http_versions writes it.
std::pair<double, std::string_view> VersionOf(long curl_version) {
  switch (curl_version) {
    case CURL_HTTP_VERSION_1_0:
      return {1, "HTTP/1.0"};
    case CURL_HTTP_VERSION_1_1:
      return {1.1, "HTTP/1.1"};
    case CURL_HTTP_VERSION_2_0:
      return {2, "HTTP/2.0"};
    case CURL_HTTP_VERSION_3:
      return {3, "HTTP/3.0"};
    default:
      return {0, ""};
  }
}

CURLcode OnContext(CURL*, void* ssl_context, void* transfer) {
  static_cast<HttpTransfer*>(transfer)->AttachTo(ssl_context);
  return CURLE_OK;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->TakeHeader({data, size}) ? size : 0;
}

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->TakeBody({data, size}) ? size : 0;
}

double Seconds(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return static_cast<double>(microseconds) / 1e6;
}

}  // namespace

HttpTransfer::HttpTransfer(void* easy, std::size_t index, const HttpJob& job)
    : easy_(easy), index_(index), job_(job), module_(*job.module) {}

HttpTransfer::~HttpTransfer() {
  curl_slist_free_all(header_list_);
  curl_slist_free_all(connect_to_);
}

Status HttpTransfer::Prepare(Milliseconds timeout) {
  curl_easy_reset(easy_);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_URL, job_.url.c_str());
  SetConnection();
  SetRequest();
  if (auto status = SetTls(); !status) return status;
  if (auto status = SetAuth(); !status) return status;
  bool agent = false;
  for (const auto& [name, value] : module_.headers) {
    if (auto status = AddHeader(name, value); !status) return status;
    agent = agent || curl_strequal(name.c_str(), "User-Agent") != 0;
  }
  if (!agent) curl_easy_setopt(easy_, CURLOPT_USERAGENT, "vigia");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  return Ok();
}

void HttpTransfer::SetConnection() {
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  // Else a resolver that hangs would hold all probes beyond their timeouts.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  // Each probe looks up, connects and negotiates anew: that is what it measures.
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy_, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 16L * 1024);
  const long resolve = job_.ip == IpChoice::kIp4   ? CURL_IPRESOLVE_V4
                       : job_.ip == IpChoice::kIp6 ? CURL_IPRESOLVE_V6
                                                   : CURL_IPRESOLVE_WHATEVER;
  curl_easy_setopt(easy_, CURLOPT_IPRESOLVE, resolve);
  curl_easy_setopt(
      easy_, CURLOPT_HTTP_VERSION,
      module_.enable_http2 ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, module_.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_MAXREDIRS, kMaxRedirects);
}

void HttpTransfer::SetRequest() {
  const auto& method = module_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (method == "POST" || !module_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(module_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, module_.body.data());
    header_list_ = curl_slist_append(header_list_, "Expect:");
  }
  const bool plain =
      method == "HEAD" || method == "POST" || (method == "GET" && module_.body.empty());
  if (!plain) curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (module_.decompress) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
}

Status HttpTransfer::SetTls() {
  const auto& tls = module_.tls;
  SetCurlTls(easy_, tls);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &OnContext);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  if (tls.server_name.empty() || !job_.url.starts_with("https:")) return Ok();
  // curl is told to ask the server of that name at the address of the other.
  const auto url = ParseHttpUrl(job_.url);
  if (!url) return Fail(url.error());
  const auto port = std::to_string(url->port);
  connect_to_ = curl_slist_append(
      nullptr, (tls.server_name + ":" + port + ":" + url->host + ":" + port).c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
  CURLU* const edited = curl_url();
  curl_url_set(edited, CURLUPART_URL, job_.url.c_str(), 0);
  curl_url_set(edited, CURLUPART_HOST, tls.server_name.c_str(), 0);
  char* text = nullptr;
  if (curl_url_get(edited, CURLUPART_URL, &text, 0) == CURLUE_OK) {
    curl_easy_setopt(easy_, CURLOPT_URL, text);  // copied
    curl_free(text);
  }
  curl_url_cleanup(edited);
  return AddHeader("Host", url->port == 443 ? url->host : url->host + ":" + port);
}

// curl sends neither to a host that the server redirects to.
Status HttpTransfer::SetAuth() {
  const auto& auth = module_.auth;
  if (!auth.username.empty() || !auth.password.empty()) {
    const auto password = auth.password.Reveal();
    if (!password) return Fail(password.error());
    curl_easy_setopt(easy_, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy_, CURLOPT_USERNAME, auth.username.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, password->c_str());
  }
  if (auth.credentials.empty()) return Ok();
  const auto credentials = auth.credentials.Reveal();
  if (!credentials) return Fail(credentials.error());
  return AddHeader("Authorization", auth.type + " " + *credentials);
}

Status HttpTransfer::AddHeader(const std::string& name, const std::string& value) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
  if (std::any_of(value.begin(), value.end(), control) ||
      std::any_of(name.begin(), name.end(), control)) {
    return Fail(ErrorCode::kInvalid, "header '" + name + "' holds characters that no header may");
  }
  // The form with a semicolon is curl's for an empty value.
  header_list_ =
      curl_slist_append(header_list_, (value.empty() ? name + ";" : name + ": " + value).c_str());
  return Ok();
}

bool HttpTransfer::TakeHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) return false;
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    body_.clear();
    body_bytes_ = 0;
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return true;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  headers_.emplace_back(std::move(name), Trim(line.substr(colon + 1)));
  const auto& [last, value] = headers_.back();
  return last != "location" || MayFollow(value);
}

// Whether this Location may be gone to, or will not be anyway.
bool HttpTransfer::MayFollow(const std::string& location) {
  if (!job_.allow_redirect || !module_.follow_redirects) return true;
  char* base = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &base);
  CURLU* const url = curl_url();
  char* text = nullptr;
  const bool parsed = base && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
                      curl_url_set(url, CURLUPART_URL, location.c_str(), 0) == CURLUE_OK &&
                      curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK;
  refused_redirect_ = !parsed || !job_.allow_redirect(text);
  curl_free(text);
  curl_url_cleanup(url);
  return !refused_redirect_;
}

bool HttpTransfer::TakeBody(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (module_.body_size_limit > 0 && body_bytes_ > module_.body_size_limit) {
    too_large_ = true;
    return false;
  }
  if (module_.NeedsBody()) body_ += bytes;
  return true;
}

std::string_view HttpTransfer::Header(std::string_view name) const {
  for (const auto& [header, value] : headers_) {
    if (header == name) return value;
  }
  return {};
}

Observation HttpTransfer::Finish(int code) {
  Observation observation;
  observation.success = true;
  observation.values.reserve(20);
  observation.duration_seconds = Seconds(easy_, CURLINFO_TOTAL_TIME_T);
  ReportTarget(observation);
  ReportTransfer(observation);
  ReportPhases(observation);
  certificate_.Report(code != CURLE_PEER_FAILED_VERIFICATION, observation);
  if (code != CURLE_OK) {
    FailWithCode(code, observation);
  } else {
    CheckAnswer(observation);
  }
  const bool regex = observation.reason == Reason::kBody || observation.reason == Reason::kHeader;
  observation.Add(kFailedRegex, regex ? 1 : 0);
  return observation;
}

void HttpTransfer::ReportTarget(Observation& observation) const {
  char* text = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &text);
  const std::string address = text ? text : "";
  observation.Add(kDnsLookup, Seconds(easy_, CURLINFO_NAMELOOKUP_TIME_T));
  observation.Add(kIpProtocol, AddressFamily(address));
  observation.Add(kIpAddrHash, AddressHash(address));
}

void HttpTransfer::ReportTransfer(Observation& observation) const {
  long status = 0;
  long redirects = 0;
  long version = 0;
  char* url = nullptr;
  curl_off_t length = -1;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_COUNT, &redirects);
  curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url);
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  const bool answered = status > 0;
  const bool secure = answered && url && std::string_view(url).starts_with("https:");
  observation.Add(kHttpContentLength, answered ? static_cast<double>(length) : 0);
  observation.Add(kHttpRedirects, static_cast<double>(redirects));
  observation.Add(kHttpSsl, secure ? 1 : 0);
  observation.Add(kHttpStatus, static_cast<double>(status));
  observation.Add(kHttpBodyLength, static_cast<double>(body_bytes_));
  observation.Add(kHttpVersion, answered ? VersionOf(version).first : 0);
  const std::string modified(Header("last-modified"));
  if (modified.empty()) return;
  const time_t time = curl_getdate(modified.c_str(), nullptr);
  if (time >= 0) observation.Add(kHttpLastModified, static_cast<double>(time));
}

// curl's times count from the start of each request, and add up over redirects.
void HttpTransfer::ReportPhases(Observation& observation) const {
  const double resolved = Seconds(easy_, CURLINFO_NAMELOOKUP_TIME_T);
  const double connect = Seconds(easy_, CURLINFO_CONNECT_TIME_T);
  const double secure = Seconds(easy_, CURLINFO_APPCONNECT_TIME_T);
  const double sent = Seconds(easy_, CURLINFO_PRETRANSFER_TIME_T);
  const double first = Seconds(easy_, CURLINFO_STARTTRANSFER_TIME_T);
  const double total = Seconds(easy_, CURLINFO_TOTAL_TIME_T);
  const auto phase = [&](std::string_view name, double end, double begin) {
    observation.Add(kHttpDuration, "phase", name, end > begin ? end - begin : 0);
  };
  phase("connect", connect, resolved);
  phase("processing", first, sent);
  phase("resolve", resolved, 0);
  phase("tls", secure, connect);
  phase("transfer", first > 0 ? total : 0, first);
}

void HttpTransfer::FailWithCode(int code, Observation& observation) const {
  if (too_large_) {
    observation.FailWith(Reason::kBodySize, "the body is larger than body_size_limit, " +
                                                std::to_string(module_.body_size_limit) + " bytes");
    return;
  }
  if (refused_redirect_) {
    observation.FailWith(Reason::kRedirect, "a redirect leads to what may not be probed");
    return;
  }
  std::string message = error_[0] ? error_.data() : curl_easy_strerror(static_cast<CURLcode>(code));
  if (certificate_.seen() && !certificate_.trusted()) message = certificate_.error();
  observation.FailWith(ReasonOf(code), std::move(message));
}

void HttpTransfer::CheckAnswer(Observation& observation) const {
  long status = 0;
  long version = 0;
  char* url = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url);
  const auto& ranges = module_.valid_statuses;
  const auto within = [&](const auto& range) {
    return status >= range.first && status <= range.second;
  };
  if (ranges.empty() ? status < 200 || status > 299
                     : std::none_of(ranges.begin(), ranges.end(), within)) {
    observation.FailWith(Reason::kStatus, "status " + std::to_string(status));
  }
  const auto& versions = module_.valid_versions;
  const auto spoken = VersionOf(version).second;
  if (!versions.empty() && std::find(versions.begin(), versions.end(), spoken) == versions.end()) {
    observation.FailWith(Reason::kVersion, std::string(spoken));
  }
  const bool secure = url && std::string_view(url).starts_with("https:");
  if (secure && module_.fail_if_ssl) observation.FailWith(Reason::kTls, "the answer came over TLS");
  if (!secure && module_.fail_if_not_ssl) {
    observation.FailWith(Reason::kTls, "the answer did not come over TLS");
  }
  CheckText(observation);
  const auto limit = std::chrono::duration<double>(module_.max_duration).count();
  if (limit > 0 && observation.duration_seconds > limit) {
    observation.FailWith(Reason::kSlow, "took longer than " + FormatDuration(module_.max_duration));
  }
}

bool HttpTransfer::HeaderMatches(const HeaderPattern& wanted, bool when_missing) const {
  bool there = false;
  for (const auto& [name, value] : headers_) {
    if (name != wanted.header) continue;
    there = true;
    if (wanted.pattern.Found(value)) return true;
  }
  return !there && when_missing;
}

void HttpTransfer::CheckText(Observation& observation) const {
  for (const auto& pattern : module_.bad_bodies) {
    if (!pattern.Found(body_)) continue;
    observation.FailWith(Reason::kBody, "the body matches '" + pattern.expression() + "'");
  }
  for (const auto& pattern : module_.good_bodies) {
    if (pattern.Found(body_)) continue;
    observation.FailWith(Reason::kBody, "the body does not match '" + pattern.expression() + "'");
  }
  for (const auto& header : module_.bad_headers) {
    if (!HeaderMatches(header, !header.allow_missing)) continue;
    observation.FailWith(Reason::kHeader, "header " + header.header);
  }
  for (const auto& header : module_.good_headers) {
    if (HeaderMatches(header, header.allow_missing)) continue;
    observation.FailWith(Reason::kHeader, "header " + header.header);
  }
  if (module_.json.empty()) return;
  if (auto status = CheckJson(body_, module_.json); !status) {
    observation.FailWith(Reason::kJson, status.error().message());
  }
}

}  // namespace vigia::collectors::probe
