// An Observation is what one probe of one target saw, as numbers under the names of
// blackbox_exporter, and why it failed if it did.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/probe/trace.h"
#include "core/batch.h"
#include "core/duration.h"
#include "core/metric.h"

namespace vigia::collectors::probe {

// In the order of ProbeMetrics().
enum MetricIndex : std::size_t {
  kSuccess,
  kDuration,
  kDnsLookup,
  kIpProtocol,
  kIpAddrHash,
  kFailedRegex,
  kFailedBytes,
  kFailedCel,
  kHttpContentLength,
  kHttpDuration,
  kHttpRedirects,
  kHttpSsl,
  kHttpStatus,
  kHttpBodyLength,
  kHttpVersion,
  kHttpLastModified,
  kTlsEarliestExpiry,
  kTlsChainExpiry,
  kTlsChainInfo,
  kTlsVersion,
  kTlsCipher,
  kExpectInfo,
  kDnsAnswers,
  kDnsAuthorities,
  kDnsAdditionals,
  kDnsDuration,
  kDnsSucceeded,
  kDnsSerial,
  kIcmpDuration,
  kIcmpHopLimit,
  kGrpcDuration,
  kGrpcServing,
  kGrpcSsl,
  kGrpcStatus,
  kWebsocketStatus,
  kWebsocketUpgraded,
  kWebsocketFailedRegex,
  kWebsocketDuration,
  kTimeout,
  kTlsValid,
  kHealthy,
  kFailureInfo,
  kMetricCount,
};

std::span<const Metric> ProbeMetrics();

// The word for why a probe failed: a label value, so there are few.
enum class Reason {
  kNone,
  kTimeout,
  kDns,
  kConnect,
  kTls,
  kRedirect,
  kConnection,  // broken off
  kBodySize,
  kStatus,
  kVersion,
  kBody,
  kHeader,
  kEncoding,
  kJson,
  kSlow,
  kAnswer,  // of tcp, dns, postgres and redis: not the one that was expected
  kToken,   // none of oauth2 to be had
  kNotPermitted,
  kOther,
};
std::string_view Name(Reason reason);
// The same for people: "no answer in time".
std::string_view Describe(std::string_view reason);

struct Observation {
  struct Value {
    MetricIndex metric;
    double value;
    std::vector<std::pair<std::string_view, std::string>> labels;
  };

  bool success = false;
  Reason reason = Reason::kNone;
  std::string message;  // for the log; holds no secret
  double duration_seconds = 0;
  Milliseconds timeout{0};  // that it had; 0 where nobody says
  std::vector<Value> values;
  Trace* trace = nullptr;  // takes down what is done; borrowed, null where nobody asked

  void Add(MetricIndex metric, double value) { values.push_back({metric, value, {}}); }
  void Add(MetricIndex metric, std::string_view label, std::string_view text, double value) {
    values.push_back({metric, value, {{label, std::string(text)}}});
  }
  void Note(std::string_view what, std::initializer_list<log::Field> fields = {}) const {
    if (trace) trace->Add(log::Level::kInfo, what, fields);
  }
  // The first failure is the one that counts.
  void FailWith(Reason why, std::string text) {
    success = false;
    if (trace) trace->Add(log::Level::kError, text, {{"reason", Name(why)}});
    if (reason != Reason::kNone) return;
    reason = why;
    message = std::move(text);
  }

  // Adds probe_success, probe_duration_seconds and all values to `batch`, each with `labels`.
  void AddTo(Batch& batch, std::span<const LabelView> labels) const;
};

// Of the 4 or 16 bytes of an address in text: 32-bit FNV-1a, as blackbox_exporter has it. 0 for
// what is not an address.
double AddressHash(const std::string& address);
// 4, 6, or 0 for what is not an address.
int AddressFamily(const std::string& address);
// Adds both.
void ReportAddress(const std::string& address, Observation& observation);

}  // namespace vigia::collectors::probe
