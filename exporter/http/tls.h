// TLS as web.yml describes it, on OpenSSL. civetweb gets one context for the life of the
// process; each handshake takes the settings that are then current, so certificates and rules
// change without a restart.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace vigia::http {

// Go's tls.ClientAuthType.
enum class ClientAuth {
  kNone,            // NoClientCert
  kRequest,         // RequestClientCert
  kRequireAny,      // RequireAnyClientCert
  kVerifyIfGiven,   // VerifyClientCertIfGiven
  kRequireVerified  // RequireAndVerifyClientCert
};

enum class TlsVersion { k10, k11, k12, k13 };

struct TlsConfig {
  std::string certificate;  // PEM: the server's, then those between it and its authority
  std::string key;          // PEM
  std::string client_ca;    // PEM; empty: the system's authorities
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;  // Go's names, for versions up to 1.2; empty: OpenSSL's
  std::vector<std::string> curves;         // Go's names; empty: OpenSSL's
  bool prefer_server_cipher_suites = true;
};

// OpenSSL's names for Go's, empty for those that exporter-toolkit does not know.
std::string OpensslCipher(const std::string& go_name);
std::string OpensslCurve(const std::string& go_name);

// Settings that work: certificate and key were read and belong together. Immutable.
class TlsSettings;
Result<std::shared_ptr<const TlsSettings>> MakeTlsSettings(const TlsConfig& config);

// Thread-safe.
class TlsServer {
 public:
  using Current = std::function<std::shared_ptr<const TlsSettings>()>;

  // `current` is asked at each handshake.
  static Result<std::unique_ptr<TlsServer>> Make(Current current);
  virtual ~TlsServer() = default;

  // The SSL_CTX to accept connections with.
  virtual void* native() const = 0;

  // Whether the client of the connection that the calling thread shook hands on last proved
  // who it is by a certificate of an accepted authority. civetweb serves a connection in the thread
  // that accepted it.
  static bool ClientVerified();
};

}  // namespace vigia::http
