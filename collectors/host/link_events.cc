#include "collectors/host/link_events.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vigia::collectors::host {

LinkEvents::~LinkEvents() {
  if (socket_ >= 0) ::close(socket_);
}

bool LinkEvents::Listen() {
  socket_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (socket_ < 0) return false;
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return true;
  ::close(socket_);
  socket_ = -1;
  return false;
}

bool LinkEvents::Changed() {
  if (socket_ < 0) {
    Listen();
    return true;
  }
  bool changed = false;
  // That there was a message is all we ask; what it says is read from /sys. Bounded: a storm is
  // left for the next call.
  constexpr int kMost = 1000;
  std::array<char, 64> ignored;
  for (int i = 0; i < kMost; ++i) {
    if (::recv(socket_, ignored.data(), ignored.size(), MSG_DONTWAIT | MSG_TRUNC) < 0) {
      if (errno == EINTR) continue;
      return changed || errno != EAGAIN;  // ENOBUFS: messages were lost
    }
    changed = true;
  }
  return changed;
}

}  // namespace vigia::collectors::host
