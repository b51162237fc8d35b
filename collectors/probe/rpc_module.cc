// The keys of gRPC and WebSocket modules.

#include <array>

#include "collectors/probe/module_keys.h"
#include "core/config/http_options.h"

namespace vigia::collectors::probe {
namespace {

// `metadata`: {name: value} or {name: [value, value]}.
void ReadMetadata(config::MapReader& reader, config::PlainSecrets plain, HttpFields& metadata) {
  const config::Node* const node = reader.Child("metadata");
  if (!node) return;
  if (!node->IsMap()) reader.Fault("metadata", "expected a map of names and their values");
  for (const auto& [key, values] : node->entries) {
    const auto name = LowerCase(key.text);
    if (name.starts_with("grpc-") || name.starts_with(':')) {
      reader.Fault("metadata", name + " is set by vigia itself");
    }
    if (name == "authorization" && plain == config::PlainSecrets::kRefused) {
      reader.Fault("metadata", "authorization is written as basic_auth or authorization");
    }
    std::vector<std::string> texts;
    config::ReadStrings(values, "metadata: " + name, reader.diagnostics(), texts);
    for (auto& text : texts) metadata.emplace_back(name, std::move(text));
  }
}

// What an http_config may say and a handshake has no use for.
void RefuseUnused(config::MapReader& reader) {
  constexpr std::array<std::string_view, 5> kKeys{"oauth2", "proxy_url", "no_proxy",
                                                  "proxy_from_environment", "proxy_connect_header"};
  for (const auto key : kKeys) {
    if (!reader.Child(key)) continue;
    reader.Fault(key, "is not used by WebSocket probes, there or here");
  }
  bool any = false;
  for (const std::string_view key : {"follow_redirects", "enable_http2"}) reader.Read(key, any);
}

}  // namespace

void ReadGrpcModule(config::MapReader& reader, config::PlainSecrets plain, GrpcModule& grpc) {
  const config::Origin origin{{}, plain};
  reader.Read("service", grpc.service);
  reader.Read("tls", grpc.tls);
  config::ReadTlsConfig(reader, grpc.tls_options, origin);
  ReadMetadata(reader, plain, grpc.metadata);
  // The peer has no such keys, and its files none of them.
  if (plain == config::PlainSecrets::kRefused) config::ReadAuth(reader, grpc.auth, origin);
}

void ReadWebsocketModule(config::MapReader& reader, config::PlainSecrets plain,
                         WebsocketModule& websocket) {
  const config::Origin origin{{}, plain};
  if (const config::Node* const node = reader.Child("http_config")) {
    config::MapReader http(*node, reader.diagnostics(), reader.context() + ".http_config");
    config::ReadAuth(http, websocket.auth, origin);
    config::ReadTlsConfig(http, websocket.tls, origin);
    config::ReadHttpHeaders(http, {}, websocket.headers);
    RefuseUnused(http);
    http.Finish();
  }
  config::ReadHttpHeaders(reader, {}, websocket.headers, "headers");
  ReadSteps(reader, websocket.steps);
  for (const auto& step : websocket.steps) {
    if (step.starttls) reader.Fault("query_response", "starttls: TLS begins with wss:// here");
  }
}

}  // namespace vigia::collectors::probe
