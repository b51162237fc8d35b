#include "alerting/deliver/answer.h"

#include <ctime>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "alerting/templates/print.h"
#include "core/number.h"
#include "core/redact.h"

namespace vigia::alerting::deliver {
namespace {

constexpr auto kLongestWait = Milliseconds(24h);
constexpr std::size_t kShownRunes = 200;

std::optional<Milliseconds> FromSeconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  const double limited = std::min(seconds, 86'400.0);
  return Milliseconds(static_cast<std::int64_t>(std::ceil(limited * 1000)));
}

nlohmann::json At(std::string_view body, std::string_view path) {
  auto json = nlohmann::json::parse(body, nullptr, false);
  while (!path.empty() && json.is_object()) {
    const auto dot = std::min(path.find('.'), path.size());
    const std::string key(path.substr(0, dot));
    nlohmann::json inner = json.contains(key) ? json[key] : nlohmann::json();
    json = std::move(inner);
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return path.empty() ? json : nlohmann::json();
}

std::string Summary(const HttpResponse& response) {
  std::string out = "status " + std::to_string(response.status);
  std::string body(templates::RunePrefix(response.body, kShownRunes));
  std::replace_if(
      body.begin(), body.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  if (!body.empty()) out += ": " + Redact(body);
  return out;
}

}  // namespace

std::optional<Milliseconds> ParseRetryAfter(std::string_view value, Timestamp now) {
  if (value.empty()) return std::nullopt;
  if (const auto seconds = ParseDouble(value)) return FromSeconds(*seconds);
  std::tm date{};
  const std::string text(value);
  const char* const end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (!end || *end != '\0') return std::nullopt;
  const auto wait = static_cast<Timestamp>(timegm(&date)) * 1000 - now;
  return std::clamp(Milliseconds(wait), Milliseconds(0), kLongestWait);
}

Outcome ReadAnswer(const Result<HttpResponse>& response, Timestamp now) {
  using Kind = Outcome::Kind;
  if (!response) {
    const bool invalid = response.error().code() == ErrorCode::kInvalid;
    return {.kind = invalid ? Kind::kRejected : Kind::kRetry,
            .message = Redact(response.error().message())};
  }
  const int status = response->status;
  if (status >= 200 && status < 300) return {.message = "status " + std::to_string(status)};
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    return {.kind = Kind::kRetry,
            .message = Summary(*response),
            .retry_after = ParseRetryAfter(response->Header("retry-after"), now)};
  }
  return Rejected(Summary(*response));
}

std::optional<Milliseconds> SecondsInJson(std::string_view body, std::string_view path) {
  const auto value = At(body, path);
  return value.is_number() ? FromSeconds(value.get<double>()) : std::nullopt;
}

std::string TextInJson(std::string_view body, std::string_view path) {
  const auto value = At(body, path);
  return value.is_string() ? value.get<std::string>() : "";
}

std::optional<bool> BoolInJson(std::string_view body, std::string_view path) {
  const auto value = At(body, path);
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

std::optional<std::int64_t> IntegerInJson(std::string_view body, std::string_view path) {
  const auto value = At(body, path);
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

Outcome Rejected(std::string message) {
  return {.kind = Outcome::Kind::kRejected, .message = std::move(message)};
}

}  // namespace vigia::alerting::deliver
