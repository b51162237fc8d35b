#include "exporter/http/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/number.h"

namespace vigia::http {
namespace {

std::optional<SocketName> NameOf(int descriptor) {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  // The calls leave sockaddr_in alone beyond its size, and say so in `size`.
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0 ||
      local.sin_family != AF_INET) {
    return std::nullopt;
  }
  SocketName name{0, 0, ntohs(local.sin_port)};
  sockaddr_in remote{};
  size = sizeof remote;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&remote), &size) == 0) {
    name.remote_address = ntohl(remote.sin_addr.s_addr);
    name.remote_port = ntohs(remote.sin_port);
    return name;
  }
  int listens = 0;
  size = sizeof listens;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  if (listens == 0) return std::nullopt;
  return name;
}

// Calls visit(name, descriptor) for every socket of this process that has such a name.
template <typename Visit>
void ForEachSocket(const Visit& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const auto descriptor = ParseInt(entry->d_name);
    if (!descriptor) continue;  // "." and ".."
    const auto name = NameOf(static_cast<int>(*descriptor));
    if (name) visit(*name, static_cast<int>(*descriptor));
  }
}

bool IsHungUp(int descriptor) {
  pollfd poll{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  return ::poll(&poll, 1, 0) > 0 && (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

void ShutDownSockets(const std::function<bool(const SocketName&)>& chosen) {
  ForEachSocket([&](const SocketName& name, int descriptor) {
    if (chosen(name)) ::shutdown(descriptor, SHUT_RDWR);
  });
}

std::vector<SocketName> HungUp(std::span<const SocketName> connections) {
  std::vector<SocketName> gone(connections.begin(), connections.end());
  // One that was reset, by the client or by us, has no name any more: only those found alive stay.
  ForEachSocket([&](const SocketName& name, int descriptor) {
    if (!IsHungUp(descriptor)) std::erase(gone, name);
  });
  return gone;
}

std::vector<IdleSocket> IdleSockets(const std::function<bool(const SocketName&)>& chosen) {
  std::vector<IdleSocket> idle;
  ForEachSocket([&](const SocketName& name, int descriptor) {
    if (!chosen(name)) return;
    int unread = 0;
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::ioctl(descriptor, FIONREAD, &unread) != 0 || unread > 0 ||
        ::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
      return;
    }
    idle.push_back({name, descriptor, std::chrono::milliseconds(info.tcpi_last_data_recv)});
  });
  return idle;
}

// What a descriptor of our own means cannot change between the look at it and the end.
void ShutDown(const IdleSocket& socket) {
  const int own = ::fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return;
  if (NameOf(own) == socket.name) ::shutdown(own, SHUT_RDWR);
  ::close(own);
}

}  // namespace vigia::http
