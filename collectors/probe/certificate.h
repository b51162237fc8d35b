// A CertificateRecorder notes what a server presents during a TLS handshake: certificates, chain,
// version and cipher, also of handshakes that fail because the certificate is refused. It changes
// nothing about the verification itself.
//
// Belongs to one handshake at a time (the last one counts) and outlives the context it is
// attached to, or at least all handshakes of it.

#pragma once

#include <optional>
#include <string>

#include "collectors/probe/observation.h"

namespace vigia::collectors::probe {

class CertificateRecorder {
 public:
  // `ssl_context` is an SSL_CTX* that no other recorder is attached to.
  void AttachTo(void* ssl_context);
  // Nothing is known of any certificate again.
  void Reset() { seen_ = false; }

  bool seen() const { return seen_; }
  bool trusted() const { return trusted_; }
  // Why not: "certificate has expired".
  const std::string& error() const { return error_; }

  // Adds what is known. `accepted`: the connection was set up, so that the name matches too.
  void Report(bool accepted, Observation& observation) const;

  // For OpenSSL's callback: a X509_STORE_CTX*.
  int Verify(void* store_context);

 private:
  void TakeCertificates(void* store_context);
  void TakeConnection(void* store_context);

  bool seen_ = false;
  bool trusted_ = false;
  std::string error_;
  double earliest_expiry_ = 0;
  std::optional<double> chain_expiry_;
  std::string fingerprint_;
  std::string subject_;
  std::string issuer_;
  std::string alternative_names_;
  std::string serial_;
  std::string version_;
  std::string cipher_;
};

}  // namespace vigia::collectors::probe
