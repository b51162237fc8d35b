#include "exporter/http/gate.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/file.h"
#include "core/log.h"

namespace vigia::http {
namespace {

constexpr Duration kCheckInterval = 1s;

// What every answer carries unless the handler or web.yml says otherwise. The policy allows
// nothing but vigia's own files: no inline script, no other host.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kHeaders{{
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "DENY"},
    {"referrer-policy", "no-referrer"},
    {"content-security-policy",
     "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
    {"cache-control", "no-store"},
}};

void AppendStamp(std::string& stamp, const std::filesystem::path& path) {
  struct stat info {};
  if (path.empty()) return;
  if (::stat(path.c_str(), &info) != 0) {
    stamp += "?;";
    return;
  }
  for (const auto part : {static_cast<std::int64_t>(info.st_ino), std::int64_t{info.st_size},
                          std::int64_t{info.st_mtim.tv_sec}, std::int64_t{info.st_mtim.tv_nsec}}) {
    stamp += std::to_string(part) + ",";
  }
  stamp += ';';
}

}  // namespace

Result<std::unique_ptr<Gate>> Gate::Open(const Clock& clock, Options options) {
  std::unique_ptr<Gate> gate(new Gate(clock, std::move(options)));
  if (gate->options_.web_config.empty()) return gate;
  if (auto status = gate->Load(); !status) return Fail(status.error());
  gate->checked_ = clock.Now();
  return gate;
}

Status Gate::Load() {
  config::Diagnostics diagnostics(options_.web_config.string());
  auto web = std::make_shared<WebConfig>(LoadWebConfig(options_.web_config, diagnostics));
  if (!diagnostics.ok()) return Fail(ErrorCode::kInvalid, diagnostics.ToString());
  if (web->tls) {
    const auto pem = web->Pem();
    if (!pem) return Fail(ErrorCode::kInvalid, pem.error().message() + "\n");
    // Only when it has changed: a new time of the file makes civetweb load it again.
    const auto old = ReadFile(options_.pem_file);
    if (!old || *old != *pem) {
      if (auto status = WriteFileAtomically(options_.pem_file, *pem, 0600); !status) return status;
    }
  }
  stamp_ = StampOf(*web);
  web_ = std::move(web);
  return Ok();
}

Gate::Stamp Gate::StampOf(const WebConfig& web) const {
  Stamp stamp;
  AppendStamp(stamp, options_.web_config);
  if (web.tls) {
    AppendStamp(stamp, web.tls->cert_file);
    AppendStamp(stamp, web.tls->key_file);
  }
  return stamp;
}

std::optional<TlsOptions> Gate::tls() const {
  if (!web_->tls) return std::nullopt;
  TlsOptions options = web_->tls->options;
  options.certificate_file = options_.pem_file.string();
  return options;
}

std::shared_ptr<const WebConfig> Gate::Current() {
  const std::lock_guard lock(mutex_);
  if (options_.web_config.empty()) return web_;
  const Instant now = clock_.Now();
  if (now - checked_ < kCheckInterval) return web_;
  checked_ = now;
  auto stamp = StampOf(*web_);
  if (stamp == stamp_) return web_;
  const bool had_tls = web_->tls.has_value();
  if (auto status = Load(); !status) {
    stamp_ = std::move(stamp);  // reported once, not at each request
    log::Error("web configuration refused, the old one stays",
               {{"fault", status.error().message()}});
  } else {
    log::Info("web configuration reloaded", {{"file", options_.web_config.string()}});
    if (web_->tls.has_value() != had_tls) {
      log::Warn("switching TLS on or off needs a restart",
                {{"file", options_.web_config.string()}});
    }
  }
  return web_;
}

std::optional<Response> Gate::Admit(Request& request) {
  const auto web = Current();
  RateLimiter::Limit limit = options_.limit;
  if (web->rate_limit) {
    limit.rate = 1000.0 / static_cast<double>(web->rate_limit->interval.count());
    limit.burst = static_cast<double>(web->rate_limit->burst);
  }
  if (!request.FromLoopback()) {
    if (const double wait = limiter_.Take(request.remote_address, limit); wait > 0) {
      auto response = Response::Text(429, "too many requests\n");
      response.headers.emplace_back("retry-after", std::to_string(std::lround(std::ceil(wait))));
      return response;
    }
  }
  if (web->users.empty()) return std::nullopt;

  const auto credentials = DecodeBasic(request.Header("authorization"));
  const std::size_t colon = credentials.find(':');
  if (colon != credentials.npos) {
    const auto user = std::string_view(credentials).substr(0, colon);
    switch (passwords_.Check(web->users, user, std::string_view(credentials).substr(colon + 1))) {
      case PasswordChecker::Answer::kRight:
        request.user = user;
        return std::nullopt;
      case PasswordChecker::Answer::kBusy: {
        auto response = Response::Text(429, "too many passwords are being checked\n");
        response.headers.emplace_back("retry-after", "1");
        return response;
      }
      case PasswordChecker::Answer::kWrong:
        break;
    }
  }
  auto response = Response::Text(401, "a user name and password are needed\n");
  response.headers.emplace_back("www-authenticate", "Basic realm=\"vigia\"");
  return response;
}

Headers Gate::ExtraHeaders() {
  Headers headers = Current()->headers;
  for (const auto& [name, value] : kHeaders) {
    const auto same = [&, &wanted = name](const auto& header) { return header.first == wanted; };
    if (std::none_of(headers.begin(), headers.end(), same)) headers.emplace_back(name, value);
  }
  return headers;
}

}  // namespace vigia::http
