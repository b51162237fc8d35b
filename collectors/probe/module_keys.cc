#include "collectors/probe/module_keys.h"

#include <array>
#include <cctype>

#include "collectors/probe/observation.h"

namespace vigia::collectors::probe {

void AddPattern(config::MapReader& reader, std::string_view key, const std::string& expression,
                std::vector<Pattern>& out) {
  auto pattern = Pattern::Compile(expression);
  if (pattern) {
    out.push_back(*std::move(pattern));
  } else {
    reader.Fault(key, "'" + expression + "': " + pattern.error().message());
  }
}

void ReadPatterns(config::MapReader& reader, std::string_view key, std::vector<Pattern>& out) {
  std::vector<std::string> expressions;
  reader.Read(key, expressions);
  for (const auto& expression : expressions) AddPattern(reader, key, expression, out);
}

void ReadSource(config::MapReader& reader, std::string& source) {
  if (!reader.Read("source_ip_address", source) || AddressFamily(source) != 0) return;
  reader.Fault("source_ip_address", "'" + source + "' is not an IP address");
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void ReadIpChoice(config::MapReader& reader, IpChoice& ip) {
  constexpr std::array<std::string_view, 2> kWords{"ip4", "ip6"};
  const bool chosen = reader.Has("preferred_ip_protocol");
  const std::size_t word = reader.ReadChoice("preferred_ip_protocol", kWords, 1);
  bool fallback = true;
  reader.Read("ip_protocol_fallback", fallback);
  if (!chosen && !reader.Has("ip_protocol_fallback")) return;
  if (word == 0) ip = fallback ? IpChoice::kIp4First : IpChoice::kIp4;
  if (word == 1) ip = fallback ? IpChoice::kIp6First : IpChoice::kIp6;
}

}  // namespace vigia::collectors::probe
