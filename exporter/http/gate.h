// Who is let in: users, rate limits and headers by web.yml, which is read again when it or its
// certificates change. Thread-safe.

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "core/clock.h"
#include "core/result.h"
#include "exporter/http/message.h"
#include "exporter/http/passwords.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/web_config.h"

namespace vigia::http {

class Gate {
 public:
  struct Options {
    std::filesystem::path web_config;  // empty: no users, no TLS
    // Where chain and key are written in one file, as civetweb wants them; the folder exists.
    std::filesystem::path pem_file;
    RateLimiter::Limit limit;  // unless web.yml has one; clients on loopback are exempt
  };

  // kInvalid with all faults of web.yml, one a line.
  static Result<std::unique_ptr<Gate>> Open(const Clock& clock, Options options);

  // What the server's listeners need.
  std::optional<TlsOptions> tls() const;

  // For Server::Options.
  std::optional<Response> Admit(Request& request);
  Headers ExtraHeaders();

 private:
  // Tells whether files have changed: names, sizes and times of all of them.
  using Stamp = std::string;

  Gate(const Clock& clock, Options options)
      : clock_(clock), options_(std::move(options)), limiter_(clock) {}

  Status Load();
  std::shared_ptr<const WebConfig> Current();
  Stamp StampOf(const WebConfig& web) const;

  const Clock& clock_;
  const Options options_;
  PasswordChecker passwords_;
  RateLimiter limiter_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<const WebConfig> web_ = std::make_shared<WebConfig>();
  Stamp stamp_;
  Instant checked_{};
};

}  // namespace vigia::http
