// DNS messages (RFC 1035): writes a query, reads an answer into text as `dig` and Go's miekg/dns
// print it, so that expressions written for blackbox_exporter match.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vigia::collectors::probe {

struct DnsQuestion {
  std::string name;
  std::uint16_t type = 1;
  std::uint16_t dns_class = 1;
  bool recursion_desired = true;
};

// kInvalid for a name that DNS cannot carry.
Result<std::string> WriteDnsQuery(const DnsQuestion& question, std::uint16_t id);

struct DnsAnswer {
  int rcode = 0;
  bool truncated = false;
  // Of answer, authority and additional section: "example.com.\t300\tIN\tA\t192.0.2.1".
  std::array<std::vector<std::string>, 3> records;
  std::optional<std::uint32_t> serial;  // of the first SOA record
};

// kCorrupt for what is no answer to the query of that id.
Result<DnsAnswer> ReadDnsAnswer(std::string_view message, std::uint16_t id);

}  // namespace vigia::collectors::probe
