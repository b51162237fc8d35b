// ICMP probes: one echo request and its reply.
//
// Linux lets ordinary users ping where net.ipv4.ping_group_range allows their group (the kernel
// then fills in the identifier and hands over only our replies); else a raw socket is needed.

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>

#include "collectors/probe/probers.h"
#include "collectors/probe/resolve.h"
#include "collectors/probe/stream.h"

namespace vigia::collectors::probe {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The Internet checksum (RFC 1071) of what stands in network order.
std::uint16_t Checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    sum += i % 2 == 0 ? std::uint32_t{byte} << 8 : byte;
  }
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

class Pinger {
 public:
  explicit Pinger(int family) : six_(family == AF_INET6) {
    const int protocol = six_ ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
    constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    socket_ = ::socket(family, SOCK_DGRAM | kFlags, protocol);
    if (socket_ >= 0) return;
    raw_ = true;
    socket_ = ::socket(family, SOCK_RAW | kFlags, protocol);
  }
  ~Pinger() {
    if (socket_ >= 0) ::close(socket_);
  }
  Pinger(const Pinger&) = delete;
  Pinger& operator=(const Pinger&) = delete;

  bool permitted() const { return socket_ >= 0; }

  Status Send(const IcmpModule& module, const SocketAddress& address) {
    const int on = 1;
    if (six_) {
      ::setsockopt(socket_, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
    } else {
      ::setsockopt(socket_, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
    }
    if (const int ttl = static_cast<int>(module.ttl); ttl > 0) {
      ::setsockopt(socket_, six_ ? int{IPPROTO_IPV6} : int{IPPROTO_IP},
                   six_ ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof ttl);
    }
    std::random_device random;
    for (char& c : token_) c = static_cast<char>(random());
    // Type, code, checksum, identifier, sequence number; then the payload, which begins with a
    // token that tells our reply from others'.
    request_ = {static_cast<char>(six_ ? ICMP6_ECHO_REQUEST : ICMP_ECHO),
                0,
                0,
                0,
                token_[0],
                token_[1],
                0,
                1};
    request_.append(token_.data(), token_.size());
    const auto payload = static_cast<std::size_t>(module.payload_size);
    if (payload > token_.size()) request_.append(payload - token_.size(), 'v');
    if (!six_) {  // the kernel computes that of ICMPv6
      const auto checksum = Checksum(request_);
      request_[2] = static_cast<char>(checksum >> 8);
      request_[3] = static_cast<char>(checksum & 255);
    }
    if (::sendto(socket_, request_.data(), request_.size(), MSG_NOSIGNAL, address.get(),
                 address.size) < 0) {
      return Fail(SystemError("send", errno));
    }
    return Ok();
  }

  // The hop limit of the reply, if the system tells it.
  Result<std::optional<int>> Receive(Deadline deadline) {
    while (true) {
      if (auto ready = AwaitSocket(socket_, POLLIN, deadline); !ready) return Fail(ready.error());
      std::array<char, 2048> bytes{};
      std::array<char, 256> control{};
      iovec part{bytes.data(), bytes.size()};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t size = ::recvmsg(socket_, &message, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return Fail(SystemError("receive", errno));
      if (IsReply({bytes.data(), static_cast<std::size_t>(size)})) return HopLimit(message);
    }
  }

 private:
  bool IsReply(std::string_view packet) const {
    // A raw IPv4 socket hands over the IP header too.
    if (raw_ && !six_) {
      if (packet.empty()) return false;
      const std::size_t header = static_cast<std::size_t>(packet[0] & 15) * 4;
      if (header > packet.size()) return false;
      packet.remove_prefix(header);
    }
    const auto reply = static_cast<char>(six_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY);
    return packet.size() >= 8 + token_.size() && packet[0] == reply &&
           packet.substr(8, token_.size()) == std::string_view(token_.data(), token_.size());
  }

  static std::optional<int> HopLimit(msghdr& message) {
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
      const bool four = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_TTL;
      const bool six = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_HOPLIMIT;
      if (!four && !six) continue;
      int limit = 0;
      std::memcpy(&limit, CMSG_DATA(item), sizeof limit);
      return limit;
    }
    return std::nullopt;
  }

  const bool six_;
  bool raw_ = false;
  int socket_ = -1;
  std::array<char, 16> token_{};
  std::string request_;
};

void Run(const IcmpModule& module, IpChoice ip, const std::string& target, Deadline deadline,
         Observation& observation) {
  const auto host = ParseHostPort(target, 1);
  if (!host) return observation.FailWith(Reason::kOther, host.error().message());
  const auto& clock = deadline.clock();
  const Instant begin = clock.Now();
  const auto addresses = Resolve(*host, ip, deadline);
  const Instant resolved = clock.Now();
  observation.Add(kDnsLookup, Seconds(resolved - begin));
  if (!addresses) {
    return observation.FailWith(ReasonOf(addresses.error(), Reason::kDns),
                                addresses.error().message());
  }
  const auto& address = addresses->front();
  observation.Add(kIpProtocol, AddressFamily(address.Text()));
  observation.Add(kIpAddrHash, AddressHash(address.Text()));
  Pinger pinger(address.family());
  if (!pinger.permitted()) {
    return observation.FailWith(Reason::kNotPermitted,
                                "ICMP needs net.ipv4.ping_group_range or CAP_NET_RAW");
  }
  const auto sent = pinger.Send(module, address);
  const Instant ready = clock.Now();
  std::optional<int> hops;
  Status status = sent;
  if (sent) {
    const auto reply = pinger.Receive(deadline);
    if (reply) hops = *reply;
    if (!reply) status = Fail(reply.error());
  }
  const double rtt = status ? Seconds(clock.Now() - ready) : 0;
  observation.Add(kIcmpDuration, "phase", "resolve", Seconds(resolved - begin));
  observation.Add(kIcmpDuration, "phase", "rtt", rtt);
  observation.Add(kIcmpDuration, "phase", "setup", Seconds(ready - resolved));
  if (hops) observation.Add(kIcmpHopLimit, *hops);
  if (!status) {
    observation.FailWith(ReasonOf(status.error(), Reason::kConnect), status.error().message());
  }
}

}  // namespace

Observation ProbeIcmp(const IcmpModule& module, IpChoice ip, const std::string& target,
                      Deadline deadline) {
  Observation observation;
  observation.success = true;
  const Instant begin = deadline.clock().Now();
  Run(module, ip, target, deadline, observation);
  observation.duration_seconds = Seconds(deadline.clock().Now() - begin);
  return observation;
}

}  // namespace vigia::collectors::probe
