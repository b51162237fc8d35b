// Who is let in: users, rate limits, TLS and headers by web.yml, which is read again when it or its
// certificates change. Thread-safe.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "exporter/http/message.h"
#include "exporter/http/passwords.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/tls.h"
#include "exporter/http/web_settings.h"

namespace vigia::http {

class Gate {
 public:
  struct Options {
    std::filesystem::path web_config;  // empty: no users, no TLS
    Rate client_rate;                  // per address, beside web.yml's for all; 0: no limit
    bool limit_loopback = false;       // whether client_rate holds for 127.0.0.0/8, too
    // Gets what a person should know of: a new web.yml with faults, keys that have no effect.
    std::function<void(std::string_view)> report = nullptr;
  };

  // kInvalid with all faults of web.yml, one a line. The clock lives longer.
  static Result<std::unique_ptr<Gate>> Open(const Clock& clock, Options options);

  // For Server::Options; null where web.yml has no TLS.
  TlsServer* tls() const { return tls_.get(); }

  // The answer to a request that is not let in; else sets request.user.
  std::optional<Response> Admit(Request& request);

  // Security headers for every answer, as they stand in a head: "Name: value\r\n" each.
  std::string HeaderLines();

 private:
  Gate(const Clock& clock, Options options);

  std::optional<Response> CheckRates(const WebSettings& settings, const Request& request);
  std::optional<Response> CheckUser(const WebSettings& settings, Request& request);

  const Options options_;
  WebSettingsFile settings_;
  PasswordChecker passwords_;
  std::optional<ClientLimiter> client_limiter_;
  std::unique_ptr<TlsServer> tls_;
};

}  // namespace vigia::http
