#include "collectors/probe/resolve.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

bool Literal(const HostPort& target, SocketAddress& out) {
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  if (::inet_pton(AF_INET, target.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(target.port));
    out.size = sizeof four;
    return true;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET6, target.host.c_str(), &six.sin6_addr) != 1) return false;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<std::uint16_t>(target.port));
  out.size = sizeof six;
  return true;
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
  std::vector<SocketAddress> addresses(1);
  if (Literal(target, addresses[0])) return addresses;
  addresses.clear();
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
  if (!addresses.empty()) return addresses;
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Fail(ErrorCode::kTimeout, "the look-up of '" + target.host + "' did not end");
  }
  return Fail(ErrorCode::kUnavailable, "there is no address of '" + target.host + "'");
}

}  // namespace vigia::collectors::probe
