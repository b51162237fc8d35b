#include "collectors/probe/http_verdict.h"

#include <algorithm>

#include "core/duration.h"
#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

void CheckStatus(const HttpModule& module, int status, Observation& observation) {
  const auto& ranges = module.valid_statuses;
  const auto within = [&](const auto& range) {
    return status >= range.first && status <= range.second;
  };
  const bool good =
      ranges.empty() ? status / 100 == 2 : std::any_of(ranges.begin(), ranges.end(), within);
  if (!good) observation.FailWith(Reason::kStatus, "status " + std::to_string(status));
}

bool Matches(const HttpFields& headers, const HeaderPattern& wanted, bool when_missing) {
  bool there = false;
  for (const auto& [name, value] : headers) {
    if (name != wanted.header) continue;
    there = true;
    if (wanted.pattern.Found(value)) return true;
  }
  return !there && when_missing;
}

void CheckHeaders(const HttpModule& module, const HttpFields& headers, Observation& observation) {
  for (const auto& header : module.bad_headers) {
    if (!Matches(headers, header, !header.allow_missing)) continue;
    observation.FailWith(Reason::kHeader, "header " + header.header);
  }
  for (const auto& header : module.good_headers) {
    if (Matches(headers, header, header.allow_missing)) continue;
    observation.FailWith(Reason::kHeader, "header " + header.header);
  }
}

void CheckEncoding(const HttpModule& module, const HttpFields& headers, Observation& observation) {
  const auto& wanted = module.compression;
  if (wanted.empty() || wanted == "identity") return;
  const auto named = [](const auto& field) { return field.first == "content-encoding"; };
  const auto encoding = std::find_if(headers.begin(), headers.end(), named);
  if (encoding != headers.end() && encoding->second == wanted) return;
  observation.FailWith(Reason::kEncoding, "the body is not compressed by " + wanted);
}

void CheckCel(const HttpModule& module, const std::string& body, Observation& observation) {
  if (!module.HasCel()) return;
  const auto check = [&](const CelExpression& expression, bool wanted) {
    const auto says = expression.Evaluate(body);
    if (says && *says == wanted) return;
    observation.FailWith(Reason::kJson,
                         says ? "'" + expression.text() + "' is " + (*says ? "true" : "false")
                              : says.error().message());
  };
  // What failed before leaves the body unread.
  if (!observation.success) return;
  for (const auto& expression : module.bad_cel) check(expression, false);
  for (const auto& expression : module.good_cel) check(expression, true);
}

void CheckBody(const HttpModule& module, const std::string& body, Observation& observation) {
  for (const auto& pattern : module.bad_bodies) {
    if (!pattern.Found(body)) continue;
    observation.FailWith(Reason::kBody, "the body matches '" + pattern.expression() + "'");
  }
  for (const auto& pattern : module.good_bodies) {
    if (pattern.Found(body)) continue;
    observation.FailWith(Reason::kBody, "the body does not match '" + pattern.expression() + "'");
  }
  CheckCel(module, body, observation);
  if (module.json.empty()) return;
  if (auto status = CheckJson(body, module.json); !status) {
    observation.FailWith(Reason::kJson, status.error().message());
  }
}

void CheckProtocol(const HttpModule& module, const HttpAnswer& answer, Observation& observation) {
  const auto& versions = module.valid_versions;
  if (!versions.empty() &&
      std::find(versions.begin(), versions.end(), answer.version) == versions.end()) {
    observation.FailWith(Reason::kVersion, "HTTP version " + FormatDouble(answer.version));
  }
  if (answer.secure && module.fail_if_ssl) {
    observation.FailWith(Reason::kTls, "the answer came over TLS");
  }
  if (!answer.secure && module.fail_if_not_ssl) {
    observation.FailWith(Reason::kTls, "the answer did not come over TLS");
  }
}

}  // namespace

void Judge(const HttpModule& module, const HttpAnswer& answer, Observation& observation) {
  CheckStatus(module, answer.status, observation);
  CheckHeaders(module, answer.headers, observation);
  CheckEncoding(module, answer.headers, observation);
  CheckBody(module, answer.body, observation);
  CheckProtocol(module, answer, observation);
  const auto limit = std::chrono::duration<double>(module.max_duration).count();
  if (limit > 0 && observation.duration_seconds > limit) {
    observation.FailWith(Reason::kSlow, "took longer than " + FormatDuration(module.max_duration));
  }
}

}  // namespace vigia::collectors::probe
