// A Module says how to probe, for any target: what blackbox_exporter's configuration calls so,
// in its format. Immutable once read; any thread may use it.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/probe/cel.h"
#include "collectors/probe/json_condition.h"
#include "collectors/probe/pattern.h"
#include "core/config/reader.h"
#include "core/duration.h"
#include "core/http_client.h"
#include "core/oauth2.h"

namespace vigia::collectors::probe {

enum class ProberKind {
  kHttp,
  kTcp,
  kTls,
  kDns,
  kIcmp,
  kPostgres,
  kRedis,
  kUnix,
  kGrpc,
  kWebsocket,
};
std::string_view Name(ProberKind kind);

// Which addresses of a name are tried.
enum class IpChoice {
  kAny,  // all: whichever connects first, IPv6 before IPv4
  kIp4,  // those of IPv4 only
  kIp6,
  kIp4First,  // those of IPv4 if the name has any, else those of IPv6
  kIp6First,
};

struct HeaderPattern {
  std::string header;  // in lower case
  Pattern pattern;
  bool allow_missing = false;
};

struct HttpModule {
  std::string method = "GET";
  HttpFields headers;
  SecretHttpFields http_headers;
  std::string body;
  std::filesystem::path body_file;  // read for each request, instead of `body`
  HttpAuth auth;
  OAuth2 oauth2;
  std::shared_ptr<TokenCache> tokens;  // with oauth2; of all copies of the module
  HttpTls tls;
  HttpProxy proxy;
  bool follow_redirects = true;
  bool enable_http2 = true;
  bool fail_if_ssl = false;
  bool fail_if_not_ssl = false;
  std::string compression;  // gzip, deflate, br; empty or identity: none
  std::uint64_t body_size_limit = 10 << 20;
  std::vector<std::pair<int, int>> valid_statuses;  // ranges; empty: 200 to 299
  std::vector<double> valid_versions;               // 1.1, 2; empty: any
  std::vector<Pattern> bad_bodies;                  // none may match
  std::vector<Pattern> good_bodies;                 // all have to match
  std::vector<HeaderPattern> bad_headers;
  std::vector<HeaderPattern> good_headers;
  std::vector<JsonCondition> json;
  std::vector<CelExpression> bad_cel;   // may not be true
  std::vector<CelExpression> good_cel;  // have to be true
  Milliseconds max_duration{0};         // 0: no condition

  bool HasCel() const { return !bad_cel.empty() || !good_cel.empty(); }
  bool NeedsBody() const {
    return !bad_bodies.empty() || !good_bodies.empty() || !json.empty() || HasCel();
  }
};

struct TcpStep {
  std::vector<Pattern> expect;  // none or one
  std::string expect_bytes;     // exactly these, instead of a line
  std::string send;             // groups of `expect` in it as ${1}
  bool starttls = false;
  // Labels of probe_expect_info, groups of `expect` in their values.
  std::vector<std::pair<std::string, std::string>> labels;
};

struct TcpModule {
  std::vector<TcpStep> steps;
  bool tls = false;
  HttpTls tls_options;
  std::string source_ip;  // that the connection comes from; empty: the system's choice
};

struct RecordRules {
  std::vector<Pattern> bad;       // fails if a record matches one
  std::vector<Pattern> all_bad;   // fails if all records match all
  std::vector<Pattern> good;      // fails if a record does not match one, or there is none
  std::vector<Pattern> none_bad;  // fails if no record matches any
};

struct DnsModule {
  std::string name;
  std::uint16_t type = 255;  // ANY
  std::uint16_t dns_class = 1;
  bool tcp = false;
  bool tls = false;  // over TCP
  HttpTls tls_options;
  std::string source_ip;
  bool recursion_desired = true;
  std::vector<int> valid_rcodes;  // empty: NOERROR
  RecordRules answer;
  RecordRules authority;
  RecordRules additional;
};

struct IcmpModule {
  std::int64_t payload_size = 28;
  std::int64_t ttl = 0;        // 0: the system's
  bool dont_fragment = false;  // of IPv4
  std::string source_ip;
};

// The service grpc.health.v1.Health of a server.
struct GrpcModule {
  std::string service;  // empty: the server as a whole
  bool tls = false;
  HttpTls tls_options;
  HttpAuth auth;
  HttpFields metadata;  // names in lower case
};

struct WebsocketModule {
  SecretHttpFields headers;
  HttpAuth auth;
  HttpTls tls;
  std::vector<TcpStep> steps;
};

struct Module {
  // What the peer has and vigia has not, if the module needs it: "HTTP/3".
  std::string unsupported;
  ProberKind prober = ProberKind::kHttp;
  Milliseconds timeout{0};  // 0: the entry's
  IpChoice ip = IpChoice::kAny;
  HttpModule http;
  TcpModule tcp;
  DnsModule dns;
  IcmpModule icmp;
  GrpcModule grpc;
  WebsocketModule websocket;
  std::string text;  // as it stands in the file, secrets hidden; empty for those built in
};

// Reads the keys that are a module's own in blackbox_exporter's file, from a map that may hold
// others too.
void ReadHttpModule(config::MapReader& reader, config::PlainSecrets plain, HttpModule& http);
// Of TCP and TLS probes, but for `tls`.
void ReadConversation(config::MapReader& reader, config::PlainSecrets plain, TcpModule& tcp);
void ReadGrpcModule(config::MapReader& reader, config::PlainSecrets plain, GrpcModule& grpc);
void ReadWebsocketModule(config::MapReader& reader, config::PlainSecrets plain,
                         WebsocketModule& websocket);
void ReadDnsModule(config::MapReader& reader, config::PlainSecrets plain, DnsModule& dns);
void ReadIcmpModule(config::MapReader& reader, IcmpModule& icmp);
// `preferred_ip_protocol` and `ip_protocol_fallback`; `ip` stays as it is without them.
void ReadIpChoice(config::MapReader& reader, IpChoice& ip);
// Our own `expect:` of a target.
void ReadExpect(config::MapReader& target, HttpModule& http);

// The `modules:` of a blackbox_exporter configuration.
std::map<std::string, Module> ReadModules(const config::Node& file,
                                          config::Diagnostics& diagnostics);
// Those that need no file: http_2xx, http_post_2xx, tcp_connect, tls_connect, icmp.
std::map<std::string, Module> BuiltInModules();

}  // namespace vigia::collectors::probe
