#include "tests/probe/line_stub.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace vigia::test {
namespace {

int Bound(int type, int& port) {
  const int socket = ::socket(AF_INET, type, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot bind");
  }
  port = ntohs(address.sin_port);
  return socket;
}

// Whether `socket` can be read, before somebody wants to stop.
bool Readable(int socket, const std::atomic<bool>& stop) {
  while (!stop) {
    pollfd wait{socket, POLLIN, 0};
    if (::poll(&wait, 1, 20) > 0) return true;
  }
  return false;
}

}  // namespace

LineStub::LineStub(std::vector<LineStep> script, int relay_port)
    : script_(std::move(script)), relay_port_(relay_port), listener_(Bound(SOCK_STREAM, port_)) {
  ::listen(listener_, 8);
  thread_ = std::thread([this] { Serve(); });
}

LineStub::~LineStub() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void LineStub::Serve() {
  while (Readable(listener_, stop_)) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    Follow(connection);
    ::close(connection);
  }
}

void LineStub::Follow(int connection) const {
  for (const auto& step : script_) {
    if (!step.send.empty()) ::send(connection, step.send.data(), step.send.size(), MSG_NOSIGNAL);
    std::string line;
    while (!step.await.empty() && !line.ends_with('\n')) {
      char c = 0;
      if (!Readable(connection, stop_) || ::recv(connection, &c, 1, 0) != 1) return;
      line += c;
    }
    if (!step.await.empty() && line != step.await + "\n") return;
  }
  if (relay_port_ != 0) return Relay(connection);
  char c = 0;
  while (Readable(connection, stop_) && ::recv(connection, &c, 1, 0) == 1) {
  }
}

void LineStub::Relay(int connection) const {
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(relay_port_));
  bool open = ::connect(other, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open && !stop_) {
    std::array<pollfd, 2> wait{pollfd{connection, POLLIN, 0}, pollfd{other, POLLIN, 0}};
    ::poll(wait.data(), wait.size(), 20);
    for (std::size_t i = 0; i < 2; ++i) {
      if (!wait[i].revents) continue;
      std::array<char, 4096> bytes{};
      const ssize_t size = ::recv(wait[i].fd, bytes.data(), bytes.size(), 0);
      open = open && size > 0;
      if (size > 0) {
        ::send(wait[1 - i].fd, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
    }
  }
  ::close(other);
}

DnsStub::DnsStub(int rcode, std::vector<int> counts, std::string rest)
    : rcode_(rcode),
      counts_(std::move(counts)),
      rest_(std::move(rest)),
      socket_(Bound(SOCK_DGRAM, port_)) {
  thread_ = std::thread([this] { Serve(); });
}

DnsStub::~DnsStub() {
  stop_ = true;
  thread_.join();
  ::close(socket_);
}

void DnsStub::Serve() const {
  while (Readable(socket_, stop_)) {
    std::array<char, 1024> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket_, bytes.data(), bytes.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 12) continue;
    std::string answer(bytes.data(), static_cast<std::size_t>(got));
    answer[2] = static_cast<char>(0x81);
    answer[3] = static_cast<char>(0x80 | rcode_);
    for (std::size_t i = 0; i < 3; ++i) answer[7 + 2 * i] = static_cast<char>(counts_[i]);
    answer += rest_;
    // First one that is not for the asker: it has to be passed over.
    std::string forged = answer;
    forged[0] = static_cast<char>(forged[0] + 1);
    for (const auto& message : {forged, answer}) {
      ::sendto(socket_, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
    }
  }
}

}  // namespace vigia::test
