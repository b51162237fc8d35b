// DNS records as text, as `dig` and Go's miekg/dns print them, so that expressions written for
// blackbox_exporter match.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::collectors::probe {

// "A", "TYPE65280" (RFC 3597).
std::string DnsTypeName(std::uint32_t type);
// Of a name as DnsTypeName() writes it, in upper or lower case.
std::optional<std::uint16_t> DnsTypeOf(std::string_view name);
// "IN", "CLASS9".
std::string DnsClassName(std::uint32_t dns_class);

// The data of a record, `size` bytes at `begin` of `message`. What is damaged or of a type that is
// not known here is written as RFC 3597 does: \# 4 C0000201.
std::string DnsDataText(std::uint32_t type, std::string_view message, std::size_t begin,
                        std::size_t size);

}  // namespace vigia::collectors::probe
