#include "collectors/probe/module.h"

#include <algorithm>
#include <array>

#include "collectors/probe/module_keys.h"
#include "collectors/probe/module_text.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::array<std::string_view, 8> kProberNames{"http", "tcp",      "tls",   "dns",
                                                       "icmp", "postgres", "redis", "unix"};

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
