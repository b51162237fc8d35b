#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

namespace vigia::test {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string Dechunk(const std::string& body) {
  std::string out;
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t size = std::strtoul(body.c_str() + at, nullptr, 16);
    const std::size_t begin = body.find("\r\n", at);
    if (size == 0 || begin == std::string::npos) break;
    out += body.substr(begin + 2, size);
    at = begin + 2 + size + 2;
  }
  return out;
}

HttpAnswer Parse(const std::string& text) {
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || text.size() < 12) return answer;
  answer.status = std::atoi(text.c_str() + 9);
  std::istringstream head(text.substr(0, end));
  std::string line;
  std::getline(head, line);
  while (std::getline(head, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    while (!value.empty() && value.back() == '\r') value.pop_back();
    answer.headers[name] = value;
  }
  answer.body = text.substr(end + 4);
  if (answer.headers["transfer-encoding"] == "chunked") answer.body = Dechunk(answer.body);
  return answer;
}

}  // namespace

RawConnection::RawConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto address = Loopback(port);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
}

RawConnection::~RawConnection() {
  if (socket_ >= 0) ::close(socket_);
}

bool RawConnection::Send(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

void RawConnection::Reset() const {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void RawConnection::Finish() const { ::shutdown(socket_, SHUT_WR); }

std::string RawConnection::ReadAll(std::chrono::milliseconds timeout) const {
  std::string out;
  char buffer[65536];
  pollfd ready{socket_, POLLIN, 0};
  while (socket_ >= 0 && ::poll(&ready, 1, static_cast<int>(timeout.count())) > 0) {
    const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    out.append(buffer, static_cast<std::size_t>(n));
  }
  return out;
}

std::string RawConnection::ReadUntil(std::string_view text) const {
  std::string out;
  char c = 0;
  while (!out.ends_with(text)) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 10'000) <= 0 || ::recv(socket_, &c, 1, 0) != 1) break;
    out += c;
  }
  return out;
}

HttpAnswer Ask(int port, const HttpQuery& query) {
  const auto start = std::chrono::steady_clock::now();
  const RawConnection connection(port);
  if (!connection.connected()) return {};
  std::string request = query.method + " " + query.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  request += "Connection: close\r\n";
  for (const auto& [name, value] : query.headers) request += name + ": " + value + "\r\n";
  if (!query.body.empty() || query.method == "POST") {
    request += "Content-Length: " + std::to_string(query.body.size()) + "\r\n";
  }
  request += "\r\n" + query.body;
  connection.Send(request);
  auto answer = Parse(connection.ReadAll(query.timeout));
  answer.took = std::chrono::steady_clock::now() - start;
  return answer;
}

HttpAnswer Get(int port, const std::string& path, std::map<std::string, std::string> headers) {
  return Ask(port, {.path = path, .headers = std::move(headers)});
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = Loopback(0);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

}  // namespace vigia::test
