// The keys of DNS modules.

#include <strings.h>

#include <array>

#include "collectors/probe/dns_record.h"
#include "collectors/probe/module_keys.h"
#include "core/config/http_options.h"

namespace vigia::collectors::probe {
namespace {

struct DnsName {
  std::string_view name;
  std::uint16_t number;
};

constexpr std::array kDnsClasses{DnsName{"IN", 1}, DnsName{"CH", 3}, DnsName{"HS", 4},
                                 DnsName{"ANY", 255}};
constexpr std::array kDnsCodes{
    DnsName{"NOERROR", 0}, DnsName{"FORMERR", 1}, DnsName{"SERVFAIL", 2}, DnsName{"NXDOMAIN", 3},
    DnsName{"NOTIMP", 4},  DnsName{"REFUSED", 5}, DnsName{"YXDOMAIN", 6}, DnsName{"NOTAUTH", 9},
};

bool FindDns(std::span<const DnsName> names, const std::string& text, std::uint16_t& out) {
  for (const auto& entry : names) {
    if (::strcasecmp(text.c_str(), std::string(entry.name).c_str()) != 0) continue;
    out = entry.number;
    return true;
  }
  return false;
}

void ReadDnsWord(config::MapReader& reader, std::string_view key, std::span<const DnsName> names,
                 std::uint16_t& out) {
  std::string text;
  if (!reader.Read(key, text) || FindDns(names, text, out)) return;
  reader.Fault(key, "'" + text + "' is not known here");
}

void ReadRecordRules(config::MapReader& reader, std::string_view key, RecordRules& rules) {
  const config::Node* const node = reader.Child(key);
  if (!node) return;
  config::MapReader entry(*node, reader.diagnostics(), reader.context() + "." + std::string(key));
  ReadPatterns(entry, "fail_if_matches_regexp", rules.bad);
  ReadPatterns(entry, "fail_if_all_match_regexp", rules.all_bad);
  ReadPatterns(entry, "fail_if_not_matches_regexp", rules.good);
  ReadPatterns(entry, "fail_if_none_matches_regexp", rules.none_bad);
  entry.Finish();
}

}  // namespace

void ReadDnsModule(config::MapReader& reader, config::PlainSecrets plain, DnsModule& dns) {
  constexpr std::array<std::string_view, 2> kTransports{"udp", "tcp"};
  reader.Read("query_name", dns.name);
  std::string type;
  if (reader.Read("query_type", type)) {
    const auto number = DnsTypeOf(type);
    if (number) dns.type = *number;
    if (!number) reader.Fault("query_type", "'" + type + "' is not known here; TYPE123 is taken");
  }
  ReadDnsWord(reader, "query_class", kDnsClasses, dns.dns_class);
  dns.tcp = reader.ReadChoice("transport_protocol", kTransports, 0) == 1;
  reader.Read("dns_over_tls", dns.tls);
  if (dns.tls && !dns.tcp) {
    reader.Fault("dns_over_tls", "goes over TCP: write transport_protocol: tcp, too");
  }
  config::ReadTlsConfig(reader, dns.tls_options, {{}, plain});
  ReadSource(reader, dns.source_ip);
  reader.Read("recursion_desired", dns.recursion_desired);
  std::vector<std::string> codes;
  reader.Read("valid_rcodes", codes);
  for (const auto& code : codes) {
    std::uint16_t number = 0;
    if (FindDns(kDnsCodes, code, number)) {
      dns.valid_rcodes.push_back(number);
    } else {
      reader.Fault("valid_rcodes", "'" + code + "' is not known here");
    }
  }
  ReadRecordRules(reader, "validate_answer_rrs", dns.answer);
  ReadRecordRules(reader, "validate_authority_rrs", dns.authority);
  ReadRecordRules(reader, "validate_additional_rrs", dns.additional);
}

}  // namespace vigia::collectors::probe
