#include "collectors/probe/http_report.h"

#include <curl/curl.h>

#include <algorithm>

namespace vigia::collectors::probe {
namespace {

// The version as blackbox_exporter has it.
double VersionOf(long curl_version) {
  switch (curl_version) {
    case CURL_HTTP_VERSION_1_0:
      return 1;
    case CURL_HTTP_VERSION_1_1:
      return 1.1;
    case CURL_HTTP_VERSION_2_0:
      return 2;
    default:
      return 0;
  }
}

double Seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

HttpAnswer AnswerOf(void* easy, const HttpHead& head, const std::string& body) {
  long status = 0;
  long version = 0;
  char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  const bool secure = url && std::string_view(url).starts_with("https:");
  return {static_cast<int>(status), VersionOf(version), secure, head.fields(), body};
}

void ReportAnswer(void* easy, const HttpAnswer& answer, std::uint64_t body_bytes,
                  Observation& observation) {
  long redirects = 0;
  curl_off_t length = -1;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  const bool answered = answer.status > 0;
  observation.Add(kHttpContentLength, answered ? static_cast<double>(length) : 0);
  observation.Add(kHttpRedirects, static_cast<double>(redirects));
  observation.Add(kHttpSsl, answered && answer.secure ? 1 : 0);
  observation.Add(kHttpStatus, answer.status);
  observation.Add(kHttpBodyLength, static_cast<double>(body_bytes));
  observation.Add(kHttpVersion, answered ? answer.version : 0);
  const auto named = [](const auto& field) { return field.first == "last-modified"; };
  const auto modified = std::find_if(answer.headers.begin(), answer.headers.end(), named);
  if (modified == answer.headers.end() || modified->second.empty()) return;
  const time_t time = curl_getdate(modified->second.c_str(), nullptr);
  if (time >= 0) observation.Add(kHttpLastModified, static_cast<double>(time));
}

void ReportTimings(const HttpTimings& timings, std::chrono::microseconds before,
                   Observation& observation) {
  observation.Add(kDnsLookup, Seconds(before + timings.resolve));
  const auto phase = [&](std::string_view name, std::chrono::microseconds took) {
    observation.Add(kHttpDuration, "phase", name, Seconds(took));
  };
  phase("connect", timings.connect);
  phase("processing", timings.processing);
  phase("resolve", before + timings.resolve);
  phase("tls", timings.tls);
  phase("transfer", timings.transfer);
}

}  // namespace vigia::collectors::probe
