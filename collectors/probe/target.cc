#include "collectors/probe/target.h"

#include <array>
#include <set>

#include "collectors/probe/dns_message.h"
#include "collectors/probe/module_keys.h"
#include "collectors/probe/probers.h"
#include "collectors/probe/resolve.h"
#include "collectors/redis/address.h"
#include "core/redact.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::array kKinds{ProberKind::kHttp,     ProberKind::kTcp,  ProberKind::kTls,
                            ProberKind::kDns,      ProberKind::kIcmp, ProberKind::kPostgres,
                            ProberKind::kRedis,    ProberKind::kUnix, ProberKind::kGrpc,
                            ProberKind::kWebsocket};

constexpr std::string_view kKindList =
    "http, tcp, tls, dns, icmp, postgres, redis, unix, grpc, websocket";
constexpr auto kPlain = config::PlainSecrets::kRefused;

// Which of the kinds' keys the entry has; faults unless it is exactly one.
std::optional<ProberKind> KindOf(config::MapReader& reader) {
  std::optional<ProberKind> found;
  // `tls` is also an option of these.
  const bool option =
      reader.Has("tcp") || reader.Has("redis") || reader.Has("unix") || reader.Has("grpc");
  for (const auto kind : kKinds) {
    if (!reader.Has(Name(kind)) || (option && kind == ProberKind::kTls)) continue;
    if (found) {
      reader.Fault(Name(kind), "stands beside " + std::string(Name(*found)) +
                                   "; a target is probed in one way");
      reader.Child(Name(kind));
      continue;
    }
    found = kind;
  }
  if (!found) reader.Fault({}, "a target needs one of " + std::string(kKindList));
  return found;
}

void ReadHttp(config::MapReader& reader, Target& target) {
  const auto url = ParseHttpUrl(target.address);
  if (!url) reader.Fault("http", url.error().message());
  if (url && url->has_user)
    reader.Fault("http", "a password does not stand here; write basic_auth");
  ReadHttpModule(reader, kPlain, target.module.http);
  if (const auto missing = ReadHttp3(reader); !missing.empty()) {
    reader.Fault("enable_http3", "needs " + missing);
  }
  ReadExpect(reader, target.module.http);
}

void ReadDns(config::MapReader& reader, Target& target) {
  auto& dns = target.module.dns;
  ReadDnsModule(reader, kPlain, dns);
  reader.Require("query_name", "the name to ask for");
  if (auto query = WriteDnsQuery({dns.name, dns.type, dns.dns_class, true}, 0); !query) {
    reader.Fault("query_name", query.error().message());
  }
}

void ReadPostgres(config::MapReader& reader, Target& target, Milliseconds timeout) {
  target.postgres.dsn = target.address;
  if (auto valid = postgres::CheckDsn(target.address); !valid) {
    reader.Fault("postgres", valid.error().message());
  }
  reader.ReadSecret("password", target.postgres.password);
  target.postgres.statement_timeout = timeout;
}

void CheckHostPort(config::MapReader& reader, const Target& target, int default_port) {
  const auto kind = Name(target.module.prober);
  if (const auto parsed = ParseHostPort(target.address, default_port); !parsed) {
    reader.Fault(kind, parsed.error().message());
  }
}

// Keys of the kind's own.
void ReadOfKind(config::MapReader& reader, Target& target) {
  auto& module = target.module;
  switch (module.prober) {
    case ProberKind::kHttp:
      return ReadHttp(reader, target);
    case ProberKind::kTls:
      CheckHostPort(reader, target, 443);
      return ReadConversation(reader, kPlain, module.tcp);
    case ProberKind::kTcp:
      CheckHostPort(reader, target, 0);
      reader.Read("tls", module.tcp.tls);
      return ReadConversation(reader, kPlain, module.tcp);
    case ProberKind::kUnix:
      reader.Read("tls", module.tcp.tls);
      return ReadConversation(reader, kPlain, module.tcp);
    case ProberKind::kGrpc:
      CheckHostPort(reader, target, 443);
      return ReadGrpcModule(reader, kPlain, module.grpc);
    case ProberKind::kWebsocket:
      if (auto valid = CheckWebsocketUrl(target.address); !valid) {
        reader.Fault("websocket", valid.error().message());
      }
      return ReadWebsocketModule(reader, kPlain, module.websocket);
    case ProberKind::kDns:
      CheckHostPort(reader, target, 53);
      return ReadDns(reader, target);
    case ProberKind::kIcmp:
      CheckHostPort(reader, target, 1);
      return ReadIcmpModule(reader, module.icmp);
    case ProberKind::kPostgres:
      return ReadPostgres(reader, target, module.timeout);
    case ProberKind::kRedis:
      target.redis = redis::ReadAddress(reader, "redis");
      return;
  }
}

std::optional<Target> ReadTarget(const config::Node& node, config::Diagnostics& diagnostics,
                                 const TargetDefaults& defaults) {
  config::MapReader reader(node, diagnostics, "collectors.probe.targets");
  const auto kind = KindOf(reader);
  if (!kind) return std::nullopt;
  Target target;
  target.module.prober = *kind;
  target.module.timeout = defaults.timeout;
  const auto key = Name(*kind);
  reader.Read(key, target.address);
  const config::Node* const address = reader.Child(key);
  const std::string shown = Redact(target.address);
  if (address && !address->variable && shown != target.address) {
    reader.Fault(key,
                 "holds a secret, which does not stand in this file; name password_file, or "
                 "write ${NAME} to take it from the environment");
  }
  // A connection string says more than a name should.
  target.name = *kind == ProberKind::kPostgres ? "postgres" : shown;
  reader.Read("name", target.name);
  if (reader.Read("timeout", target.module.timeout) &&
      target.module.timeout > defaults.max_timeout) {
    reader.Fault("timeout",
                 "is longer than that of the whole entry, " + FormatDuration(defaults.max_timeout));
  }
  reader.Read("failure_threshold", target.failure_threshold, 1, 1000);
  reader.Read("success_threshold", target.success_threshold, 1, 1000);
  ReadOfKind(reader, target);
  if (*kind != ProberKind::kPostgres && *kind != ProberKind::kRedis) {
    ReadIpChoice(reader, target.module.ip);
  }
  reader.Finish();
  return target;
}

}  // namespace

std::vector<Target> ReadTargets(config::MapReader& options, const TargetDefaults& defaults) {
  std::vector<Target> targets;
  options.Require("targets", "a list of what to probe: [ { http: \"http://127.0.0.1:8000/\" } ]");
  const config::Node* const list = options.Child("targets");
  if (!list) return targets;
  if (!list->IsList() || list->items.empty()) {
    options.Fault("targets", "expected a list of targets");
    return targets;
  }
  std::set<std::string> names;
  for (const auto& node : list->items) {
    auto target = ReadTarget(node, options.diagnostics(), defaults);
    if (!target) continue;
    if (!names.insert(target->name).second) {
      options.diagnostics().Add(node.position, "collectors.probe.targets: '" + target->name +
                                                   "' is the name of another target; give each "
                                                   "its own name");
    }
    targets.push_back(*std::move(target));
  }
  return targets;
}

}  // namespace vigia::collectors::probe
