#include "tests/support/web_app.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/number.h"

namespace vigia::test {
namespace {

constexpr int kLook = 50;  // milliseconds after which a waiting thread asks whether to stop
constexpr std::string_view kName = "django_http_requests_latency_seconds_by_view_method";

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool SendAll(int socket, const std::string& bytes) {
  return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// Reads on until `mark` is there; what was read, or nothing once the other side or `stop` says so.
template <typename Stop>
std::optional<std::string> ReadUntil(int socket, const std::string& mark, const Stop& stop) {
  std::string bytes;
  char buffer[4096];
  while (bytes.find(mark) == std::string::npos) {
    pollfd waiting{socket, POLLIN, 0};
    while (::poll(&waiting, 1, kLook) == 0) {
      if (stop()) return std::nullopt;
    }
    const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
    if (n <= 0) return std::nullopt;
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
  return bytes;
}

}  // namespace

WebApp::WebApp() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = Loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0) {
    std::abort();
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

WebApp::~WebApp() {
  stop_ = true;
  acceptor_.join();
  for (auto& worker : workers_) worker.join();
  ::close(listener_);
}

std::string WebApp::Url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + target;
}

void WebApp::AddView(const std::string& view, std::chrono::microseconds latency) {
  const std::lock_guard lock(mutex_);
  views_[view] = {.latency = latency};
}

void WebApp::SetLatency(const std::string& view, std::chrono::microseconds latency) {
  const std::lock_guard lock(mutex_);
  views_.at(view).latency = latency;
}

void WebApp::Accept() {
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kLook) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    workers_.emplace_back([this, socket] {
      Serve(socket);
      ::close(socket);
    });
  }
}

void WebApp::Serve(int socket) {
  while (const auto request = ReadUntil(socket, "\r\n\r\n", [this] { return stop_.load(); })) {
    // "GET /posts HTTP/1.1"
    const auto begin = request->find(' ') + 1;
    const auto body = Answer(request->substr(begin, request->find(' ', begin) - begin));
    const std::string head = body.empty() ? "HTTP/1.1 404 Not Found\r\n" : "HTTP/1.1 200 OK\r\n";
    if (!SendAll(socket, head + "Content-Type: text/plain; version=0.0.4\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body)) {
      return;
    }
  }
}

// Empty for a target that is not there.
std::string WebApp::Answer(const std::string& target) {
  if (target == "/metrics") return Metrics();
  const auto view = target.substr(1);
  std::chrono::microseconds latency;
  {
    const std::lock_guard lock(mutex_);
    const auto found = views_.find(view);
    if (found == views_.end()) return {};
    latency = found->second.latency;
  }
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(latency);  // the work
  Observe(view, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return "done\n";
}

void WebApp::Observe(const std::string& view, double seconds) {
  const auto bucket = std::lower_bound(kBuckets.begin(), kBuckets.end(), seconds);
  const std::lock_guard lock(mutex_);
  auto& own = views_.at(view);
  ++own.counts[static_cast<std::size_t>(bucket - kBuckets.begin())];
  own.sum += seconds;
}

std::string WebApp::Metrics() const {
  const std::string name(kName);
  std::string out = "# HELP " + name + " Histogram of request processing time labelled by view.\n" +
                    "# TYPE " + name + " histogram\n";
  const std::lock_guard lock(mutex_);
  for (const auto& [view, own] : views_) {
    const std::string labels = "method=\"GET\",view=\"" + view + "\"";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < own.counts.size(); ++i) {
      count += own.counts[i];
      const auto le = i < kBuckets.size() ? FormatDouble(kBuckets[i]) : "+Inf";
      out += name + "_bucket{le=\"" + le + "\"," + labels + "} " + std::to_string(count) + "\n";
    }
    out += name + "_sum{" + labels + "} " + FormatDouble(own.sum) + "\n";
    out += name + "_count{" + labels + "} " + std::to_string(count) + "\n";
  }
  return out;
}

Visitors::Visitors(const WebApp& app, const std::vector<std::string>& views) {
  for (const auto& view : views) {
    threads_.emplace_back([port = app.port(), view](std::stop_token stop) {
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto address = Loopback(port);
      const bool connected =
          ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      const auto stopped = [&] { return stop.stop_requested(); };
      while (connected && !stopped()) {
        if (!SendAll(socket, "GET /" + view + " HTTP/1.1\r\nHost: localhost\r\n\r\n")) break;
        if (!ReadUntil(socket, "done\n", stopped)) break;
      }
      ::close(socket);
    });
  }
}

}  // namespace vigia::test
