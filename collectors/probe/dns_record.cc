#include "collectors/probe/dns_record.h"

#include <arpa/inet.h>
#include <strings.h>

#include <array>
#include <ctime>
#include <vector>

#include "collectors/probe/dns_cursor.h"
#include "core/base64.h"
#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

std::string AddressText(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.size() != (family == AF_INET ? 4U : 16U)) return {};
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string Hex(std::string_view bytes, bool upper = true) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    text += digits[code >> 4];
    text += digits[code & 15];
  }
  return text;
}

// One string with its length before it, in quotes.
std::string Quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') text += '\\';
    if (code < 0x20 || code >= 0x7F) {
      text += '\\';
      text += static_cast<char>('0' + code / 100);
      text += static_cast<char>('0' + code / 10 % 10);
      text += static_cast<char>('0' + code % 10);
    } else {
      text += c;
    }
  }
  return text + '"';
}

std::string String(DnsCursor& data) { return Quoted(data.Bytes(data.Number(1))); }

// Numbers of so many bytes each, and a space after each.
std::string Numbers(DnsCursor& data, std::initializer_list<int> sizes) {
  std::string text;
  for (const int size : sizes) text += std::to_string(data.Number(size)) + " ";
  return text;
}

// Unix time as YYYYMMDDHHmmSS.
std::string TimeText(std::uint32_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d%H%M%S", &parts);
  return text.data();
}

std::string Address4(DnsCursor& data) { return AddressText(AF_INET, data.Rest()); }
std::string Address6(DnsCursor& data) { return AddressText(AF_INET6, data.Rest()); }
std::string Name(DnsCursor& data) { return data.Name(); }
std::string Preferred(DnsCursor& data) {
  std::string text = Numbers(data, {2});
  return text + data.Name();
}
std::string Service(DnsCursor& data) {
  std::string text = Numbers(data, {2, 2, 2});
  return text + data.Name();
}
std::string Texts(DnsCursor& data) {
  std::string rest(data.Rest());
  DnsCursor strings(rest, 0);
  std::string text;
  while (strings.ok() && strings.at() < rest.size()) {
    if (!text.empty()) text += ' ';
    text += String(strings);
  }
  return text;
}
std::string Soa(DnsCursor& data) {
  std::string text = data.Name();
  text += " " + data.Name();
  for (int i = 0; i < 5; ++i) text += " " + std::to_string(data.Number(4));
  return text;
}
std::string HostInfo(DnsCursor& data) {
  std::string text = String(data);
  return text + " " + String(data);
}
std::string NamingAuthority(DnsCursor& data) {
  std::string text = Numbers(data, {2, 2});
  for (int i = 0; i < 3; ++i) text += String(data) + " ";
  return text + data.Name();
}
// Of DS and CDS: key tag, algorithm, digest type, digest.
std::string Digest(DnsCursor& data) {
  std::string text = Numbers(data, {2, 1, 1});
  return text + Hex(data.Rest());
}
std::string Fingerprint(DnsCursor& data) {
  std::string text = Numbers(data, {1, 1});
  return text + Hex(data.Rest());
}
std::string Association(DnsCursor& data) {
  std::string text = Numbers(data, {1, 1, 1});
  return text + Hex(data.Rest(), false);
}
// Of DNSKEY and CDNSKEY: flags, protocol, algorithm, key.
std::string Key(DnsCursor& data) {
  std::string text = Numbers(data, {2, 1, 1});
  return text + EncodeBase64(data.Rest());
}
std::string Signature(DnsCursor& data) {
  std::string text = DnsTypeName(data.Number(2)) + " ";
  text += Numbers(data, {1, 1, 4});
  text += TimeText(data.Number(4));
  text += " " + TimeText(data.Number(4));
  text += " " + Numbers(data, {2});
  text += data.Name();
  return text + " " + EncodeBase64(data.Rest());
}
// The types of NSEC's bitmap (RFC 4034, 4.1.2).
std::string Types(DnsCursor& data, std::size_t end) {
  std::string text;
  while (data.ok() && data.at() < end) {
    const auto window = data.Number(1);
    const auto bits = data.Bytes(data.Number(1));
    for (std::uint32_t i = 0; i < bits.size() * 8; ++i) {
      const auto byte = static_cast<unsigned char>(bits[i / 8]);
      if (byte & (0x80U >> i % 8)) text += " " + DnsTypeName(window * 256 + i);
    }
  }
  return text;
}
std::string Authorization(DnsCursor& data) {
  std::string text = Numbers(data, {1});
  text += data.Bytes(data.Number(1));
  return text + " " + Quoted(data.Rest());
}

// The names of keys by number (RFC 9460, 14.3.2).
std::string ServiceKey(std::uint32_t key) {
  constexpr std::array<std::string_view, 8> kKeys{
      "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"};
  return key < kKeys.size() ? std::string(kKeys[key]) : "key" + std::to_string(key);
}

// What stands in the value of a key of SVCB and HTTPS (RFC 9460), without its quotes.
std::string ServiceValue(std::uint32_t key, std::string_view value) {
  DnsCursor data(value, 0);
  std::string text;
  const auto list = [&](auto next) {
    while (data.ok() && data.at() < value.size()) {
      if (!text.empty()) text += ',';
      text += next();
    }
    return text;
  };
  switch (key) {
    case 0:
      return list([&] { return ServiceKey(data.Number(2)); });
    case 1:
      return list([&] { return std::string(data.Bytes(data.Number(1))); });
    case 3:
      return std::to_string(data.Number(2));
    case 4:
      return list([&] { return AddressText(AF_INET, data.Bytes(4)); });
    case 5:
      return EncodeBase64(value);
    case 6:
      return list([&] { return AddressText(AF_INET6, data.Bytes(16)); });
    default:
      text = Quoted(value);
      return text.substr(1, text.size() - 2);
  }
}

std::string Binding(DnsCursor& data) {
  std::string text = Numbers(data, {2});
  text += data.Name();
  std::string rest(data.Rest());
  DnsCursor pairs(rest, 0);
  while (pairs.ok() && pairs.at() < rest.size()) {
    const auto key = pairs.Number(2);
    const auto value = pairs.Bytes(pairs.Number(2));
    text += " " + ServiceKey(key) + "=\"" + ServiceValue(key, value) + "\"";
  }
  return text;
}

struct Type {
  std::string_view name;
  std::uint16_t number;
  std::string (*print)(DnsCursor& data);  // nullptr: as a type that is not known
};

constexpr std::array kTypes{
    Type{"A", 1, &Address4},          Type{"NS", 2, &Name},
    Type{"CNAME", 5, &Name},          Type{"SOA", 6, &Soa},
    Type{"PTR", 12, &Name},           Type{"HINFO", 13, &HostInfo},
    Type{"MX", 15, &Preferred},       Type{"TXT", 16, &Texts},
    Type{"AAAA", 28, &Address6},      Type{"LOC", 29, nullptr},
    Type{"SRV", 33, &Service},        Type{"NAPTR", 35, &NamingAuthority},
    Type{"KX", 36, &Preferred},       Type{"CERT", 37, nullptr},
    Type{"DNAME", 39, &Name},         Type{"DS", 43, &Digest},
    Type{"SSHFP", 44, &Fingerprint},  Type{"RRSIG", 46, &Signature},
    Type{"NSEC", 47, nullptr},  // needs to know where it ends
    Type{"DNSKEY", 48, &Key},         Type{"NSEC3", 50, nullptr},
    Type{"NSEC3PARAM", 51, nullptr},  Type{"TLSA", 52, &Association},
    Type{"SMIMEA", 53, &Association}, Type{"CDS", 59, &Digest},
    Type{"CDNSKEY", 60, &Key},        Type{"OPENPGPKEY", 61, nullptr},
    Type{"SVCB", 64, &Binding},       Type{"HTTPS", 65, &Binding},
    Type{"SPF", 99, &Texts},          Type{"ANY", 255, nullptr},
    Type{"URI", 256, nullptr},        Type{"CAA", 257, &Authorization},
};

const Type* FindType(std::uint32_t number) {
  for (const auto& type : kTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace

std::string DnsTypeName(std::uint32_t type) {
  const Type* const known = FindType(type);
  return known ? std::string(known->name) : "TYPE" + std::to_string(type);
}

std::optional<std::uint16_t> DnsTypeOf(std::string_view name) {
  const std::string text(name);
  for (const auto& type : kTypes) {
    if (::strcasecmp(text.c_str(), std::string(type.name).c_str()) == 0) return type.number;
  }
  if (::strncasecmp(text.c_str(), "TYPE", 4) != 0) return std::nullopt;
  const auto number = ParseInt(std::string_view(text).substr(4));
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::string DnsClassName(std::uint32_t dns_class) {
  switch (dns_class) {
    case 1:
      return "IN";
    case 3:
      return "CH";
    case 4:
      return "HS";
    default:
      return "CLASS" + std::to_string(dns_class);
  }
}

std::string DnsDataText(std::uint32_t type, std::string_view message, std::size_t begin,
                        std::size_t size) {
  constexpr std::uint32_t kNsec = 47;
  DnsCursor data(message.substr(0, begin + size), begin);
  const Type* const known = FindType(type);
  std::string text;
  if (type == kNsec) {
    text = data.Name();
    text += Types(data, begin + size);
  } else if (known && known->print) {
    text = known->print(data);
  }
  if (!text.empty() && data.ok()) return text;
  return "\\# " + std::to_string(size) + " " + Hex(message.substr(begin, size));
}

}  // namespace vigia::collectors::probe
