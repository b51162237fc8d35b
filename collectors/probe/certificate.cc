#include "collectors/probe/certificate.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace vigia::collectors::probe {
namespace {

// Unix time of the end of validity.
double ExpiryOf(X509* certificate) {
  tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return static_cast<double>(::timegm(&time));
}

std::optional<double> EarliestExpiry(const STACK_OF(X509) * certificates) {
  std::optional<double> earliest;
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    const double expiry = ExpiryOf(sk_X509_value(certificates, i));
    earliest = earliest ? std::min(*earliest, expiry) : expiry;
  }
  return earliest;
}

// As RFC 2253 has it: "CN=example.com,O=Example".
std::string NameText(const X509_NAME* name) {
  BIO* const bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<std::size_t>(std::max(size, 0L)));
  BIO_free(bio);
  return copy;
}

std::string Hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string Fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return Hex(digest.data(), size);
}

std::string Serial(X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  return Hex(ASN1_STRING_get0_data(serial),
             static_cast<std::size_t>(std::max(ASN1_STRING_length(serial), 0)));
}

// DNS names, separated by commas. A certificate may list hundreds: cut at a length that a label
// can bear.
std::string AlternativeNames(const X509* certificate) {
  constexpr std::size_t kLongest = 1024;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string text;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    const auto* const data = ASN1_STRING_get0_data(name->d.dNSName);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
    if (text.size() + size + 1 > kLongest) break;
    if (!text.empty()) text += ',';
    text.append(reinterpret_cast<const char*>(data), size);
  }
  GENERAL_NAMES_free(names);
  return text;
}

// "TLSv1.3" as others write it: "TLS 1.3".
std::string VersionText(std::string_view openssl) {
  if (!openssl.starts_with("TLSv")) return std::string(openssl);
  std::string text = "TLS " + std::string(openssl.substr(4));
  return text == "TLS 1" ? "TLS 1.0" : text;
}

int OnVerify(X509_STORE_CTX* context, void* recorder) {
  return static_cast<CertificateRecorder*>(recorder)->Verify(context);
}

}  // namespace

void CertificateRecorder::AttachTo(void* ssl_context) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(ssl_context), &OnVerify, this);
}

int CertificateRecorder::Verify(void* store_context) {
  auto* const context = static_cast<X509_STORE_CTX*>(store_context);
  const int result = X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  seen_ = true;
  trusted_ = result == 1 && error == X509_V_OK;
  error_ = trusted_ ? "" : X509_verify_cert_error_string(error);
  TakeCertificates(context);
  TakeConnection(context);
  return result;
}

void CertificateRecorder::TakeCertificates(void* store_context) {
  auto* const context = static_cast<X509_STORE_CTX*>(store_context);
  X509* const leaf = X509_STORE_CTX_get0_cert(context);
  if (!leaf) return;
  earliest_expiry_ = ExpiryOf(leaf);
  if (const auto presented = EarliestExpiry(X509_STORE_CTX_get0_untrusted(context))) {
    earliest_expiry_ = std::min(earliest_expiry_, *presented);
  }
  // As far as it could be built; up to the trusted one if the only fault is a date.
  chain_expiry_ = EarliestExpiry(X509_STORE_CTX_get0_chain(context));
  fingerprint_ = Fingerprint(leaf);
  subject_ = NameText(X509_get_subject_name(leaf));
  issuer_ = NameText(X509_get_issuer_name(leaf));
  alternative_names_ = AlternativeNames(leaf);
  serial_ = Serial(leaf);
}

void CertificateRecorder::TakeConnection(void* store_context) {
  auto* const context = static_cast<X509_STORE_CTX*>(store_context);
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (!ssl) return;
  version_ = VersionText(SSL_get_version(ssl));
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  const char* const name = cipher ? SSL_CIPHER_standard_name(cipher) : nullptr;
  cipher_ = name ? name : "";
}

void CertificateRecorder::Report(bool accepted, Observation& observation) const {
  if (!seen_) return;
  observation.Add(kTlsEarliestExpiry, earliest_expiry_);
  if (chain_expiry_) observation.Add(kTlsChainExpiry, *chain_expiry_);
  observation.values.push_back({kTlsChainInfo,
                                1,
                                {{"fingerprint_sha256", fingerprint_},
                                 {"subject", subject_},
                                 {"issuer", issuer_},
                                 {"subjectalternative", alternative_names_},
                                 {"serialnumber", serial_}}});
  observation.Add(kTlsVersion, "version", version_, 1);
  if (!cipher_.empty()) observation.Add(kTlsCipher, "cipher", cipher_, 1);
  observation.Add(kTlsValid, trusted_ && accepted ? 1 : 0);
}

}  // namespace vigia::collectors::probe
