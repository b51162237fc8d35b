// A Stream is one TCP connection of a probe, plain or over TLS; every call ends by its deadline.
// Not thread-safe.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "collectors/probe/certificate.h"
#include "collectors/probe/resolve.h"

namespace vigia::collectors::probe {

// Waits until `socket` can be read or written (poll's events); kTimeout at the deadline.
Status AwaitSocket(int socket, short events, Deadline deadline);

class Stream {
 public:
  // Tries one address after another, from `source` (see BindSource()). kUnavailable if none takes
  // the connection, kTimeout.
  static Result<std::unique_ptr<Stream>> Connect(const std::vector<SocketAddress>& addresses,
                                                 const std::string& source, Deadline deadline);
  // The same for the Unix socket at `path`. kInvalid for a path that is too long.
  static Result<std::unique_ptr<Stream>> ConnectUnix(const std::string& path, Deadline deadline);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Negotiates TLS with `name` for the server's name. `recorder` sees the certificate whatever
  // comes of it.
  Status StartTls(const HttpTls& options, const std::string& name, CertificateRecorder& recorder,
                  Deadline deadline);

  Status Write(std::string_view bytes, Deadline deadline);
  // At least one byte; kUnavailable at the end of the stream.
  Result<std::string> Read(Deadline deadline);
  // Exactly `size` bytes.
  Result<std::string> ReadExactly(std::size_t size, Deadline deadline);
  // One line without its end, of at most 64 KiB.
  Result<std::string> ReadLine(Deadline deadline);

  const SocketAddress& address() const { return address_; }

 private:
  struct Tls;

  Stream(int socket, SocketAddress address);
  Result<std::string> ReadSome(Deadline deadline);

  const int socket_;
  const SocketAddress address_;
  std::unique_ptr<Tls> tls_;
  std::string buffer_;  // read and not yet taken
};

}  // namespace vigia::collectors::probe
