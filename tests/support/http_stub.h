// An HTTP server for tests, on loopback, that answers as a test tells it: well, slowly, without
// end, or never.
//
//     HttpStub stub;
//     stub.Answer("/metrics", {.body = "a 1\n"});
//     client.Get(stub.Url("/metrics"), deadline);
//
// Thread-safe.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::test {

struct StubAnswer {
  enum class Manner {
    kWhole,
    kSlowBody,     // byte by byte, 20 ms apart
    kEndlessBody,  // the body again and again
    kHang,         // nothing at all
    kCutBody,      // half of the body, then the connection closes
    kCloseAfter,   // the whole, then the connection closes
  };

  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  bool gzip = false;  // compresses the body
  Manner manner = Manner::kWhole;
};

struct StubRequest {
  std::string method;
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpStub {
 public:
  HttpStub();
  ~HttpStub();
  HttpStub(const HttpStub&) = delete;
  HttpStub& operator=(const HttpStub&) = delete;

  int port() const;
  // "http://127.0.0.1:<port><target>"
  std::string Url(std::string_view target = "/metrics") const;

  // How requests for `path` are answered from now on; 404 for all others.
  void Answer(const std::string& path, StubAnswer answer);
  // The same, with an answer that depends on the request. `decide` is called by one thread at a
  // time.
  using Decision = std::function<StubAnswer(const StubRequest&)>;
  void Decide(const std::string& path, Decision decide);

  std::vector<StubRequest> requests() const;
  // Accepted since the start.
  int connections() const;

  // Refuses and drops connections until Start(), which listens on the same port.
  void Stop();
  void Start();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace vigia::test
