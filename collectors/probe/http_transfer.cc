#include "collectors/probe/http_transfer.h"

#include <curl/curl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "collectors/probe/curl_reason.h"
#include "collectors/probe/http_redirect.h"
#include "collectors/probe/http_report.h"
#include "collectors/probe/resolve.h"
#include "core/file.h"

namespace vigia::collectors::probe {
namespace {

// Go's http.Client, and so blackbox_exporter, gives up after as many.
constexpr int kMaxRedirects = 10;

// Of a body that a condition needs, whatever the module says.
constexpr std::uint64_t kMostHeld = 64 << 20;

CURLcode OnContext(CURL*, void* ssl_context, void* transfer) {
  static_cast<HttpTransfer*>(transfer)->AttachTo(ssl_context);
  return CURLE_OK;
}

curl_socket_t OnConnect(void* transfer, curlsocktype, curl_sockaddr* address) {
  static_cast<HttpTransfer*>(transfer)->TakeAddress(address->addr);
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->TakeHeader({data, size}) ? size : 0;
}

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->TakeBody({data, size}) ? size : 0;
}

// Whether a line holds what is nobody's business: headers that we send over HTTP/2, which curl
// tells as it adds them, and sessions that the server opens.
bool IsSecret(std::string_view line) {
  constexpr std::string_view kCookie = "set-cookie";
  return line.starts_with("h2h3 [") || line.starts_with("[HTTP/") ||
         (line.size() > kCookie.size() &&
          curl_strnequal(line.data(), kCookie.data(), kCookie.size()));
}

// What curl says of itself and what the server sends; not what we send, which may be secret.
int OnDebug(CURL*, curl_infotype type, char* data, std::size_t size, void* transfer) {
  if (type == CURLINFO_TEXT || type == CURLINFO_HEADER_IN) {
    static_cast<HttpTransfer*>(transfer)->TakeNote({data, size});
  }
  return 0;
}

double Seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

HttpTransfer::HttpTransfer(void* easy, std::size_t index, const HttpJob& job, Deadline until)
    : easy_(easy), index_(index), job_(job), module_(*job.module), until_(until) {
  if (!module_.oauth2.used()) return;
  token_ = module_.tokens->Get(until_.clock().Now()).value_or("");
  token_is_old_ = !token_.empty();
  if (token_.empty()) errand_.emplace(module_);
}

HttpTransfer::~HttpTransfer() = default;

Status HttpTransfer::Prepare() {
  request_ = std::make_unique<CurlRequest>(easy_);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  SetTimeout();
  if (errand_) return errand_->Prepare(easy_, *request_);
  request_->SetGeneral(module_.follow_redirects, kMaxRedirects);
  SetConnection();
  SetCallbacks();
  auto status = SetAddresses();
  if (status) status = SetRequest();
  return status;
}

void HttpTransfer::SetTimeout() {
  const auto left = std::max<Milliseconds>(until_.Left(), 1ms);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
}

void HttpTransfer::SetConnection() {
  // Each probe looks up, connects and negotiates anew: that is what it measures.
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy_, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 16L * 1024);
  curl_easy_setopt(
      easy_, CURLOPT_HTTP_VERSION,
      module_.enable_http2 ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_1_1});
  request_->SetTls(module_.tls);
  request_->SetProxy(module_.proxy, job_.url);
}

void HttpTransfer::SetCallbacks() {
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &OnConnect);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &OnContext);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  if (!job_.trace) return;
  curl_easy_setopt(easy_, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_DEBUGFUNCTION, &OnDebug);
  curl_easy_setopt(easy_, CURLOPT_DEBUGDATA, this);
}

Error HttpTransfer::NoAddress(const std::string& host, bool four) {
  no_address_ = true;
  return {ErrorCode::kUnavailable,
          "there is no address of '" + host + (four ? "' of IPv4" : "' of IPv6")};
}

// curl looks up one IP version or both; the preferred one is asked for first.
Status HttpTransfer::SetAddresses() {
  if (job_.ip == IpChoice::kAny) return Ok();
  const auto url = ParseHttpUrl(job_.url);
  if (!url) return Fail(url.error());
  std::string host = url->host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const bool four = job_.ip == IpChoice::kIp4 || job_.ip == IpChoice::kIp4First;
  const bool insists = job_.ip == IpChoice::kIp4 || job_.ip == IpChoice::kIp6;
  if (const int literal = AddressFamily(host); literal != 0) {
    if (!insists || (literal == 4) == four) return Ok();
    return Fail(NoAddress(host, four));
  }
  if (IsLocalhost(host)) {
    const auto addresses = LocalhostAddresses(url->port);
    const auto wanted = [&](const auto& address) { return (address.family() == AF_INET) == four; };
    const bool has = std::any_of(addresses.begin(), addresses.end(), wanted);
    if (!has && insists) return Fail(NoAddress(host, four));
    other_family_ = !has;
  }
  const bool proxied = !module_.proxy.url.empty() || module_.proxy.from_environment;
  if (proxied) return Ok();  // it is the proxy that would be looked up
  curl_easy_setopt(easy_, CURLOPT_IPRESOLVE,
                   four == other_family_ ? CURL_IPRESOLVE_V6 : CURL_IPRESOLVE_V4);
  return Ok();
}

// As blackbox_exporter: the certificate is to be of the host that is asked for by header.
std::string HttpTransfer::ServerName() const {
  if (!module_.tls.server_name.empty()) return module_.tls.server_name;
  for (const auto& [name, value] : module_.headers) {
    if (!curl_strequal(name.c_str(), "Host")) continue;
    return value.ends_with(']') ? value : value.substr(0, value.rfind(':'));
  }
  return {};
}

Status HttpTransfer::SetRequest() {
  if (!module_.body_file.empty()) {
    auto text = ReadFile(module_.body_file);
    if (!text) return Fail(text.error().In("body_file"));
    body_file_ = *std::move(text);
  }
  request_->SetMethod(module_.method, module_.body_file.empty() ? module_.body : body_file_);
  if (!module_.compression.empty() && module_.compression != "identity") {
    curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, module_.compression.c_str());
  }
  bool agent = false;
  for (const auto& [name, value] : module_.headers) {
    if (auto status = request_->AddHeader(name, value); !status) return status;
    agent = agent || curl_strequal(name.c_str(), "User-Agent") != 0;
  }
  for (const auto& [name, secret] : module_.http_headers) {
    const auto value = secret.Reveal();
    if (!value) return Fail(value.error().In("http_headers"));
    if (auto status = request_->AddHeader(name, *value); !status) return status;
    agent = agent || curl_strequal(name.c_str(), "User-Agent") != 0;
  }
  if (!agent) curl_easy_setopt(easy_, CURLOPT_USERAGENT, "vigia");
  server_name_ = ServerName();
  if (auto status = request_->SetUrl(job_.url, server_name_); !status) return status;
  if (auto status = SetAuth(); !status) return status;
  request_->SetHeaders();
  return Ok();
}

Status HttpTransfer::SetAuth() {
  if (token_.empty()) return request_->SetAuth(module_.auth);
  return request_->AddHeader("Authorization", "Bearer " + token_);
}

bool HttpTransfer::EndErrand(int code) {
  errands_ += request_->Timings().total;
  if (code != CURLE_OK) return false;
  switch (errand_->End(easy_, until_.clock().Now())) {
    case TokenErrand::Outcome::kDone:
      token_ = errand_->token();
      errand_.reset();
      return true;
    case TokenErrand::Outcome::kAgain:
      return true;
    case TokenErrand::Outcome::kFailed:
      break;
  }
  return false;
}

// Before its time, that is: one that was fetched just now is not asked for again.
bool HttpTransfer::TokenIsRefused(int code) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return code == CURLE_OK && token_is_old_ && status == 401;
}

bool HttpTransfer::NeedsAnother(int code) {
  if (errand_) return EndErrand(code);
  if (TokenIsRefused(code)) {
    module_.tokens->Forget();
    token_is_old_ = false;
    errands_ += request_->Timings().total;
    head_ = {};
    body_.clear();
    body_bytes_ = 0;
    errand_.emplace(module_);
    return true;
  }
  const bool may_fall_back = job_.ip == IpChoice::kIp4First || job_.ip == IpChoice::kIp6First;
  if (code != CURLE_COULDNT_RESOLVE_HOST || !may_fall_back || other_family_ || until_.Passed()) {
    return false;
  }
  // Not of a redirect's target, which is looked up in both.
  long answered = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answered);
  if (answered != 0) return false;
  spent_ += request_->Timings().total;
  other_family_ = true;
  return true;
}

void HttpTransfer::TakeAddress(const sockaddr& address) {
  std::array<char, NI_MAXHOST> text{};
  const socklen_t size = address.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (::getnameinfo(&address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
    tried_ = text.data();
  }
}

void HttpTransfer::TakeNote(std::string_view text) const {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (!text.empty() && !IsSecret(text))
    job_.trace->Add(log::Level::kDebug, "curl", {{"text", text}});
}

bool HttpTransfer::TakeHeader(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    body_.clear();
    body_bytes_ = 0;
  }
  const std::size_t before = head_.fields().size();
  if (!head_.Take(line)) return false;
  if (head_.fields().size() != before + 1) return true;
  const auto& [last, value] = head_.fields().back();
  if (last != "location" || !module_.follow_redirects) return true;
  if (job_.ip == IpChoice::kIp4First || job_.ip == IpChoice::kIp6First) {
    curl_easy_setopt(easy_, CURLOPT_IPRESOLVE, long{CURL_IPRESOLVE_WHATEVER});
  }
  return MayFollow(value);
}

bool HttpTransfer::MayFollow(const std::string& location) {
  if (!job_.allow_redirect) return true;
  char* base = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &base);
  const auto url = RedirectTo(base ? base : "", location, server_name_, job_.url);
  refused_redirect_ = !url || !job_.allow_redirect(*url);
  return !refused_redirect_;
}

std::uint64_t HttpTransfer::BodyLimit() const {
  if (module_.body_size_limit > 0) return module_.body_size_limit;
  return module_.NeedsBody() ? kMostHeld : UINT64_MAX;
}

bool HttpTransfer::TakeBody(std::string_view bytes) {
  body_bytes_ += bytes.size();
  too_large_ = body_bytes_ > BodyLimit();
  if (too_large_) return false;
  if (module_.NeedsBody()) body_ += bytes;
  return true;
}

Observation HttpTransfer::FinishUnasked(const Error& error) const {
  Observation observation;
  observation.trace = job_.trace;
  observation.FailWith(no_address_ ? Reason::kDns : Reason::kOther, error.message());
  return observation;
}

Observation HttpTransfer::FinishErrand(int code) const {
  Observation observation;
  observation.trace = job_.trace;
  observation.duration_seconds = Seconds(errands_);
  observation.FailWith(Reason::kToken,
                       code == CURLE_OK ? errand_->error() : "oauth2: " + request_->Why(code));
  return observation;
}

Observation HttpTransfer::Finish(int code) {
  if (errand_) return FinishErrand(code);
  Observation observation;
  observation.success = true;
  observation.trace = job_.trace;
  observation.values.reserve(20);
  observation.duration_seconds = Seconds(errands_ + spent_ + request_->Timings().total);
  const auto answer = AnswerOf(easy_, head_, body_);
  char* address = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address);
  // curl tells only of an address that it was connected to.
  ReportAddress(address && *address ? address : tried_, observation);
  ReportTimings(request_->Timings(), spent_, observation);
  ReportAnswer(easy_, answer, body_bytes_, observation);
  certificate_.Report(code != CURLE_PEER_FAILED_VERIFICATION, observation);
  if (code != CURLE_OK) {
    FailWithCode(code, observation);
  } else {
    Judge(module_, answer, observation);
  }
  const bool regex = observation.reason == Reason::kBody || observation.reason == Reason::kHeader;
  observation.Add(kFailedRegex, regex ? 1 : 0);
  const bool cel = observation.reason == Reason::kJson && module_.json.empty();
  if (module_.HasCel()) observation.Add(kFailedCel, cel ? 1 : 0);
  return observation;
}

void HttpTransfer::FailWithCode(int code, Observation& observation) const {
  if (too_large_) {
    observation.FailWith(Reason::kBodySize, "the body is larger than body_size_limit, " +
                                                std::to_string(BodyLimit()) + " bytes");
    return;
  }
  if (refused_redirect_) {
    observation.FailWith(Reason::kRedirect, "a redirect leads to what may not be probed");
    return;
  }
  std::string message = request_->Why(code);
  if (certificate_.seen() && !certificate_.trusted()) message = certificate_.error();
  observation.FailWith(ReasonOfCurl(code), std::move(message));
}

}  // namespace vigia::collectors::probe
