#include "core/number.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/transport.h"

namespace vigia::http {
namespace {

tl::unexpected<Error> Refuse(std::string_view text, std::string_view why) {
  return Fail(Error(ErrorCode::kInvalid, std::string(why)).In(text));
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.find("unix:") == 0 || text.find('/') != std::string_view::npos) {
    return Refuse(text, "vigia cannot listen on unix sockets; write ADDRESS:PORT");
  }
  if (text.find('[') != std::string_view::npos) {
    return Refuse(text, "vigia cannot listen on IPv6 addresses; write an IPv4 ADDRESS:PORT");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Refuse(text, "the port is missing; write ADDRESS:PORT");
  }
  const auto port = ParseUint(text.substr(colon + 1));
  if (!port || *port > 65535) return Refuse(text, "the port has to be a number up to 65535");

  std::string address(text.substr(0, colon));
  if (address.empty()) address = "0.0.0.0";
  if (address == "localhost") address = "127.0.0.1";
  if (ParseIpv4(address) == 0 && address != "0.0.0.0") {
    return Refuse(text, "the address has to be an IPv4 address of this machine, or localhost");
  }
  return ListenAddress{std::string(text), std::move(address), static_cast<int>(*port)};
}

}  // namespace vigia::http
