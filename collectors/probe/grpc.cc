// gRPC probes: one call of grpc.health.v1.Health/Check, over HTTP/2 by curl. In the clear HTTP/2 is
// spoken from the first byte, as gRPC does; over TLS it is agreed on by ALPN.

#include <curl/curl.h>

#include <algorithm>
#include <optional>

#include "collectors/probe/certificate.h"
#include "collectors/probe/curl_reason.h"
#include "collectors/probe/grpc_message.h"
#include "collectors/probe/probers.h"
#include "core/base64.h"
#include "core/curl_request.h"
#include "core/number.h"
#include "core/text/percent.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

// "application/grpc" and what may follow: "+proto", ";charset".
bool IsGrpc(std::string_view content_type) { return content_type.starts_with("application/grpc"); }

// The host and port of "host[:port]", which may have a scheme in front as in blackbox_exporter.
Result<HostPort> ParseTarget(std::string_view target, bool tls) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) target.remove_prefix(scheme.size());
  }
  target = target.substr(0, target.find('/'));
  return ParseHostPort(target, tls ? 443 : 80);
}

class GrpcProbe {
 public:
  GrpcProbe(const GrpcModule& module, const Call& call, Observation& observation)
      : module_(module), call_(call), observation_(observation) {}
  ~GrpcProbe() {
    // First of all, for it borrows what stands below.
    if (easy_) curl_easy_cleanup(easy_);
    curl_slist_free_all(addresses_);
  }
  GrpcProbe(const GrpcProbe&) = delete;
  GrpcProbe& operator=(const GrpcProbe&) = delete;

  void Run() {
    const auto target = ParseTarget(call_.target, module_.tls);
    if (!target) return observation_.FailWith(Reason::kOther, target.error().message());
    const auto& clock = call_.deadline.clock();
    const Instant begin = clock.Now();
    const auto addresses = LookUp(*target, call_, observation_);
    const Instant found = clock.Now();
    ReportPhase("resolve", found - begin);
    if (addresses.empty()) return;
    auto status = Prepare(*target, addresses);
    if (!status) return observation_.FailWith(Reason::kOther, status.error().message());
    const CURLcode code = curl_easy_perform(easy_);
    ReportPhase("check", clock.Now() - found);
    Report(code, addresses.front().Text());
  }

 private:
  void ReportPhase(std::string_view phase, Duration took) {
    observation_.Add(kGrpcDuration, "phase", phase, std::chrono::duration<double>(took).count());
  }

  Status Prepare(const HostPort& target, const std::vector<SocketAddress>& addresses) {
    InitCurl();
    easy_ = curl_easy_init();
    if (!easy_) return Fail(ErrorCode::kInternal, "curl has no memory");
    request_.emplace(easy_);
    request_->SetGeneral(false, 0);
    request_->SetProxy({}, "");
    const auto left = std::max<Milliseconds>(call_.deadline.Left(), 1ms);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    curl_easy_setopt(
        easy_, CURLOPT_HTTP_VERSION,
        module_.tls ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
    if (module_.tls) request_->SetTls(module_.tls_options);
    SetAddresses(target, addresses);
    SetCallbacks();
    return SetCall(target, left);
  }

  // What was looked up, so that curl does not do it again.
  void SetAddresses(const HostPort& target, const std::vector<SocketAddress>& addresses) {
    if (AddressFamily(target.host) != 0) return;
    std::string line = target.host + ":" + std::to_string(target.port) + ":";
    for (const auto& address : addresses) {
      if (!line.ends_with(':')) line += ',';
      line += address.family() == AF_INET6 ? "[" + address.Text() + "]" : address.Text();
    }
    addresses_ = curl_slist_append(addresses_, line.c_str());
    curl_easy_setopt(easy_, CURLOPT_RESOLVE, addresses_);
  }

  void SetCallbacks() {
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &OnContext);
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  }

  Status SetCall(const HostPort& target, Milliseconds left) {
    message_ = WriteHealthRequest(module_.service);
    request_->SetMethod("POST", message_);
    HttpFields headers{
        {"Content-Type", "application/grpc"},
        {"TE", "trailers"},
        {"grpc-accept-encoding", "identity"},
        {"grpc-timeout", std::to_string(std::min<std::int64_t>(left.count(), 99'999'999)) + "m"},
        {"User-Agent", "vigia"}};
    for (const auto& [name, value] : module_.metadata) {
      // Names that end so hold bytes.
      headers.emplace_back(name, name.ends_with("-bin") ? EncodeBase64(value) : value);
    }
    for (const auto& [name, value] : headers) {
      if (auto status = request_->AddHeader(name, value); !status) return status;
    }
    const bool six = AddressFamily(target.host) == 6;
    const auto url = std::string(module_.tls ? "https://" : "http://") +
                     (six ? "[" + target.host + "]" : target.host) + ":" +
                     std::to_string(target.port) + "/grpc.health.v1.Health/Check";
    auto status = request_->SetUrl(url, module_.tls_options.server_name);
    if (status) status = request_->SetAuth(module_.auth);
    request_->SetHeaders();
    return status;
  }

  void Report(CURLcode code, const std::string& first_address) {
    char* address = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address);
    ReportAddress(address && *address ? address : first_address, observation_);
    const bool verified = code != CURLE_PEER_FAILED_VERIFICATION;
    certificate_.Report(verified, observation_);
    int serving = -1;
    const int status = code == CURLE_OK ? Read(serving) : FailWithCode(code);
    observation_.Add(kGrpcSsl, code == CURLE_OK && module_.tls ? 1 : 0);
    observation_.Add(kGrpcStatus, status);
    for (std::size_t i = 0; i < kServingStatuses.size(); ++i) {
      observation_.Add(kGrpcServing, "serving_status", kServingStatuses[i],
                       static_cast<int>(i) == serving ? 1 : 0);
    }
  }

  // The status that a gRPC client would give to a call that did not come through.
  int FailWithCode(CURLcode code) {
    std::string message = request_->Why(code);
    if (certificate_.seen() && !certificate_.trusted()) message = certificate_.error();
    const auto reason = ReasonOfCurl(code);
    observation_.FailWith(reason, std::move(message));
    return reason == Reason::kTimeout ? kGrpcDeadlineExceeded : kGrpcUnavailable;
  }

  int Read(int& serving) {
    long http_status = 0;
    long version = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
    if (version != CURL_HTTP_VERSION_2_0) {
      observation_.FailWith(Reason::kVersion, "the server does not speak HTTP/2");
      return kGrpcUnavailable;
    }
    const auto status = ParseInt(head_.Find("grpc-status"));
    constexpr int kMostStatus = 999;
    const bool known = status && *status >= 0 && *status <= kMostStatus;
    if (http_status != 200 || !IsGrpc(head_.Find("content-type")) || !known) {
      const int code = known ? static_cast<int>(*status) : GrpcStatusOfHttp(http_status);
      observation_.FailWith(Reason::kStatus, "HTTP status " + std::to_string(http_status) +
                                                 ", and no answer of gRPC");
      return code;
    }
    const int code = static_cast<int>(*status);
    if (code != kGrpcOk) {
      observation_.FailWith(Reason::kAnswer,
                            "gRPC status " + GrpcStatusName(code) + ": " +
                                text::PercentDecode(head_.Find("grpc-message"), false));
      return code;
    }
    ReadServing(serving);
    return code;
  }

  void ReadServing(int& serving) {
    const auto answer = ReadHealthAnswer(body_);
    if (!answer) return observation_.FailWith(Reason::kAnswer, answer.error().message());
    serving = *answer;
    observation_.Note("answered", {{"serving_status", std::to_string(serving)}});
    if (serving == kServing) return;
    const auto index = static_cast<std::size_t>(serving);
    observation_.FailWith(
        Reason::kAnswer,
        "the service is " + (index < kServingStatuses.size() ? std::string(kServingStatuses[index])
                                                             : std::to_string(serving)));
  }

  static std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<GrpcProbe*>(self)->head_.Take({data, size}) ? size : 0;
  }
  static std::size_t OnBody(char* data, std::size_t, std::size_t size, void* self) {
    auto& body = static_cast<GrpcProbe*>(self)->body_;
    if (body.size() + size > kMaxAnswer) return 0;
    body.append(data, size);
    return size;
  }
  static CURLcode OnContext(CURL*, void* ssl_context, void* self) {
    static_cast<GrpcProbe*>(self)->certificate_.AttachTo(ssl_context);
    return CURLE_OK;
  }

  const GrpcModule& module_;
  const Call& call_;
  Observation& observation_;
  CURL* easy_ = nullptr;
  curl_slist* addresses_ = nullptr;
  std::optional<CurlRequest> request_;
  CertificateRecorder certificate_;
  std::string message_;
  HttpHead head_;  // trailers included
  std::string body_;
};

}  // namespace

Observation ProbeGrpc(const GrpcModule& module, const Call& call) {
  auto observation = Begin(call);
  const auto& clock = call.deadline.clock();
  const Instant begin = clock.Now();
  GrpcProbe(module, call, observation).Run();
  observation.duration_seconds = std::chrono::duration<double>(clock.Now() - begin).count();
  return observation;
}

}  // namespace vigia::collectors::probe
