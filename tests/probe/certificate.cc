#include "tests/probe/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "tests/support/http_client.h"

namespace vigia::test {

Certificate::Certificate(const CertificateOptions& options) {
  const time_t now = ::time(nullptr);
  expiry_ = static_cast<double>(now + options.valid_until);
  EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x1234);
  ASN1_TIME_set(X509_getm_notBefore(certificate), now + options.valid_from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), now + options.valid_until);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + options.name).c_str());
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(key_file().c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  file = std::fopen(cert_file().c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TlsServer::TlsServer(const Certificate& certificate, const std::string& address)
    : port_(FreePort()),
      process_({"openssl", "s_server", "-accept", address + ":" + std::to_string(port_), "-cert",
                certificate.cert_file(), "-key", certificate.key_file(), "-www"}) {
  if (!process_.AwaitOutput("ACCEPT")) throw std::runtime_error(process_.Output());
}

}  // namespace vigia::test
