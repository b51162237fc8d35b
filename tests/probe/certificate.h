// Certificates as tests want them: of any name, valid from and until any time.

#pragma once

#include <filesystem>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

struct CertificateOptions {
  std::string name = "localhost";  // common name and alternative name
  long valid_from = -3600;         // seconds from now
  long valid_until = 24L * 3600;   // seconds from now
};

// A self-signed certificate with its key, in files.
class Certificate {
 public:
  explicit Certificate(const CertificateOptions& options = {});

  std::string cert_file() const { return dir_.path() / "cert.pem"; }
  std::string key_file() const { return dir_.path() / "key.pem"; }
  // Unix time.
  double expiry() const { return expiry_; }

 private:
  TempDir dir_;
  double expiry_ = 0;
};

// `openssl s_server`, which answers any GET with 200.
class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate, const std::string& address = "127.0.0.1");

  int port() const { return port_; }

 private:
  int port_;
  Process process_;
};

}  // namespace vigia::test
