#include "collectors/host/link_events.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

using vigia::collectors::host::LinkEvents;

namespace {

constexpr int kNoNamespace = 2;

// In a network of its own: 0 if a device that goes up is news and one that stays is not.
int FollowLoopback() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return kNoNamespace;
  LinkEvents events;
  if (!events.Changed()) return 1;  // whoever asks for the first time knows nothing yet
  if (events.Changed()) return 1;
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) return kNoNamespace;
  return events.Changed() && !events.Changed() ? 0 : 1;
}

}  // namespace

TEST_CASE("a device that goes up is announced, quiet ones are not", "[collectors]") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(FollowLoopback());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNamespace) {
    WARN("skipped: no network namespace to be had here");
  } else {
    REQUIRE(WEXITSTATUS(status) == 0);
  }
}
