// A real server of gRPC for tests, on loopback: Python's, with a health service of its own. Its
// services are "" (serving), "down" (not serving), "secret" (for those with x-token: abc); all
// others are not known.

#pragma once

#include <memory>
#include <string>

#include "tests/probe/certificate.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

class GrpcServer {
 public:
  // Whether python3-grpcio is installed; warns if it is not.
  static bool Available();

  GrpcServer() : GrpcServer("", "") {}
  // Over TLS.
  explicit GrpcServer(const Certificate& certificate)
      : GrpcServer(certificate.cert_file(), certificate.key_file()) {}

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  GrpcServer(const std::string& cert_file, const std::string& key_file);

  TempDir dir_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace vigia::test
