#include "collectors/probe/stream.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

std::string TlsError(std::string_view what) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return std::string(what);
  ERR_error_string_n(code, text.data(), text.size());
  return std::string(what) + ": " + text.data();
}

// The certificates of a PEM, one after another; at least one.
template <typename Take>
bool ForEachCertificate(const std::string& pem, Take take) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  int count = 0;
  bool ok = true;
  while (X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    ok = take(certificate, count++) && ok;
    X509_free(certificate);
  }
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  BIO_free(bio);
  return ok && count > 0;
}

bool LoadPemAuthorities(const std::string& pem, SSL_CTX* context) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  return ForEachCertificate(
      pem, [&](X509* authority, int) { return X509_STORE_add_cert(store, authority) == 1; });
}

bool LoadPemChain(const std::string& pem, SSL_CTX* context) {
  return ForEachCertificate(pem, [&](X509* certificate, int index) {
    if (index == 0) return SSL_CTX_use_certificate(context, certificate) == 1;
    return SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, certificate) == 1;
  });
}

bool LoadPemKey(const std::string& pem, SSL_CTX* context) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  const bool ok = key && SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  BIO_free(bio);
  return ok;
}

// A socket that is connected, or the error.
Result<int> ConnectTo(const SocketAddress& address, const std::string& source, Deadline deadline) {
  const int socket = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return Fail(SystemError("socket", errno));
  const auto fail = [&](Error error) {
    ::close(socket);
    return Fail(std::move(error));
  };
  if (auto bound = BindSource(socket, address.family(), source); !bound) return fail(bound.error());
  if (::connect(socket, address.get(), address.size) == 0) return socket;
  if (errno != EINPROGRESS) return fail(SystemError("connect", errno));
  if (auto ready = AwaitSocket(socket, POLLOUT, deadline); !ready) return fail(ready.error());
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(SystemError("connect", error));
  return socket;
}

}  // namespace

struct Stream::Tls {
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;

  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  void SetVersions(const HttpTls& options) {
    // 0: OpenSSL's own.
    constexpr std::array<int, 5> kVersions{0, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
                                           TLS1_3_VERSION};
    SSL_CTX_set_min_proto_version(context,
                                  kVersions[static_cast<std::size_t>(options.min_version)]);
    SSL_CTX_set_max_proto_version(context,
                                  kVersions[static_cast<std::size_t>(options.max_version)]);
    const bool old =
        options.min_version == TlsVersion::k10 || options.min_version == TlsVersion::k11;
    if (old) SSL_CTX_set_security_level(context, 0);  // else OpenSSL refuses them
  }

  bool LoadAuthorities(const HttpTls& options) const {
    if (!options.ca.empty()) return LoadPemAuthorities(options.ca, context);
    if (options.ca_file.empty()) return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) == 1;
  }

  // Our own certificate and its key, if there are any.
  bool LoadOwn(const HttpTls& options) const {
    const bool certified = !options.cert.empty() ? LoadPemChain(options.cert, context)
                                                 : options.cert_file.empty() ||
                                                       SSL_CTX_use_certificate_chain_file(
                                                           context, options.cert_file.c_str()) == 1;
    if (!certified) return false;
    if (!options.key.empty()) return LoadPemKey(options.key.Reveal().value_or(""), context);
    return options.key_file.empty() ||
           SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  }

  Status Configure(const HttpTls& options, const std::string& name) {
    context = SSL_CTX_new(TLS_client_method());
    if (!context) return Fail(ErrorCode::kInternal, TlsError("no TLS context"));
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (!LoadAuthorities(options)) return Fail(ErrorCode::kInvalid, TlsError("ca_file"));
    if (!LoadOwn(options)) return Fail(ErrorCode::kInvalid, TlsError("cert_file or key_file"));
    SetVersions(options);
    SSL_CTX_set_verify(context, options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       nullptr);
    ssl = SSL_new(context);
    if (!ssl) return Fail(ErrorCode::kInternal, TlsError("no TLS session"));
    X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
    if (name.empty()) return Ok();  // of a Unix socket: there is none to check
    // An address stands in certificates as an address; it is no name for SNI.
    if (AddressFamily(name) != 0) {
      X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str());
      return Ok();
    }
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size());
    // SSL_set_tlsext_host_name() without the C cast in it; the name is copied.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
    return Ok();
  }

  // Waits for what a call that returned `result` wants; an error if it failed.
  Status Await(int result, int socket, Deadline deadline, std::string_view what) const {
    const int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_WANT_READ) return AwaitSocket(socket, POLLIN, deadline);
    if (error == SSL_ERROR_WANT_WRITE) return AwaitSocket(socket, POLLOUT, deadline);
    return Fail(ErrorCode::kUnavailable, TlsError(what));
  }
};

Status AwaitSocket(int socket, short events, Deadline deadline) {
  pollfd wait{socket, events, 0};
  while (true) {
    const auto left = deadline.Left();
    if (left.count() == 0) return Fail(ErrorCode::kTimeout, "no answer in time");
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<long>(left.count(), 1 << 30)));
    if (ready > 0) return Ok();
    if (ready < 0 && errno != EINTR) return Fail(SystemError("poll", errno));
  }
}

Stream::Stream(int socket, SocketAddress address) : socket_(socket), address_(address) {}

Stream::~Stream() {
  tls_.reset();
  ::close(socket_);
}

Result<std::unique_ptr<Stream>> Stream::Connect(const std::vector<SocketAddress>& addresses,
                                                const std::string& source, Deadline deadline) {
  Error last(ErrorCode::kUnavailable, "no address");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // Of the time that is left, each address gets its share.
    const auto share = deadline.Left() / static_cast<long>(addresses.size() - i);
    const auto until =
        i + 1 == addresses.size() ? deadline : Deadline::After(deadline.clock(), share);
    const auto socket = ConnectTo(addresses[i], source, until);
    if (socket) return std::unique_ptr<Stream>(new Stream(*socket, addresses[i]));
    last = socket.error();
  }
  return Fail(last);
}

Result<std::unique_ptr<Stream>> Stream::ConnectUnix(const std::string& path, Deadline deadline) {
  SocketAddress address;
  auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage);
  unix_address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof unix_address.sun_path) {
    return Fail(ErrorCode::kInvalid, "expected the path of a socket");
  }
  path.copy(unix_address.sun_path, path.size());
  address.size = sizeof unix_address;
  const auto socket = ConnectTo(address, "", deadline);
  if (!socket) return Fail(socket.error());
  return std::unique_ptr<Stream>(new Stream(*socket, address));
}

Status Stream::StartTls(const HttpTls& options, const std::string& name,
                        CertificateRecorder& recorder, Deadline deadline) {
  // What came in the clear after the agreement to encrypt was put there by somebody else.
  if (!buffer_.empty()) return Fail(ErrorCode::kCorrupt, "data before TLS");
  ERR_clear_error();
  auto tls = std::make_unique<Tls>();
  const auto& server_name = options.server_name.empty() ? name : options.server_name;
  if (auto status = tls->Configure(options, server_name); !status) return status;
  recorder.AttachTo(tls->context);
  SSL_set_fd(tls->ssl, socket_);
  while (true) {
    const int result = SSL_connect(tls->ssl);
    if (result == 1) break;
    if (auto status = tls->Await(result, socket_, deadline, "TLS handshake"); !status) {
      const bool refused = recorder.seen() && !recorder.trusted() && !options.insecure_skip_verify;
      return refused ? Fail(ErrorCode::kUnavailable, recorder.error()) : status;
    }
  }
  tls_ = std::move(tls);
  return Ok();
}

Status Stream::Write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (tls_) {
      const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 16384));
      const int written = SSL_write(tls_->ssl, bytes.data(), size);
      if (written > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (auto status = tls_->Await(written, socket_, deadline, "write"); !status) {
        return status;
      }
      continue;
    }
    const ssize_t written = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (auto status = AwaitSocket(socket_, POLLOUT, deadline); !status) return status;
    } else {
      return Fail(SystemError("send", errno));
    }
  }
  return Ok();
}

Result<std::string> Stream::ReadSome(Deadline deadline) {
  std::array<char, 4096> bytes{};
  const auto closed = [] {
    return Fail(ErrorCode::kUnavailable, "the server closed the connection");
  };
  while (true) {
    if (deadline.Passed()) return Fail(ErrorCode::kTimeout, "no answer in time");
    if (tls_) {
      const int size = SSL_read(tls_->ssl, bytes.data(), static_cast<int>(bytes.size()));
      if (size > 0) return std::string(bytes.data(), static_cast<std::size_t>(size));
      if (SSL_get_error(tls_->ssl, size) == SSL_ERROR_ZERO_RETURN) return closed();
      if (auto status = tls_->Await(size, socket_, deadline, "read"); !status) {
        return Fail(status.error());
      }
      continue;
    }
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (size > 0) return std::string(bytes.data(), static_cast<std::size_t>(size));
    if (size == 0) return closed();
    if (errno != EAGAIN && errno != EINTR) return Fail(SystemError("recv", errno));
    if (auto status = AwaitSocket(socket_, POLLIN, deadline); !status) return Fail(status.error());
  }
}

Result<std::string> Stream::Read(Deadline deadline) {
  if (buffer_.empty()) return ReadSome(deadline);
  return std::exchange(buffer_, {});
}

Result<std::string> Stream::ReadExactly(std::size_t size, Deadline deadline) {
  while (buffer_.size() < size) {
    auto more = ReadSome(deadline);
    if (!more) return more;
    buffer_ += *more;
  }
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

Result<std::string> Stream::ReadLine(Deadline deadline) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != buffer_.npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (buffer_.size() > kLongestLine) return Fail(ErrorCode::kCorrupt, "a line without end");
    searched = buffer_.size();
    auto more = ReadSome(deadline);
    if (!more) return more;
    buffer_ += *more;
  }
}

}  // namespace vigia::collectors::probe
