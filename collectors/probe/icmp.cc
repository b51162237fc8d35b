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

#include <algorithm>
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

constexpr std::size_t kHeaderSize = 8;
// Of the payload, random.
constexpr std::size_t kTokenSize = 16;

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
    address_ = address.Text();
    if (auto bound = BindSource(socket_, address.family(), module.source_ip); !bound) return bound;
    if (auto set = SetOptions(module); !set) return set;
    MakeRequest(static_cast<std::size_t>(module.payload_size));
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
      std::string bytes(65536, '\0');
      std::array<char, 256> control{};
      iovec part{bytes.data(), bytes.size()};
      SocketAddress from;
      msghdr message{};
      message.msg_name = &from.storage;
      message.msg_namelen = sizeof from.storage;
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t size = ::recvmsg(socket_, &message, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return Fail(SystemError("receive", errno));
      bytes.resize(static_cast<std::size_t>(size));
      if (from.Text() == address_ && IsReply(bytes)) return HopLimit(message);
    }
  }

 private:
  Status SetOptions(const IcmpModule& module) const {
    const int level = six_ ? int{IPPROTO_IPV6} : int{IPPROTO_IP};
    const int on = 1;
    ::setsockopt(socket_, level, six_ ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof on);
    const int ttl = static_cast<int>(module.ttl);
    const int hops = six_ ? IPV6_UNICAST_HOPS : IP_TTL;
    if (ttl > 0 && ::setsockopt(socket_, level, hops, &ttl, sizeof ttl) != 0) {
      return Fail(SystemError("ttl", errno));
    }
    // Sets the bit without letting what is known of the path decide before the packet is sent.
    const int probe = IP_PMTUDISC_PROBE;
    if (module.dont_fragment && !six_ &&
        ::setsockopt(socket_, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe) != 0) {
      return Fail(SystemError("dont_fragment", errno));
    }
    return Ok();
  }

  // Type, code, checksum, identifier, sequence number; then the payload. All of it that can be
  // random is, so that others' replies are not taken for ours.
  void MakeRequest(std::size_t payload) {
    std::random_device random;
    request_ = {static_cast<char>(six_ ? ICMP6_ECHO_REQUEST : ICMP_ECHO), 0, 0, 0};
    while (request_.size() < kHeaderSize + std::min(payload, kTokenSize)) {
      request_ += static_cast<char>(random());
    }
    request_.resize(kHeaderSize + payload, 'v');
  }

  bool IsReply(std::string_view packet) const {
    // A raw IPv4 socket hands over the IP header too.
    if (raw_ && !six_) {
      if (packet.empty()) return false;
      const std::size_t header = static_cast<std::size_t>(packet[0] & 15) * 4;
      if (header > packet.size()) return false;
      packet.remove_prefix(header);
    }
    const auto reply = static_cast<char>(six_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY);
    // Without a raw socket the identifier is the kernel's, which hands over our replies alone.
    const std::size_t same_from = raw_ ? 4 : 6;
    return packet.size() == request_.size() && packet[0] == reply &&
           packet.substr(same_from) == std::string_view(request_).substr(same_from);
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
  std::string address_;  // of the target
  std::string request_;
};

void Run(const IcmpModule& module, const Call& call, Observation& observation) {
  const auto host = ParseHostPort(call.target, 1);
  if (!host) return observation.FailWith(Reason::kOther, host.error().message());
  const auto& clock = call.deadline.clock();
  const Instant begin = clock.Now();
  const auto addresses = LookUp(*host, call, observation);
  const Instant resolved = clock.Now();
  if (addresses.empty()) return;
  const auto& address = addresses.front();
  ReportAddress(address.Text(), observation);
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
    const auto reply = pinger.Receive(call.deadline);
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

Observation ProbeIcmp(const IcmpModule& module, const Call& call) {
  auto observation = Begin(call);
  const Instant begin = call.deadline.clock().Now();
  Run(module, call, observation);
  observation.duration_seconds = Seconds(call.deadline.clock().Now() - begin);
  return observation;
}

}  // namespace vigia::collectors::probe
