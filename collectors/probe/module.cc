#include "collectors/probe/module.h"

#include <algorithm>
#include <array>

#include "collectors/probe/module_keys.h"
#include "collectors/probe/module_text.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::array<std::string_view, 10> kProberNames{
    "http", "tcp", "tls", "dns", "icmp", "postgres", "redis", "unix", "grpc", "websocket"};

// `check_revoked` of a module: the lists of revoked certificates are not read here.
bool ReadsRevoked(config::MapReader& options) {
  bool check = false;
  options.Read("check_revoked", check);
  return check;
}

Module ReadModule(const config::Node& node, const std::string& name,
                  config::Diagnostics& diagnostics) {
  Module module;
  module.ip = IpChoice::kIp6First;  // as blackbox_exporter
  config::MapReader reader(node, diagnostics, "modules." + name);
  constexpr std::array<std::string_view, 7> kProbers{"http", "tcp",  "dns",      "icmp",
                                                     "unix", "grpc", "websocket"};
  constexpr std::array kKinds{ProberKind::kHttp,     ProberKind::kTcp,  ProberKind::kDns,
                              ProberKind::kIcmp,     ProberKind::kUnix, ProberKind::kGrpc,
                              ProberKind::kWebsocket};
  constexpr auto kPlain = config::PlainSecrets::kAllowed;
  module.text = ModuleText(name, node);
  if (!reader.Has("prober")) reader.Require("prober", "one of http, tcp, dns, icmp, unix, grpc");
  module.prober = kKinds[reader.ReadChoice("prober", kProbers, 0)];
  reader.Read("timeout", module.timeout);
  const auto within = [&](std::string_view key, auto read) {
    const config::Node* const child = reader.Child(key);
    if (!child) return;
    config::MapReader options(*child, diagnostics, reader.context() + "." + std::string(key));
    read(options);
    if (ReadsRevoked(options)) module.unsupported = "check_revoked";
    ReadIpChoice(options, module.ip);
    options.Finish();
  };
  const auto converse = [&](config::MapReader& options) {
    options.Read("tls", module.tcp.tls);
    ReadConversation(options, kPlain, module.tcp);
  };
  within("http", [&](config::MapReader& options) {
    module.unsupported = ReadHttp3(options);
    ReadHttpModule(options, kPlain, module.http);
  });
  within("tcp", converse);
  within("unix", converse);
  within("grpc", [&](config::MapReader& options) { ReadGrpcModule(options, kPlain, module.grpc); });
  within("websocket", [&](config::MapReader& options) {
    ReadWebsocketModule(options, kPlain, module.websocket);
  });
  within("icmp", [&](config::MapReader& options) { ReadIcmpModule(options, module.icmp); });
  within("dns", [&](config::MapReader& options) {
    ReadDnsModule(options, kPlain, module.dns);
    if (module.dns.name.empty()) options.Require("query_name", "the name to ask for");
  });
  reader.Finish();
  return module;
}

}  // namespace

std::string_view Name(ProberKind kind) { return kProberNames[static_cast<std::size_t>(kind)]; }

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
