#include "collectors/redis/connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/number.h"

namespace vigia::collectors::redis {
namespace {

Error Timeout() { return {ErrorCode::kTimeout, "no answer in time"}; }
Error Closed() { return {ErrorCode::kUnavailable, "server closed the connection"}; }

// "a%20b" -> "a b"
std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto hex = [&](std::size_t at) {
      return std::string_view("0123456789abcdef").find(static_cast<char>(text[at] | 0x20));
    };
    if (text[i] == '%' && i + 2 < text.size() && hex(i + 1) != std::string_view::npos &&
        hex(i + 2) != std::string_view::npos) {
      out += static_cast<char>(hex(i + 1) * 16 + hex(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<int> ParseBounded(std::string_view text, int max, std::string_view what) {
  const auto number = ParseInt(text);
  if (!number || *number < 0 || *number > max) {
    return Fail(
        ErrorCode::kInvalid,
        "the " + std::string(what) + " of the URL is not a number up to " + std::to_string(max));
  }
  return static_cast<int>(*number);
}

Status WaitFor(int socket, short events, Deadline deadline) {
  while (true) {
    const auto left = deadline.Left();
    if (left.count() == 0) return Fail(Timeout());
    pollfd ready{socket, events, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (n > 0) return Ok();
    if (n < 0 && errno != EINTR) return Fail(SystemError("poll", errno));
  }
}

// The reply tree of hiredis as ours.
Reply Convert(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::kString;
      reply.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::kError;
      reply.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kArray;
      reply.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) {
        reply.items.push_back(Convert(*from.element[i]));
      }
      break;
    default:
      break;
  }
  return reply;
}

struct Free {
  void operator()(redisReader* reader) const { ::redisReaderFree(reader); }
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Error TlsError(std::string_view what) {
  char text[256] = "unknown error";
  if (const auto code = ::ERR_get_error()) ::ERR_error_string_n(code, text, sizeof text);
  ::ERR_clear_error();
  return {ErrorCode::kUnavailable, "TLS: " + std::string(what) + ": " + text};
}

}  // namespace

Result<Address> ParseUrl(std::string_view url) {
  Address address;
  std::string_view rest = url;
  const auto take = [&](std::string_view scheme) {
    if (!rest.starts_with(scheme)) return false;
    rest.remove_prefix(scheme.size());
    return true;
  };
  if (take("unix://")) {
    const std::size_t query = rest.find('?');
    address.unix_path = rest.substr(0, query);
    if (query != rest.npos && rest.substr(query).starts_with("?db=")) {
      const auto db = ParseBounded(rest.substr(query + 4), 65535, "database");
      if (!db) return Fail(db.error());
      address.db = *db;
    }
    if (address.unix_path.empty()) return Fail(ErrorCode::kInvalid, "the URL names no socket");
    return address;
  }
  address.tls = take("rediss://");
  if (!address.tls && !take("redis://")) {
    return Fail(ErrorCode::kInvalid, "the URL has to begin with redis://, rediss:// or unix://");
  }
  if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
    const auto credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    address.username = PercentDecode(credentials.substr(0, colon));
    if (colon != credentials.npos) {
      address.password = Secret::FromValue(PercentDecode(credentials.substr(colon + 1)));
    }
    rest.remove_prefix(at + 1);
  }
  if (const std::size_t slash = rest.find('/'); slash != rest.npos) {
    if (slash + 1 < rest.size()) {
      const auto db = ParseBounded(rest.substr(slash + 1), 65535, "database");
      if (!db) return Fail(db.error());
      address.db = *db;
    }
    rest = rest.substr(0, slash);
  }
  const std::size_t bracket = rest.find(']');  // [::1]:6379
  const std::size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  if (colon != rest.npos) {
    const auto port = ParseBounded(rest.substr(colon + 1), 65535, "port");
    if (!port) return Fail(port.error());
    address.port = *port;
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (!rest.empty()) address.host = rest;
  return address;
}

double Reply::Number() const {
  if (kind == Kind::kInteger) return static_cast<double>(integer);
  return ParseDouble(text).value_or(0);
}

// The socket, TLS on it if asked for, and the reader of replies.
class Connection::Transport {
 public:
  Transport() : reader_(::redisReaderCreate()) {}
  ~Transport() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
  }

  Status Connect(const Address& address, Deadline deadline) {
    if (!address.unix_path.empty()) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      if (address.unix_path.size() >= sizeof name.sun_path) {
        return Fail(ErrorCode::kInvalid, address.unix_path + ": longer than a socket path may be");
      }
      std::memcpy(name.sun_path, address.unix_path.data(), address.unix_path.size());
      return ConnectTo(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name, deadline);
    }
    // Resolving cannot be given a deadline; the scheduler does not wait for a late collector.
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, Free> list(found);
    if (error != 0) {
      return Fail(ErrorCode::kUnavailable, address.host + ": " + ::gai_strerror(error));
    }
    Status status = Fail(ErrorCode::kUnavailable, address.host + ": no address");
    for (const addrinfo* at = list.get(); at; at = at->ai_next) {
      status = ConnectTo(at->ai_family, at->ai_addr, at->ai_addrlen, deadline);
      if (status) break;
    }
    if (!status || !address.tls) return status;
    return StartTls(address, deadline);
  }

  Status Write(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
      short wanted = POLLOUT;
      const ssize_t n =
          ssl_ ? TlsResult(::SSL_write(ssl_.get(), bytes.data(), Clamp(bytes.size())), wanted)
               : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
        continue;
      }
      if (auto status = WaitOrFail(n, wanted, deadline); !status) return status;
    }
    return Ok();
  }

  Result<Reply> ReadReply(Deadline deadline) {
    while (true) {
      void* parsed = nullptr;
      if (::redisReaderGetReply(reader_.get(), &parsed) != REDIS_OK) {
        return Fail(ErrorCode::kCorrupt, std::string("not the Redis protocol: ") + reader_->errstr);
      }
      if (parsed) {
        Reply reply = Convert(*static_cast<redisReply*>(parsed));
        ::freeReplyObject(parsed);
        return reply;
      }
      char buffer[65536];
      short wanted = POLLIN;
      const ssize_t n = ssl_ ? TlsResult(::SSL_read(ssl_.get(), buffer, sizeof buffer), wanted)
                             : ::recv(socket_, buffer, sizeof buffer, 0);
      if (n == 0) return Fail(Closed());
      if (n > 0) {
        received_ += static_cast<std::size_t>(n);
        if (received_ > kMaxReplyBytes) {
          return Fail(ErrorCode::kCorrupt, "the answer is larger than 64 MiB");
        }
        ::redisReaderFeed(reader_.get(), buffer, static_cast<std::size_t>(n));
      } else if (auto status = WaitOrFail(n, wanted, deadline); !status) {
        return Fail(status.error());
      }
    }
  }

  void BeginAnswers() { received_ = 0; }

 private:
  static constexpr std::size_t kMaxReplyBytes = 64 * 1024 * 1024;

  static int Clamp(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, 1 << 20));
  }

  // What send() would have returned: -1 with errno, EAGAIN for "wait for `wanted`".
  ssize_t TlsResult(int n, short& wanted) {
    if (n > 0) return n;
    switch (::SSL_get_error(ssl_.get(), n)) {
      case SSL_ERROR_WANT_READ:
        wanted = POLLIN;
        errno = EAGAIN;
        return -1;
      case SSL_ERROR_WANT_WRITE:
        wanted = POLLOUT;
        errno = EAGAIN;
        return -1;
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      default:
        ::ERR_clear_error();
        errno = ECONNRESET;
        return -1;
    }
  }

  Status WaitOrFail(ssize_t n, short wanted, Deadline deadline) const {
    if (n == 0) return Fail(Closed());
    if (errno == EAGAIN || errno == EWOULDBLOCK) return WaitFor(socket_, wanted, deadline);
    if (errno == EINTR) return Ok();
    if (errno == ECONNRESET || errno == EPIPE) return Fail(Closed());
    return Fail(SystemError("socket", errno));
  }

  Status ConnectTo(int family, const sockaddr* name, socklen_t size, Deadline deadline) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return Fail(SystemError("socket", errno));
    if (::connect(socket_, name, size) != 0) {
      if (errno != EINPROGRESS) return Fail(SystemError("connect", errno));
      if (auto status = WaitFor(socket_, POLLOUT, deadline); !status) {
        return Fail(status.error().In("connect"));
      }
      int error = 0;
      socklen_t length = sizeof error;
      ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) return Fail(SystemError("connect", error));
    }
    const int on = 1;
    if (family != AF_UNIX) ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Ok();
  }

  Status StartTls(const Address& address, Deadline deadline) {
    context_.reset(::SSL_CTX_new(::TLS_client_method()));
    if (!context_) return Fail(TlsError("set-up"));
    ::SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    if (address.tls_ca_file.empty()) {
      ::SSL_CTX_set_default_verify_paths(context_.get());
    } else if (::SSL_CTX_load_verify_locations(context_.get(), address.tls_ca_file.c_str(),
                                               nullptr) != 1) {
      return Fail(TlsError(address.tls_ca_file));
    }
    if (!address.tls_cert_file.empty() &&
        (::SSL_CTX_use_certificate_chain_file(context_.get(), address.tls_cert_file.c_str()) != 1 ||
         ::SSL_CTX_use_PrivateKey_file(context_.get(), address.tls_key_file.c_str(),
                                       SSL_FILETYPE_PEM) != 1)) {
      return Fail(TlsError(address.tls_cert_file));
    }
    ssl_.reset(::SSL_new(context_.get()));
    if (!ssl_) return Fail(TlsError("set-up"));
    ::SSL_set_fd(ssl_.get(), socket_);
    const auto& name = address.tls_server_name.empty() ? address.host : address.tls_server_name;
    // SSL_set_tlsext_host_name() is a macro with a C cast.
    ::SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(name.c_str()));
    if (!address.tls_insecure) {
      ::SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
      X509_VERIFY_PARAM* const wanted = ::SSL_get0_param(ssl_.get());
      if (::X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) != 1) {
        ::X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), 0);
      }
    }
    while (true) {
      const int n = ::SSL_connect(ssl_.get());
      if (n == 1) return Ok();
      const int error = ::SSL_get_error(ssl_.get(), n);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        return Fail(TlsError("handshake"));
      }
      if (auto status = WaitFor(socket_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
          !status) {
        return Fail(status.error().In("TLS handshake"));
      }
    }
  }

  int socket_ = -1;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  const std::unique_ptr<redisReader, Free> reader_;
  std::size_t received_ = 0;  // of the answers to one Run()
};

Connection::Connection(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const Address& address, Deadline deadline) {
  auto transport = std::make_unique<Transport>();
  if (auto status = transport->Connect(address, deadline); !status) return Fail(status.error());
  std::unique_ptr<Connection> connection(new Connection(std::move(transport)));

  std::vector<Command> hello;
  if (!address.password.empty()) {
    const auto password = address.password.Reveal();
    if (!password) return Fail(password.error());
    if (address.username.empty()) {
      hello.push_back({"AUTH", *password});
    } else {
      hello.push_back({"AUTH", address.username, *password});
    }
  }
  const std::size_t named = hello.size();
  hello.push_back({"CLIENT", "SETNAME", "vigia"});
  if (address.db != 0) hello.push_back({"SELECT", std::to_string(address.db)});
  const auto replies = connection->Run(hello, deadline);
  if (!replies) return Fail(replies.error());
  for (std::size_t i = 0; i < replies->size(); ++i) {
    // A user who may not name his connection may still be allowed what matters.
    if (i != named && (*replies)[i].IsError()) {
      return Fail(Error(ErrorCode::kUnavailable, (*replies)[i].text).In(hello[i][0]));
    }
  }
  return connection;
}

Result<std::vector<Reply>> Connection::Run(std::span<const Command> commands, Deadline deadline) {
  std::string out;
  for (const auto& command : commands) {
    out += "*" + std::to_string(command.size()) + "\r\n";
    for (const auto& word : command) {
      out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
  }
  transport_->BeginAnswers();
  if (auto status = transport_->Write(out, deadline); !status) return Fail(status.error());
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  while (replies.size() < commands.size()) {
    auto reply = transport_->ReadReply(deadline);
    if (!reply) return Fail(reply.error());
    replies.push_back(*std::move(reply));
  }
  return replies;
}

Result<Reply> Connection::Run(const Command& command, Deadline deadline) {
  auto replies = Run(std::span(&command, 1), deadline);
  if (!replies) return Fail(replies.error());
  return std::move(replies->front());
}

}  // namespace vigia::collectors::redis
