// A plain HTTP/1.1 client for tests, one request per connection, and raw sockets beside it.

#pragma once

#include <chrono>
#include <map>
#include <string>

namespace vigia::test {

struct HttpAnswer {
  int status = 0;                              // 0: no answer (refused, reset, timed out)
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::chrono::duration<double> took{};
};

struct HttpQuery {
  std::string method = "GET";
  std::string path = "/";
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

HttpAnswer Ask(int port, const HttpQuery& query);
HttpAnswer Get(int port, const std::string& path, std::map<std::string, std::string> headers = {});

// A connection to 127.0.0.1 that a test writes to byte by byte.
class RawConnection {
 public:
  explicit RawConnection(int port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool connected() const { return socket_ >= 0; }
  // False once the other side has closed.
  bool Send(const std::string& bytes) const;
  // Ends the connection with a reset.
  void Reset() const;
  // Says that nothing more will be sent; answers can still be read.
  void Finish() const;
  // What arrives until the other side closes, or until `timeout` passes without a byte.
  std::string ReadAll(std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;
  // What comes up to `text`; less if it does not come within 10 s.
  std::string ReadUntil(std::string_view text) const;

 private:
  int socket_ = -1;
};

// A TCP port of 127.0.0.1 that was free a moment ago.
int FreePort();

}  // namespace vigia::test
