#include "collectors/probe/resolve.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/number.h"
#include "core/text/words.h"

namespace vigia::collectors::probe {
namespace {

int FamilyOf(IpChoice ip) {
  switch (ip) {
    case IpChoice::kIp4:
    case IpChoice::kIp4First:
      return AF_INET;
    case IpChoice::kIp6:
    case IpChoice::kIp6First:
      return AF_INET6;
    case IpChoice::kAny:
      break;
  }
  return AF_UNSPEC;
}

// Leaves the addresses that `ip` chooses; none if it insists on what is not there.
void Choose(IpChoice ip, std::vector<SocketAddress>& addresses) {
  const int family = FamilyOf(ip);
  if (family == AF_UNSPEC) return;
  const auto other = [&](const SocketAddress& address) { return address.family() != family; };
  const bool none = std::all_of(addresses.begin(), addresses.end(), other);
  if (none && (ip == IpChoice::kIp4First || ip == IpChoice::kIp6First)) return;
  addresses.erase(std::remove_if(addresses.begin(), addresses.end(), other), addresses.end());
}

// Notes the address and refuses it, so that curl offers the next.
curl_socket_t NoteAddress(void* addresses, curlsocktype, curl_sockaddr* offered) {
  SocketAddress address;
  address.size = std::min<socklen_t>(offered->addrlen, sizeof address.storage);
  std::memcpy(&address.storage, &offered->addr, address.size);
  static_cast<std::vector<SocketAddress>*>(addresses)->push_back(address);
  return CURL_SOCKET_BAD;
}

}  // namespace

std::string SocketAddress::Text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes =
      family() == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(storage).sin_addr)
          : &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  ::inet_ntop(family(), bytes, text.data(), text.size());
  return text.data();
}

Result<SocketAddress> SocketAddress::Parse(const std::string& address, int port) {
  SocketAddress out;
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  if (::inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof four;
    return out;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) != 1) {
    return Fail(ErrorCode::kInvalid, "'" + address + "' is not an IP address");
  }
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<std::uint16_t>(port));
  out.size = sizeof six;
  return out;
}

bool IsLocalhost(std::string_view host) { return text::EqualsIgnoringCase(host, "localhost"); }

std::vector<SocketAddress> LocalhostAddresses(int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<SocketAddress> addresses;
  if (::getaddrinfo("localhost", std::to_string(port).c_str(), &hints, &found) != 0) {
    return addresses;
  }
  for (const addrinfo* each = found; each; each = each->ai_next) {
    SocketAddress address;
    address.size = std::min<socklen_t>(each->ai_addrlen, sizeof address.storage);
    std::memcpy(&address.storage, each->ai_addr, address.size);
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

Status BindSource(int socket, int family, const std::string& source) {
  if (source.empty()) return Ok();
  const auto address = SocketAddress::Parse(source, 0);
  if (!address) return Fail(address.error());
  if (address->family() != family) {
    return Fail(ErrorCode::kInvalid, "source_ip_address is of another IP version than the target");
  }
  if (::bind(socket, address->get(), address->size) == 0) return Ok();
  return Fail(SystemError("source_ip_address", errno));
}

Result<HostPort> ParseHostPort(std::string_view text, int default_port) {
  HostPort target{"", default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return Fail(ErrorCode::kInvalid, "a ']' is missing");
    target.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text[0] != ':') return Fail(ErrorCode::kInvalid, "expected host:port");
    if (!text.empty()) port = text.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    target.host = text;  // a bare IPv6 address
  } else {
    const std::size_t colon = text.find(':');
    target.host = text.substr(0, colon);
    if (colon != text.npos) port = text.substr(colon + 1);
  }
  if (!port.empty()) {
    const auto number = ParseInt(port);
    target.port = number && *number > 0 && *number < 65536 ? static_cast<int>(*number) : 0;
  }
  const auto odd = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == '@' || c == '?' || c == '#' ||
           c == 0x7F;
  };
  if (target.host.empty() || std::any_of(target.host.begin(), target.host.end(), odd)) {
    return Fail(ErrorCode::kInvalid, "expected a host");
  }
  if (target.port == 0) return Fail(ErrorCode::kInvalid, "expected host:port");
  return target;
}

Result<std::vector<SocketAddress>> Resolve(const HostPort& target, IpChoice ip, Deadline deadline) {
  const auto none = [&] {
    return Fail(ErrorCode::kUnavailable, "there is no address of '" + target.host + "'" +
                                             (ip == IpChoice::kIp4   ? " of IPv4"
                                              : ip == IpChoice::kIp6 ? " of IPv6"
                                                                     : ""));
  };
  std::vector<SocketAddress> addresses;
  if (const auto literal = SocketAddress::Parse(target.host, target.port)) {
    addresses.push_back(*literal);
    Choose(ip, addresses);
    if (addresses.empty()) return none();
    return addresses;
  }
  if (IsLocalhost(target.host)) {
    addresses = LocalhostAddresses(target.port);
    Choose(ip, addresses);
    if (addresses.empty()) return none();
    return addresses;
  }
  const auto left = deadline.Left();
  if (left.count() == 0) return Fail(ErrorCode::kTimeout, "no time left for the look-up");
  CURL* const curl = curl_easy_init();
  if (!curl) return Fail(ErrorCode::kInternal, "curl has no memory");
  const std::string url = "http://" + target.host + ":" + std::to_string(target.port) + "/";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(curl, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, 1L);
  const long version = ip == IpChoice::kIp4   ? CURL_IPRESOLVE_V4
                       : ip == IpChoice::kIp6 ? CURL_IPRESOLVE_V6
                                              : CURL_IPRESOLVE_WHATEVER;
  curl_easy_setopt(curl, CURLOPT_IPRESOLVE, version);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &NoteAddress);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &addresses);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_cleanup(curl);
  Choose(ip, addresses);
  if (!addresses.empty()) return addresses;
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Fail(ErrorCode::kTimeout, "the look-up of '" + target.host + "' did not end");
  }
  return none();
}

}  // namespace vigia::collectors::probe
