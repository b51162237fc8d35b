#include "collectors/probe/module.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "collectors/probe/dns_record.h"
#include "collectors/probe/observation.h"
#include "core/config/http_options.h"
#include "core/labels.h"
#include "core/number.h"
#include "core/redact.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::array<std::string_view, 8> kProberNames{"http", "tcp",      "tls",   "dns",
                                                       "icmp", "postgres", "redis", "unix"};

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

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// A list of {header, regexp, allow_missing}.
void ReadHeaderPatterns(config::MapReader& reader, std::string_view key,
                        std::vector<HeaderPattern>& out) {
  const config::Node* const list = reader.Child(key);
  if (!list) return;
  if (!list->IsList()) reader.Fault(key, "expected a list of header, regexp and allow_missing");
  for (const auto& item : list->items) {
    config::MapReader entry(item, reader.diagnostics(), reader.context() + "." + std::string(key));
    std::string header;
    std::string expression;
    bool allow_missing = false;
    if (!entry.Read("header", header)) entry.Require("header", "the header's name");
    if (!entry.Read("regexp", expression)) entry.Require("regexp", "what its value has to match");
    entry.Read("allow_missing", allow_missing);
    entry.Finish();
    auto pattern = Pattern::Compile(expression);
    if (!pattern) {
      entry.Fault("regexp", pattern.error().message());
      continue;
    }
    out.push_back({Lower(header), *std::move(pattern), allow_missing});
  }
}

// 200, 2xx, 200-299.
bool ParseStatuses(std::string_view text, std::pair<int, int>& out) {
  const auto number = [](std::string_view digits) {
    const auto value = ParseInt(digits);
    return value && *value >= 100 && *value <= 999 ? static_cast<int>(*value) : 0;
  };
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '9') {
    out = {(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
    return true;
  }
  const std::size_t dash = text.find('-');
  out.first = number(text.substr(0, dash));
  out.second = dash == text.npos ? out.first : number(text.substr(dash + 1));
  return out.first > 0 && out.second >= out.first;
}

void ReadStatuses(config::MapReader& reader, std::string_view key,
                  std::vector<std::pair<int, int>>& out) {
  std::vector<std::string> texts;
  reader.Read(key, texts);
  for (const auto& text : texts) {
    std::pair<int, int> range;
    if (ParseStatuses(text, range)) {
      out.push_back(range);
    } else {
      reader.Fault(key, "'" + text + "' is not a status such as 200, 2xx or 200-204");
    }
  }
}

std::string_view TrimSpaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Whether a server that reads this Accept-Encoding may answer in `encoding`.
bool Accepts(std::string_view header, std::string_view encoding) {
  double star = 0;
  while (!header.empty()) {
    const auto entry = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), entry.size() + 1));
    const auto name = TrimSpaces(entry.substr(0, entry.find(';')));
    double quality = 1;
    if (const auto q = entry.find("q="); q != entry.npos) {
      quality = ParseDouble(TrimSpaces(entry.substr(q + 2))).value_or(0);
    }
    if (name == encoding) return quality > 0;
    if (name == "*") star = quality;
  }
  return star > 0;
}

void ReadCompression(config::MapReader& reader, HttpModule& http) {
  constexpr std::array<std::string_view, 4> kWords{"gzip", "br", "deflate", "identity"};
  if (!reader.Has("compression")) return;
  std::string word;
  reader.Read("compression", word);
  if (word.empty()) return;
  if (std::find(kWords.begin(), kWords.end(), word) == kWords.end()) {
    return reader.Fault("compression", "'" + word + "' is none of gzip, br, deflate, identity");
  }
  http.compression = word;
  for (const auto& [name, value] : http.headers) {
    if (Lower(name) != "accept-encoding" || Accepts(value, word)) continue;
    reader.Fault("compression", "the header Accept-Encoding, '" + value + "', does not ask for it");
  }
}

void ReadCel(config::MapReader& reader, std::string_view key, std::vector<CelExpression>& out) {
  std::string text;
  if (!reader.Read(key, text)) return;
  auto expression = CelExpression::Compile(text);
  if (expression) out.push_back(*std::move(expression));
  if (!expression) reader.Fault(key, expression.error().message());
}

// HTTP/1.1, HTTP/2, HTTP/2.0: Go's net/http writes the last, others that before it.
void ReadVersions(config::MapReader& reader, HttpModule& http) {
  std::vector<std::string> words;
  reader.Read("valid_http_versions", words);
  for (const auto& word : words) {
    std::string_view number = word;
    if (number.starts_with("HTTP/")) number.remove_prefix(5);
    const auto version = ParseDouble(number);
    // The last only where a module says enable_http3, which is refused when it is asked for.
    const bool known =
        version && (*version == 1 || *version == 1.1 || *version == 2 || *version == 3);
    if (known) {
      http.valid_versions.push_back(*version);
    } else {
      reader.Fault("valid_http_versions", "'" + word + "' is none of HTTP/1.0, HTTP/1.1, HTTP/2.0");
    }
  }
}

TcpStep ReadStep(const config::Node& node, config::MapReader& reader) {
  TcpStep step;
  config::MapReader entry(node, reader.diagnostics(), reader.context() + ".query_response");
  ReadPatterns(entry, "expect", step.expect);
  entry.Read("expect_bytes", step.expect_bytes);
  if (!step.expect.empty() && !step.expect_bytes.empty()) {
    entry.Fault("expect_bytes", "stands beside expect");
  }
  entry.Read("send", step.send);
  entry.Read("starttls", step.starttls);
  if (const config::Node* const labels = entry.Child("labels")) {
    for (const auto& item : labels->items) {
      config::MapReader label(item, reader.diagnostics(), "labels");
      std::pair<std::string, std::string> pair;
      label.Read("name", pair.first);
      label.Read("value", pair.second);
      label.Finish();
      if (!IsLegacyLabelName(pair.first)) {
        label.Fault("name", "'" + pair.first + "' is not a label name");
        continue;
      }
      step.labels.push_back(std::move(pair));
    }
  }
  entry.Finish();
  return step;
}

void ReadSource(config::MapReader& reader, std::string& source) {
  if (!reader.Read("source_ip_address", source) || AddressFamily(source) != 0) return;
  reader.Fault("source_ip_address", "'" + source + "' is not an IP address");
}

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

// What a module may say and nobody is to read. Of headers, all: which are secret nobody knows.
bool IsSecretKey(std::string_view key) {
  constexpr std::array<std::string_view, 8> kKeys{
      "password", "bearer_token", "credentials", "client_secret",
      "secrets",  "headers",      "cookie",      "proxy_connect_header"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

void WriteScalar(const config::Node& node, std::string& out) {
  const bool plain = !node.quoted && !node.text.empty();
  out += plain ? Redact(node.text)
               : nlohmann::json(Redact(node.text))
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Writes a node as YAML, `indent` deep; `hidden`: without its values.
void WriteNode(const config::Node& node, std::size_t indent, bool hidden, std::string& out) {
  const std::string space(indent, ' ');
  if (node.IsMap() && !node.entries.empty()) {
    for (const auto& [key, value] : node.entries) {
      out += "\n" + space + key.text + ":";
      WriteNode(value, indent + 2, hidden || IsSecretKey(key.text), out);
    }
    return;
  }
  if (node.IsList() && !node.items.empty()) {
    for (const auto& item : node.items) {
      out += "\n" + space + "-";
      WriteNode(item, indent + 2, hidden, out);
    }
    return;
  }
  out += ' ';
  if (node.IsMap()) out += "{}";
  if (node.IsList()) out += "[]";
  if (node.IsScalar() && hidden) out += "<secret>";
  if (node.IsScalar() && !hidden) WriteScalar(node, out);
}

std::string ModuleText(const std::string& name, const config::Node& node) {
  std::string text = name + ":";
  WriteNode(node, 2, false, text);
  return text + "\n";
}

Module ReadModule(const config::Node& node, const std::string& name,
                  config::Diagnostics& diagnostics) {
  Module module;
  module.ip = IpChoice::kIp6First;  // as blackbox_exporter
  config::MapReader reader(node, diagnostics, "modules." + name);
  constexpr std::array<std::string_view, 5> kProbers{"http", "tcp", "dns", "icmp", "unix"};
  constexpr std::array kKinds{ProberKind::kHttp, ProberKind::kTcp, ProberKind::kDns,
                              ProberKind::kIcmp, ProberKind::kUnix};
  // A file of the peer's loads with those that are not used here.
  constexpr std::array<std::string_view, 2> kOthers{"grpc", "websocket"};
  module.text = ModuleText(name, node);
  const config::Node* const prober = node.Find("prober");
  if (prober && std::find(kOthers.begin(), kOthers.end(), prober->text) != kOthers.end()) {
    module.unsupported = "the prober '" + prober->text + "'";
    return module;
  }
  if (!reader.Has("prober")) reader.Require("prober", "one of http, tcp, dns, icmp, unix");
  module.prober = kKinds[reader.ReadChoice("prober", kProbers, 0)];
  reader.Read("timeout", module.timeout);
  const auto within = [&](std::string_view key, auto read) {
    const config::Node* const child = reader.Child(key);
    if (!child) return;
    config::MapReader options(*child, diagnostics, reader.context() + "." + std::string(key));
    read(options);
    ReadIpChoice(options, module.ip);
    options.Finish();
  };
  within("http", [&](config::MapReader& options) {
    if (options.Child("oauth2")) module.unsupported = "oauth2 in probes";
    bool http3 = false;
    options.Read("enable_http3", http3);
    if (http3) module.unsupported = "HTTP/3";
    ReadHttpModule(options, config::PlainSecrets::kAllowed, module.http);
  });
  within("tcp", [&](config::MapReader& options) {
    options.Read("tls", module.tcp.tls);
    ReadConversation(options, module.tcp);
  });
  within("unix", [&](config::MapReader& options) {
    options.Read("tls", module.tcp.tls);
    ReadConversation(options, module.tcp);
  });
  within("icmp", [&](config::MapReader& options) { ReadIcmpModule(options, module.icmp); });
  within("dns", [&](config::MapReader& options) {
    ReadDnsModule(options, module.dns);
    if (module.dns.name.empty()) options.Require("query_name", "the name to ask for");
  });
  reader.Finish();
  return module;
}

}  // namespace

std::string_view Name(ProberKind kind) { return kProberNames[static_cast<std::size_t>(kind)]; }

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

void ReadHttpModule(config::MapReader& reader, config::PlainSecrets plain, HttpModule& http) {
  reader.Read("method", http.method);
  const auto token = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  if (http.method.empty() || !std::all_of(http.method.begin(), http.method.end(), token)) {
    reader.Fault("method", "'" + http.method + "' is not a method");
  }
  std::map<std::string, std::string> headers;
  reader.Read("headers", headers);
  http.headers.assign(headers.begin(), headers.end());
  for (const auto& [name, value] : headers) {
    if (plain == config::PlainSecrets::kRefused &&
        ::strcasecmp(name.c_str(), "Authorization") == 0) {
      reader.Fault("headers", "Authorization is written as basic_auth or authorization");
    }
  }
  reader.Read("body", http.body);
  if (reader.Read("body_file", http.body_file) && !http.body.empty()) {
    reader.Fault("body_file", "stands beside body");
  }
  config::ReadHttpHeaders(reader, {}, http.http_headers);
  config::ReadProxy(reader, http.proxy);
  // Names are left to the proxy here, whatever this says.
  bool skip = true;
  reader.Read("skip_resolve_phase_with_proxy", skip);
  config::ReadAuth(reader, http.auth, plain);
  if (reader.ReadSecret("bearer_token", http.auth.credentials, plain)) http.auth.type = "Bearer";
  config::ReadTlsConfig(reader, http.tls);
  reader.Read("follow_redirects", http.follow_redirects);
  bool stay = false;
  if (reader.Read("no_follow_redirects", stay)) http.follow_redirects = !stay;  // of old files
  reader.Read("enable_http2", http.enable_http2);
  reader.Read("fail_if_ssl", http.fail_if_ssl);
  reader.Read("fail_if_not_ssl", http.fail_if_not_ssl);
  reader.ReadBytes("body_size_limit", http.body_size_limit);
  ReadCompression(reader, http);
  ReadStatuses(reader, "valid_status_codes", http.valid_statuses);
  ReadVersions(reader, http);
  ReadCel(reader, "fail_if_body_json_matches_cel", http.bad_cel);
  ReadCel(reader, "fail_if_body_json_not_matches_cel", http.good_cel);
  ReadPatterns(reader, "fail_if_body_matches_regexp", http.bad_bodies);
  ReadPatterns(reader, "fail_if_body_not_matches_regexp", http.good_bodies);
  ReadHeaderPatterns(reader, "fail_if_header_matches", http.bad_headers);
  ReadHeaderPatterns(reader, "fail_if_header_not_matches", http.good_headers);
}

void ReadExpect(config::MapReader& target, HttpModule& http) {
  const config::Node* const node = target.Child("expect");
  if (!node) return;
  config::MapReader expect(*node, target.diagnostics(), target.context() + ".expect");
  ReadStatuses(expect, "status", http.valid_statuses);
  ReadPatterns(expect, "body", http.good_bodies);
  ReadPatterns(expect, "body_not", http.bad_bodies);
  std::map<std::string, std::string> headers;
  expect.Read("headers", headers);
  for (const auto& [name, expression] : headers) {
    std::vector<Pattern> pattern;
    AddPattern(expect, "headers", expression, pattern);
    if (!pattern.empty()) http.good_headers.push_back({Lower(name), pattern.front(), false});
  }
  if (const config::Node* const json = expect.Child("json")) {
    const std::span<const config::Node> list =
        json->IsList() ? std::span(json->items) : std::span(json, 1);
    for (const auto& item : list) {
      if (auto condition = JsonCondition::Read(item, target.diagnostics())) {
        http.json.push_back(*std::move(condition));
      }
    }
  }
  expect.Read("duration", http.max_duration);
  expect.Finish();
}

void ReadConversation(config::MapReader& reader, TcpModule& tcp) {
  config::ReadTlsConfig(reader, tcp.tls_options);
  ReadSource(reader, tcp.source_ip);
  const config::Node* const steps = reader.Child("query_response");
  if (!steps) return;
  if (!steps->IsList()) reader.Fault("query_response", "expected a list of expect and send");
  for (const auto& step : steps->items) tcp.steps.push_back(ReadStep(step, reader));
}

void ReadDnsModule(config::MapReader& reader, DnsModule& dns) {
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
  config::ReadTlsConfig(reader, dns.tls_options);
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

void ReadIcmpModule(config::MapReader& reader, IcmpModule& icmp) {
  // The most that an IPv4 packet can carry; 0 is the default, as in blackbox_exporter.
  constexpr std::int64_t kMostPayload = 65507;
  std::int64_t size = 0;
  reader.Read("payload_size", size, 0, kMostPayload);
  if (size > 0) icmp.payload_size = size;
  reader.Read("ttl", icmp.ttl, 0, 255);
  reader.Read("dont_fragment", icmp.dont_fragment);
  ReadSource(reader, icmp.source_ip);
}

std::map<std::string, Module> ReadModules(const config::Node& file,
                                          config::Diagnostics& diagnostics) {
  std::map<std::string, Module> modules;
  config::MapReader reader(file, diagnostics, "modules file");
  const config::Node* const list = reader.Child("modules");
  if (!list || !list->IsMap()) {
    reader.Require("modules", "a map of names and modules, as blackbox_exporter has it");
  } else {
    for (const auto& [name, node] : list->entries) {
      modules.emplace(name.text, ReadModule(node, name.text, diagnostics));
    }
  }
  reader.Finish();
  return modules;
}

std::map<std::string, Module> BuiltInModules() {
  std::map<std::string, Module> modules;
  modules["http_2xx"];
  modules["http_post_2xx"].http.method = "POST";
  modules["tcp_connect"].prober = ProberKind::kTcp;
  modules["tls_connect"].prober = ProberKind::kTls;
  modules["icmp"].prober = ProberKind::kIcmp;
  return modules;
}

}  // namespace vigia::collectors::probe
