#include "exporter/http/web_config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/config/reader.h"
#include "core/config/yaml.h"
#include "core/file.h"
#include "core/number.h"
#include "exporter/http/passwords.h"

namespace vigia::http {
namespace {

using config::MapReader;
using config::Node;

constexpr std::size_t kLargestFile = 1024 * 1024;

constexpr std::array<std::string_view, 4> kVersions{"TLS10", "TLS11", "TLS12", "TLS13"};

// The last one is an old name of RequireAnyClientCert.
constexpr std::array<std::string_view, 6> kClientAuths{"NoClientCert",
                                                       "RequestClientCert",
                                                       "RequireAnyClientCert",
                                                       "VerifyClientCertIfGiven",
                                                       "RequireAndVerifyClientCert",
                                                       "RequireClientCert"};

// A Go duration, "1.5s", "100us" or "1m30s", in seconds.
Result<double> ParseGoDuration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{{"ns", 1e-9},
                                                                       {"us", 1e-6},
                                                                       {"\u00b5s", 1e-6},
                                                                       {"\u03bcs", 1e-6},
                                                                       {"ms", 1e-3},
                                                                       {"s", 1},
                                                                       {"m", 60},
                                                                       {"h", 3600}}};
  const auto malformed = Fail(ErrorCode::kInvalid,
                              "'" + std::string(text) + "' is not a duration such as 10ms or 1.5s");
  if (text == "0") return 0;
  double seconds = 0;
  auto rest = text;
  while (!rest.empty()) {
    const std::size_t digits = rest.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return malformed;
    const auto number = ParseDouble(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const auto word = rest.substr(0, rest.find_first_of("0123456789."));
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                   [&](const auto& entry) { return entry.first == word; });
    if (!number || unit == kUnits.end()) return malformed;
    seconds += *number * unit->second;
    rest.remove_prefix(word.size());
  }
  if (text.empty()) return malformed;
  return seconds;
}

class Parser {
 public:
  Parser(const std::filesystem::path& folder, config::Diagnostics& diagnostics)
      : folder_(folder), diagnostics_(diagnostics) {}

  WebConfig Parse(const Node& root) {
    MapReader reader(root, diagnostics_);
    ReadTls(reader);
    ReadHttp(reader);
    ReadUsers(reader);
    ReadRateLimit(reader);
    reader.Finish();
    return std::move(web_);
  }

 private:
  void ReadTls(MapReader& root);
  // The text under `key`, or that of the file under `key`_file.
  std::string ReadPem(MapReader& reader, std::string_view key);
  void ReadClientAuth(MapReader& reader, TlsConfig& tls);
  template <typename Known>
  void ReadNames(MapReader& reader, std::string_view key, std::vector<std::string>& out,
                 Known known);
  void ReadHttp(MapReader& root);
  void ReadUsers(MapReader& root);
  void ReadRateLimit(MapReader& root);

  const std::filesystem::path folder_;
  config::Diagnostics& diagnostics_;
  WebConfig web_;
};

std::string Parser::ReadPem(MapReader& reader, std::string_view key) {
  const std::string file_key = std::string(key) + "_file";
  std::string text;
  std::filesystem::path path;
  const bool inline_text = reader.Read(key, text);
  const bool from_file = reader.Read(file_key, path);
  if (inline_text && from_file) {
    reader.Fault(file_key, "stands beside " + std::string(key) + "; write one of the two");
    return {};
  }
  if (!from_file || path.empty()) return text;
  path = folder_ / path;
  web_.files.push_back(path);
  auto content = ReadFile(path, kLargestFile);
  if (!content) {
    reader.Fault(file_key, content.error().message());
    return {};
  }
  return *std::move(content);
}

template <typename Known>
void Parser::ReadNames(MapReader& reader, std::string_view key, std::vector<std::string>& out,
                       Known known) {
  reader.Read(key, out);
  for (const auto& name : out) {
    if (known(name).empty()) reader.Fault(key, "'" + name + "' is not known");
  }
}

void Parser::ReadClientAuth(MapReader& reader, TlsConfig& tls) {
  const auto choice = reader.ReadChoice("client_auth_type", kClientAuths, 0);
  tls.client_auth = choice == 5 ? ClientAuth::kRequireAny : static_cast<ClientAuth>(choice);
  tls.client_ca = ReadPem(reader, "client_ca");
  if (!tls.client_ca.empty() && tls.client_auth == ClientAuth::kNone) {
    reader.Fault(reader.Has("client_ca") ? "client_ca" : "client_ca_file",
                 "needs a client_auth_type, such as RequireAndVerifyClientCert");
  }
  if (reader.Read("client_allowed_sans", tls.client_allowed_sans) &&
      tls.client_auth != ClientAuth::kRequireAny &&
      tls.client_auth != ClientAuth::kRequireVerified) {
    reader.Fault("client_allowed_sans",
                 "needs a client_auth_type that requires a certificate: RequireAnyClientCert or "
                 "RequireAndVerifyClientCert");
  }
}

void Parser::ReadTls(MapReader& root) {
  const Node* node = root.Child("tls_server_config");
  if (!node || node->IsNull() || (node->IsMap() && node->entries.empty())) return;
  MapReader reader(*node, diagnostics_, "tls_server_config");
  const auto faults = diagnostics_.Lines().size();
  TlsConfig tls;
  tls.certificate = ReadPem(reader, "cert");
  tls.key = ReadPem(reader, "key");
  ReadClientAuth(reader, tls);
  tls.min_version = static_cast<TlsVersion>(reader.ReadChoice("min_version", kVersions, 2));
  tls.max_version = static_cast<TlsVersion>(reader.ReadChoice("max_version", kVersions, 3));
  ReadNames(reader, "cipher_suites", tls.cipher_suites, OpensslCipher);
  ReadNames(reader, "curve_preferences", tls.curves, OpensslCurve);
  reader.Read("prefer_server_cipher_suites", tls.prefer_server_cipher_suites);
  reader.Finish();
  for (const std::string_view key : {"cert", "key"}) {
    if (!reader.Has(key) && !reader.Has(std::string(key) + "_file")) {
      reader.Require(std::string(key) + "_file", "TLS needs certificate and key");
    }
  }
  if (diagnostics_.Lines().size() > faults) return;
  auto settings = MakeTlsSettings(tls);
  if (settings) {
    web_.tls = *std::move(settings);
  } else {
    diagnostics_.Add(node->position, settings.error().In("tls_server_config").message());
  }
}

void Parser::ReadHttp(MapReader& root) {
  // The headers that exporter-toolkit lets one set, and the values it allows.
  static const std::map<std::string, std::vector<std::string>> kHeaders{
      {"Strict-Transport-Security", {}},
      {"X-Content-Type-Options", {"nosniff"}},
      {"X-Frame-Options", {"deny", "sameorigin"}},
      {"X-XSS-Protection", {}},
      {"Content-Security-Policy", {}}};
  const Node* node = root.Child("http_server_config");
  if (!node) return;
  MapReader reader(*node, diagnostics_, "http_server_config");
  bool http2 = false;
  reader.Read("http2", http2);
  if (http2) web_.notes.emplace_back("http2 is not served: HTTP/1.1 is");
  const Node* headers = reader.Child("headers");
  if (headers && !headers->IsNull()) reader.Read("headers", web_.headers);
  for (const auto& [name, value] : web_.headers) {
    const auto known = kHeaders.find(name);
    if (known == kHeaders.end()) {
      reader.Fault("headers", "the header '" + name +
                                  "' cannot be set; those that can are Strict-Transport-Security, "
                                  "X-Content-Type-Options, X-Frame-Options, X-XSS-Protection and "
                                  "Content-Security-Policy");
      continue;
    }
    const auto& allowed = known->second;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      std::string text = name + " cannot be '" + value + "', but";
      for (const auto& word : allowed) text += (word == allowed[0] ? " " : " or ") + word;
      reader.Fault("headers", text);
    }
    if (std::any_of(value.begin(), value.end(), [](char c) { return c >= 0 && c < ' '; })) {
      reader.Fault("headers", name + " has to be a single line");
    }
  }
  reader.Finish();
}

void Parser::ReadUsers(MapReader& root) {
  const Node* node = root.Child("basic_auth_users");
  if (!node || node->IsNull()) return;
  root.Read("basic_auth_users", web_.users);
  for (const auto& [name, hash] : web_.users) {
    if (!IsBcryptHash(hash)) {
      root.Fault("basic_auth_users", "the password of '" + name +
                                         "' is not a bcrypt hash; make one with "
                                         "htpasswd -nBC 10 " +
                                         name);
    }
  }
}

void Parser::ReadRateLimit(MapReader& root) {
  const Node* node = root.Child("rate_limit");
  if (!node) return;
  MapReader reader(*node, diagnostics_, "rate_limit");
  std::string interval = "0";
  reader.Read("interval", interval);
  std::int64_t burst = 0;
  reader.Read("burst", burst, 0, 1'000'000'000);
  reader.Finish();
  const auto seconds = ParseGoDuration(interval);
  if (!seconds) {
    reader.Fault("interval", seconds.error().message());
  } else if (*seconds > 0 && burst < 1) {
    reader.Fault("burst", "has to be at least 1, or every request is refused");
  } else if (*seconds > 0) {
    web_.rate_limit = Rate{1 / *seconds, static_cast<double>(burst)};
  }
}

}  // namespace

WebConfig LoadWebConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics) {
  // Hashes are full of dollar signs: nothing is substituted.
  const config::YamlOptions options{.limits = {.max_bytes = kLargestFile}};
  const Node root = config::LoadYaml(path, options, diagnostics);
  if (!diagnostics.ok()) return {};
  return Parser(path.parent_path(), diagnostics).Parse(root);
}

}  // namespace vigia::http
