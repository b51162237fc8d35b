#include "exporter/http/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "tests/support/http_client.h"

using namespace vigia::http;
using vigia::test::RawConnection;

namespace {

// A server that only accepts.
class Acceptor {
 public:
  Acceptor() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_, any, sizeof address) == 0);
    REQUIRE(::listen(socket_, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Acceptor() { ::close(socket_); }

  int port() const { return port_; }
  int Accept() const { return ::accept(socket_, nullptr, nullptr); }
  std::vector<IdleSocket> Idle() const {
    return IdleSockets(
        [&](const SocketName& name) { return name.local_port == port_ && name.remote_port != 0; });
  }

 private:
  const int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  int port_ = 0;
};

}  // namespace

TEST_CASE("a connection is idle while nothing that it was sent waits", "[http]") {
  const Acceptor server;
  const RawConnection client(server.port());
  const int accepted = server.Accept();
  auto idle = server.Idle();
  REQUIRE(idle.size() == 1);
  CHECK(idle[0].descriptor == accepted);
  client.Send("x");
  CHECK(server.Idle().empty());
  char byte = 0;
  REQUIRE(::read(accepted, &byte, 1) == 1);
  idle = server.Idle();
  REQUIRE(idle.size() == 1);
  ShutDown(idle[0]);
  CHECK(client.ReadAll().empty());
  ::close(accepted);
}

TEST_CASE("an idle connection that was closed meanwhile ends nobody else's", "[http]") {
  const Acceptor server;
  const RawConnection client(server.port());
  const int accepted = server.Accept();
  const auto idle = server.Idle();
  REQUIRE(idle.size() == 1);
  ::close(accepted);
  std::array<int, 2> others{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, others.data()) == 0);
  REQUIRE(others[0] == accepted);  // the number is used anew
  ShutDown(idle[0]);
  CHECK(::write(others[0], "x", 1) == 1);
  for (const int other : others) ::close(other);
}
