#include "tests/support/http_stub.h"

#include <arpa/inet.h>
#include <libdeflate.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <sstream>
#include <thread>

namespace vigia::test {
namespace {

std::string Gzip(const std::string& text) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(1);
  std::string out(libdeflate_gzip_compress_bound(compressor, text.size()), '\0');
  out.resize(
      libdeflate_gzip_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

StubRequest ParseHead(const std::string& head) {
  StubRequest request;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.target;
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string value = line.substr(std::min(line.size(), colon + 2));
    while (!value.empty() && value.back() == '\r') value.pop_back();
    request.headers[name] = value;
  }
  return request;
}

}  // namespace

class HttpStub::Server {
 public:
  Server() { Start(); }
  ~Server() { Stop(); }

  void Start() {
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0) {
      std::abort();
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  void Stop() {
    if (!acceptor_.joinable()) return;
    const std::uint64_t one = 1;
    if (::write(stop_, &one, sizeof one) != sizeof one) std::abort();
    acceptor_.join();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    ::close(listener_);
    ::close(stop_);
  }

  int port() const { return port_; }

  void Answer(const std::string& path, StubAnswer answer) {
    if (answer.gzip) {
      answer.body = Gzip(answer.body);
      answer.headers["Content-Encoding"] = "gzip";
    }
    Decide(path, [answer = std::move(answer)](const StubRequest&) { return answer; });
  }

  void Decide(const std::string& path, Decision decide) {
    const std::lock_guard lock(mutex_);
    decisions_[path] = std::move(decide);
  }

  std::vector<StubRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  using Manner = StubAnswer::Manner;

  // Waits for `events` on `socket`, at most `milliseconds` (-1: for ever); false if it is time to
  // stop, or nothing happened.
  bool Await(int socket, short events, int milliseconds) const {
    pollfd waiting[] = {{stop_, POLLIN, 0}, {socket, events, 0}};
    return ::poll(waiting, 2, milliseconds) > 0 && waiting[0].revents == 0;
  }
  bool stopping() const {
    pollfd waiting{stop_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) > 0;
  }

  void Accept() {
    while (Await(listener_, POLLIN, -1)) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket < 0) continue;
      {
        const std::lock_guard lock(mutex_);
        ++connections_;
      }
      workers_.emplace_back([this, socket] {
        while (Serve(socket)) {
        }
        ::close(socket);
      });
    }
  }

  // One request; false when the connection is at its end.
  bool Serve(int socket) {
    std::string bytes;
    const auto read_until = [&](auto&& complete) {
      char buffer[65536];
      while (!complete()) {
        if (!Await(socket, POLLIN, -1)) return false;
        const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        bytes.append(buffer, static_cast<std::size_t>(n));
      }
      return true;
    };
    std::size_t end = 0;
    if (!read_until([&] { return (end = bytes.find("\r\n\r\n")) != std::string::npos; })) {
      return false;
    }
    auto request = ParseHead(bytes.substr(0, end + 2));
    const auto length = request.headers.find("content-length");
    const std::size_t body =
        length == request.headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
    if (!read_until([&] { return bytes.size() >= end + 4 + body; })) return false;
    request.body = bytes.substr(end + 4, body);
    return Reply(socket, Record(std::move(request)));
  }

  StubAnswer Record(StubRequest request) {
    const auto path = request.target.substr(0, request.target.find('?'));
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    const auto at = decisions_.find(path);
    return at == decisions_.end() ? StubAnswer{.status = 404, .body = "no such page\n"}
                                  : at->second(requests_.back());
  }

  bool Reply(int socket, const StubAnswer& answer) const {
    if (answer.manner == Manner::kHang) {
      // Until the other side has had enough.
      return Await(socket, POLLIN, -1) && false;
    }
    const bool endless = answer.manner == Manner::kEndlessBody;
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Answer\r\n";
    for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
    if (!endless) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    if (!Send(socket, head + "\r\n")) return false;
    switch (answer.manner) {
      case Manner::kSlowBody:
        for (const char c : answer.body) {
          if (!Send(socket, {c}) || Await(socket, POLLIN, 20) || stopping()) return false;
        }
        return true;
      case Manner::kEndlessBody:
        while (Send(socket, answer.body)) {
        }
        return false;
      case Manner::kCutBody:
        Send(socket, answer.body.substr(0, answer.body.size() / 2));
        return false;
      case Manner::kCloseAfter:
        Send(socket, answer.body);
        return false;
      default:
        return Send(socket, answer.body);
    }
  }

  bool Send(int socket, const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      if (!Await(socket, POLLOUT, -1)) return false;
      const ssize_t n = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  int port_ = 0;
  int listener_ = -1;
  int stop_ = -1;  // readable once it is time to stop
  std::thread acceptor_;
  std::vector<std::thread> workers_;  // touched by the acceptor, then by Stop()

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Decision> decisions_;
  std::vector<StubRequest> requests_;
  int connections_ = 0;
};

HttpStub::HttpStub() : server_(std::make_unique<Server>()) {}
HttpStub::~HttpStub() = default;

int HttpStub::port() const { return server_->port(); }
std::string HttpStub::Url(std::string_view target) const {
  return "http://127.0.0.1:" + std::to_string(port()) + std::string(target);
}
void HttpStub::Answer(const std::string& path, StubAnswer answer) {
  server_->Answer(path, std::move(answer));
}
void HttpStub::Decide(const std::string& path, Decision decide) {
  server_->Decide(path, std::move(decide));
}
std::vector<StubRequest> HttpStub::requests() const { return server_->requests(); }
int HttpStub::connections() const { return server_->connections(); }
void HttpStub::Stop() { server_->Stop(); }
void HttpStub::Start() { server_->Start(); }

}  // namespace vigia::test
