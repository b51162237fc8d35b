#include "exporter/http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace vigia::http {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

using Pair = std::pair<std::string_view, std::string_view>;

// The suites of Go's tls.CipherSuites(). Those of TLS 1.3 are always on, in Go as in OpenSSL.
constexpr std::array kCiphers{
    Pair{"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    Pair{"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
    Pair{"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    Pair{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    Pair{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Pair{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    Pair{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    Pair{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    Pair{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
};

constexpr std::array kCurves{
    Pair{"CurveP256", "P-256"},
    Pair{"CurveP384", "P-384"},
    Pair{"CurveP521", "P-521"},
    Pair{"X25519", "X25519"},
};

std::string Translate(const auto& table, std::string_view name) {
  for (const auto& [from, to] : table) {
    if (from == name) return std::string(to);
  }
  return {};
}

bool IsTls13Suite(std::string_view openssl_name) { return openssl_name.starts_with("TLS_"); }

int OpensslVersion(TlsVersion version) {
  constexpr std::array kVersions{TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
  return kVersions[static_cast<std::size_t>(version)];
}

// The last error of OpenSSL in this thread, said of `what`.
tl::unexpected<Error> OpensslFailure(std::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return Fail(Error(ErrorCode::kInvalid, reason ? reason : "OpenSSL refuses it").In(what));
}

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<Certificate> ReadCertificates(const std::string& pem) {
  std::vector<Certificate> certificates;
  const Bio bio = Memory(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  ERR_clear_error();  // "no start line" is how the end shows
  return certificates;
}

// No passphrase is asked for: a key that needs one cannot be read.
int NoPassphrase(char*, int, int, void*) { return -1; }

// As Go's net.IP.String() for the addresses in a certificate.
std::string AddressText(const ASN1_OCTET_STRING& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(&bytes) == 4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, ASN1_STRING_get0_data(&bytes), text.data(), text.size());
  return text.data();
}

// The names that exporter-toolkit compares: DNS names, e-mail addresses, IP addresses, URIs.
std::vector<std::string> AlternativeNames(const X509* certificate) {
  std::vector<std::string> found;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type == GEN_IPADD) {
      found.push_back(AddressText(*value));
    } else if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
      found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                         static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
  }
  return found;
}

thread_local bool client_verified = false;

}  // namespace

std::string OpensslCipher(const std::string& go_name) { return Translate(kCiphers, go_name); }
std::string OpensslCurve(const std::string& go_name) { return Translate(kCurves, go_name); }

class TlsSettings {
 public:
  explicit TlsSettings(const TlsConfig& config) : config_(config) {}

  Status Load();
  // Makes a connection that is about to shake hands use these settings.
  bool ApplyTo(SSL* connection) const;

 private:
  Status LoadCertificate();
  Status LoadClientAuthorities();
  Status ChooseCiphers();

  static int OnVerify(X509_STORE_CTX* store, void* self);
  bool Verify(X509_STORE_CTX* store) const;
  int VerifyMode() const;

  const TlsConfig config_;
  Context context_;
  TlsVersion min_version_ = TlsVersion::k12;
  std::string ciphers_;  // empty: as they are
  std::string curves_;   // empty: as they are
};

Status TlsSettings::Load() {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!context_) return OpensslFailure("TLS");
  min_version_ = config_.min_version;
  if (config_.max_version < min_version_) {
    return Fail(ErrorCode::kInvalid, "max_version is below min_version");
  }
  if (auto status = LoadCertificate(); !status) return status;
  if (auto status = LoadClientAuthorities(); !status) return status;
  if (auto status = ChooseCiphers(); !status) return status;
  for (const auto& curve : config_.curves) {
    curves_ += (curves_.empty() ? "" : ":") + OpensslCurve(curve);
  }
  if (!curves_.empty() && SSL_CTX_set1_groups_list(context_.get(), curves_.c_str()) != 1) {
    return OpensslFailure("curve_preferences");
  }
  SSL_CTX_set_cert_verify_callback(context_.get(), OnVerify, this);
  return Ok();
}

Status TlsSettings::LoadCertificate() {
  auto chain = ReadCertificates(config_.certificate);
  if (chain.empty()) return Fail(ErrorCode::kInvalid, "the certificate is not in PEM format");
  if (SSL_CTX_use_certificate(context_.get(), chain.front().get()) != 1) {
    return OpensslFailure("the certificate");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context_.get(), chain[i].get()) != 1) {
      return OpensslFailure("the certificate chain");
    }
  }
  const Key key(PEM_read_bio_PrivateKey(Memory(config_.key).get(), nullptr, NoPassphrase, nullptr));
  if (!key) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalid, "the key is not an unencrypted private key in PEM format");
  }
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
    return OpensslFailure("the key does not belong to the certificate");
  }
  return Ok();
}

Status TlsSettings::LoadClientAuthorities() {
  if (config_.client_auth == ClientAuth::kNone) return Ok();
  if (config_.client_ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
      return OpensslFailure("the system's certificate authorities");
    }
    return Ok();
  }
  const auto authorities = ReadCertificates(config_.client_ca);
  if (authorities.empty()) {
    return Fail(ErrorCode::kInvalid, "the client CA holds no certificate in PEM format");
  }
  for (const auto& authority : authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context_.get(), authority.get()) != 1) {
      return OpensslFailure("the client CA");
    }
  }
  return Ok();
}

Status TlsSettings::ChooseCiphers() {
  for (const auto& name : config_.cipher_suites) {
    const std::string suite = OpensslCipher(name);
    if (IsTls13Suite(suite)) continue;
    ciphers_ += (ciphers_.empty() ? "" : ":") + suite;
  }
  if (ciphers_.empty() && !config_.cipher_suites.empty()) {
    // Only suites of TLS 1.3: older versions have none left.
    if (config_.max_version < TlsVersion::k13) {
      return Fail(ErrorCode::kInvalid, "cipher_suites: none of them works below TLS13");
    }
    min_version_ = TlsVersion::k13;
  }
  if (min_version_ < TlsVersion::k12) {
    // OpenSSL 3 leaves nothing for these versions at its usual security level.
    if (ciphers_.empty()) ciphers_ = "DEFAULT";
    ciphers_ += ":@SECLEVEL=0";
  }
  if (!ciphers_.empty() && SSL_CTX_set_cipher_list(context_.get(), ciphers_.c_str()) != 1) {
    return OpensslFailure("cipher_suites");
  }
  return Ok();
}

int TlsSettings::VerifyMode() const {
  switch (config_.client_auth) {
    case ClientAuth::kNone:
      return SSL_VERIFY_NONE;
    case ClientAuth::kRequest:
    case ClientAuth::kVerifyIfGiven:
      return SSL_VERIFY_PEER;
    case ClientAuth::kRequireAny:
    case ClientAuth::kRequireVerified:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

int TlsSettings::OnVerify(X509_STORE_CTX* store, void* self) {
  try {
    return static_cast<const TlsSettings*>(self)->Verify(store) ? 1 : 0;
  } catch (const std::exception&) {  // out of memory; OpenSSL is no place for exceptions
    return 0;
  }
}

// Called when the client has sent a certificate.
bool TlsSettings::Verify(X509_STORE_CTX* store) const {
  const bool verify = config_.client_auth == ClientAuth::kVerifyIfGiven ||
                      config_.client_auth == ClientAuth::kRequireVerified;
  if (verify && X509_verify_cert(store) != 1) return false;
  if (!config_.client_allowed_sans.empty()) {
    const auto names = AlternativeNames(X509_STORE_CTX_get0_cert(store));
    const auto& allowed = config_.client_allowed_sans;
    if (std::find_first_of(names.begin(), names.end(), allowed.begin(), allowed.end()) ==
        names.end()) {
      X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
      return false;
    }
  }
  if (!verify) X509_STORE_CTX_set_error(store, X509_V_OK);
  client_verified = verify;
  return true;
}

bool TlsSettings::ApplyTo(SSL* connection) const {
  // Takes over certificate, authorities, ciphers and verification; the rest was copied from the
  // first context when the connection was made, before these settings were known.
  if (SSL_set_SSL_CTX(connection, context_.get()) == nullptr) return false;
  SSL_set_verify(connection, VerifyMode(), nullptr);
  if (config_.prefer_server_cipher_suites) {
    SSL_set_options(connection, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  if (!ciphers_.empty() && SSL_set_cipher_list(connection, ciphers_.c_str()) != 1) return false;
  if (!curves_.empty() && SSL_set1_groups_list(connection, curves_.c_str()) != 1) return false;
  return SSL_set_min_proto_version(connection, OpensslVersion(min_version_)) == 1 &&
         SSL_set_max_proto_version(connection, OpensslVersion(config_.max_version)) == 1;
}

Result<std::shared_ptr<const TlsSettings>> MakeTlsSettings(const TlsConfig& config) {
  auto settings = std::make_shared<TlsSettings>(config);
  auto status = settings->Load();
  if (!status) return Fail(status.error());
  return settings;
}

namespace {

class OpensslServer final : public TlsServer {
 public:
  OpensslServer(Current current, Context context)
      : current_(std::move(current)), context_(std::move(context)) {
    SSL_CTX_set_client_hello_cb(context_.get(), OnClientHello, this);
  }

  void* native() const override { return context_.get(); }

 private:
  static int OnClientHello(SSL* connection, int* alert, void* self) {
    client_verified = false;
    *alert = SSL_AD_INTERNAL_ERROR;
    // The connection holds on to the context, but not to the settings, which OnVerify needs:
    // they stay until this thread, which serves the connection, shakes hands again.
    thread_local std::shared_ptr<const TlsSettings> settings;
    try {
      settings = static_cast<OpensslServer*>(self)->current_();
    } catch (const std::exception&) {  // out of memory; OpenSSL is no place for exceptions
      return SSL_CLIENT_HELLO_ERROR;
    }
    if (settings && settings->ApplyTo(connection)) return SSL_CLIENT_HELLO_SUCCESS;
    ERR_clear_error();
    return SSL_CLIENT_HELLO_ERROR;
  }

  const Current current_;
  const Context context_;
};

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::Make(Current current) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return OpensslFailure("TLS");
  // Sessions are not resumed: a resumed one would skip the rules for client certificates.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Partial writes: civetweb counts progress by what a call has written. Buffers of idle
  // connections are given back, 34 kB each.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // Anything from here on: each handshake sets its own bounds.
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  return std::make_unique<OpensslServer>(std::move(current), std::move(context));
}

bool TlsServer::ClientVerified() { return client_verified; }

}  // namespace vigia::http
