#include "tests/probe/tls_stub.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace vigia::test {

TlsStub::TlsStub(const Certificate& certificate, Answer answer)
    : certificate_(certificate), answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot bind");
  }
  port_ = ntohs(address.sin_port);
  ::listen(listener_, 8);
  thread_ = std::thread([this] { Serve(); });
}

TlsStub::~TlsStub() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void TlsStub::Serve() {
  while (!stop_) {
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, 20) <= 0) continue;
    const int connection = ::accept(listener_, nullptr, nullptr);
    const timeval patience{2, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Talk(connection);
    ::close(connection);
  }
}

void TlsStub::Talk(int connection) const {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_file(context, certificate_.cert_file().c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context, certificate_.key_file().c_str(), SSL_FILETYPE_PEM);
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, connection);
  std::array<char, 16384> bytes{};
  int size = SSL_accept(ssl) == 1 ? 1 : 0;
  while (size > 0) {
    size = SSL_read(ssl, bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) break;
    const auto reply = answer_(std::string(bytes.data(), static_cast<std::size_t>(size)));
    if (!reply.empty()) SSL_write(ssl, reply.data(), static_cast<int>(reply.size()));
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
}

}  // namespace vigia::test
