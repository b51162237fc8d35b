#include "collectors/probe/observation.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

namespace vigia::collectors::probe {
namespace {

constexpr std::array kMetrics{
    Metric{"probe_success", "Whether the probe met all its conditions."},
    Metric{"probe_duration_seconds", "How long the probe took.", MetricType::kGauge, "seconds"},
    Metric{"probe_dns_lookup_time_seconds", "How long the look-up of the target's name took.",
           MetricType::kGauge, "seconds"},
    Metric{"probe_ip_protocol", "4 or 6: the IP version of the connection; 0 if there was none."},
    Metric{"probe_ip_addr_hash", "A hash of the target's address: changes when that does."},
    Metric{"probe_failed_due_to_regex", "Whether a regular expression made the probe fail."},
    Metric{"probe_failed_due_to_bytes", "Whether bytes other than expected made the probe fail."},
    Metric{"probe_failed_due_to_cel", "Whether a CEL expression made the probe fail."},
    Metric{"probe_http_content_length", "The Content-Length of the answer; -1 if it has none."},
    Metric{"probe_http_duration_seconds", "Time by phase of the request, summed over redirects.",
           MetricType::kGauge, "seconds"},
    Metric{"probe_http_redirects", "Redirects that were followed."},
    Metric{"probe_http_ssl", "Whether the last answer came over TLS."},
    Metric{"probe_http_status_code", "Status of the last answer; 0 if there was none."},
    Metric{"probe_http_uncompressed_body_length", "Bytes of the body after decompression."},
    Metric{"probe_http_version", "HTTP version of the answer."},
    Metric{"probe_http_last_modified_timestamp_seconds",
           "The Last-Modified header of the answer, in Unix time.", MetricType::kGauge, "seconds"},
    Metric{"probe_ssl_earliest_cert_expiry",
           "When the first certificate that the server presents ends, in Unix time; also where "
           "the certificate is refused."},
    Metric{"probe_ssl_last_chain_expiry_timestamp_seconds",
           "When the chain up to the trusted certificate ends, in Unix time.", MetricType::kGauge,
           "seconds"},
    Metric{"probe_ssl_last_chain_info", "The server's own certificate; always 1."},
    Metric{"probe_tls_version_info", "The TLS version in use; always 1."},
    Metric{"probe_tls_cipher_info", "The TLS cipher in use; always 1."},
    Metric{"probe_expect_info", "What groups of an expression caught; always 1."},
    Metric{"probe_dns_answer_rrs", "Records in the answer section."},
    Metric{"probe_dns_authority_rrs", "Records in the authority section."},
    Metric{"probe_dns_additional_rrs", "Records in the additional section."},
    Metric{"probe_dns_duration_seconds", "Time by phase of the query.", MetricType::kGauge,
           "seconds"},
    Metric{"probe_dns_query_succeeded", "Whether the server answered at all."},
    Metric{"probe_dns_serial", "The serial of the zone, of SOA queries."},
    Metric{"probe_icmp_duration_seconds", "Time by phase of the echo request.", MetricType::kGauge,
           "seconds"},
    Metric{"probe_icmp_reply_hop_limit", "Hop limit (TTL) of the reply."},
    Metric{"probe_grpc_duration_seconds", "Time by phase of the health check.", MetricType::kGauge,
           "seconds"},
    Metric{"probe_grpc_healthcheck_response",
           "1 for the status that the service gave of itself, 0 for all others."},
    Metric{"probe_grpc_ssl", "Whether the answer came over TLS."},
    Metric{"probe_grpc_status_code", "Status of the call as gRPC numbers them: 0 is OK."},
    Metric{"probe_websocket_status_code",
           "HTTP status of the answer to the handshake; 0 if there was none."},
    Metric{"probe_websocket_connection_upgraded",
           "Whether the connection was made one of WebSocket."},
    Metric{"probe_websocket_failed_due_to_regex", "Whether a message was another than expected."},
    Metric{"probe_websocket_duration_seconds", "Time by phase of the probe.", MetricType::kGauge,
           "seconds"},
    Metric{"probe_timeout_seconds", "How long the probe might have taken.", MetricType::kGauge,
           "seconds"},
    Metric{"vigia_probe_certificate_valid",
           "Whether the server's certificate was found valid for the target."},
    Metric{"vigia_probe_healthy",
           "Whether the target is healthy: it changes after failure_threshold or "
           "success_threshold probes in a row."},
    Metric{"vigia_probe_failure_info", "Why the last probe failed, in one word; always 1."},
};
static_assert(kMetrics.size() == kMetricCount);

struct Words {
  Reason reason;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kReasons{
    Words{Reason::kNone, "none", ""},
    Words{Reason::kTimeout, "timeout", "no answer in time"},
    Words{Reason::kDns, "dns", "the name does not resolve"},
    Words{Reason::kConnect, "connect", "no connection"},
    Words{Reason::kTls, "tls", "TLS or the certificate"},
    Words{Reason::kRedirect, "redirect", "too many redirects"},
    Words{Reason::kConnection, "connection", "the connection broke off"},
    Words{Reason::kBodySize, "body_size", "the body is too large"},
    Words{Reason::kStatus, "status", "another status than expected"},
    Words{Reason::kVersion, "version", "another version of HTTP than expected"},
    Words{Reason::kBody, "body", "another body than expected"},
    Words{Reason::kHeader, "header", "other headers than expected"},
    Words{Reason::kEncoding, "encoding", "not compressed as expected"},
    Words{Reason::kJson, "json", "another document than expected"},
    Words{Reason::kSlow, "slow", "slower than expected"},
    Words{Reason::kAnswer, "answer", "another answer than expected"},
    Words{Reason::kToken, "token", "no access token"},
    Words{Reason::kNotPermitted, "not_permitted", "this process may not probe so"},
    Words{Reason::kOther, "other", "failed"},
};

}  // namespace

std::span<const Metric> ProbeMetrics() { return kMetrics; }

std::string_view Name(Reason reason) { return kReasons[static_cast<std::size_t>(reason)].name; }

std::string_view Describe(std::string_view reason) {
  for (const auto& words : kReasons) {
    if (words.name == reason) return words.text;
  }
  return kReasons.back().text;
}

void Observation::AddTo(Batch& batch, std::span<const LabelView> labels) const {
  batch.Add(kMetrics[kSuccess], labels, success ? 1 : 0);
  batch.Add(kMetrics[kDuration], labels, duration_seconds);
  if (timeout > 0ms) {
    batch.Add(kMetrics[kTimeout], labels, std::chrono::duration<double>(timeout).count());
  }
  std::vector<LabelView> all;
  for (const auto& value : values) {
    all.assign(labels.begin(), labels.end());
    for (const auto& [name, text] : value.labels) all.push_back({name, text});
    batch.Add(kMetrics[value.metric], std::span<const LabelView>(all), value.value);
  }
}

int AddressFamily(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return 4;
  return ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 ? 6 : 0;
}

double AddressHash(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  const int family = AddressFamily(address);
  if (family == 0) return 0;
  ::inet_pton(family == 4 ? AF_INET : AF_INET6, address.c_str(), bytes.data());
  std::uint32_t hash = 2166136261U;
  for (std::size_t i = 0; i < (family == 4 ? 4U : 16U); ++i) {
    hash = (hash ^ bytes[i]) * 16777619U;
  }
  return hash;
}

void ReportAddress(const std::string& address, Observation& observation) {
  observation.Add(kIpProtocol, AddressFamily(address));
  observation.Add(kIpAddrHash, AddressHash(address));
}

}  // namespace vigia::collectors::probe
