#include "collectors/redis/address.h"

namespace vigia::collectors::redis {

Address ReadAddress(config::MapReader& options, std::string_view key) {
  Address address;
  std::string url = "redis://127.0.0.1:6379";
  options.Read(key, url);
  auto parsed = ParseUrl(url);
  if (parsed) {
    address = *std::move(parsed);
  } else {
    options.Fault(key, parsed.error().message());
  }
  options.Read("username", address.username);
  options.ReadSecret("password", address.password);
  const config::Node* const node = options.Child("tls");
  if (!node) return address;
  config::MapReader tls(*node, options.diagnostics(), options.context() + ".tls");
  address.tls = true;
  tls.Read("ca_file", address.tls_ca_file);
  tls.Read("cert_file", address.tls_cert_file);
  tls.Read("key_file", address.tls_key_file);
  tls.Read("server_name", address.tls_server_name);
  tls.Read("insecure_skip_verify", address.tls_insecure);
  if (address.tls_cert_file.empty() != address.tls_key_file.empty()) {
    tls.Fault("cert_file", "cert_file and key_file go together");
  }
  tls.Finish();
  return address;
}

}  // namespace vigia::collectors::redis
