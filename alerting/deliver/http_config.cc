#include "alerting/deliver/http_config.h"

#include "core/config/http_options.h"

namespace vigia::alerting::deliver {
namespace {

// Answers are short.
constexpr std::size_t kMaxAnswer = 64 << 10;

config::Origin In(const std::filesystem::path& folder) {
  return {folder, config::PlainSecrets::kAllowed};
}

}  // namespace

bool ReadSecretIn(config::MapReader& options, std::string_view key,
                  const std::filesystem::path& folder, Secret& out) {
  return config::ReadSecretFrom(options, key, In(folder), out);
}

HttpTls ReadTlsConfig(config::MapReader& options, const std::filesystem::path& folder,
                      std::string_view key) {
  HttpTls tls;
  config::ReadTlsConfig(options, tls, In(folder), key);
  return tls;
}

HttpConfig ReadHttpKeys(config::MapReader& reader, const std::filesystem::path& folder) {
  HttpConfig out;
  out.client.max_body_bytes = kMaxAnswer;
  config::ReadAuth(reader, out.client.auth, In(folder));
  config::ReadOAuth2(reader, out.oauth2, In(folder));
  out.client.tls = ReadTlsConfig(reader, folder);
  config::ReadHttpHeaders(reader, folder, out.headers);
  config::ReadProxy(reader, out.client.proxy);
  reader.Read("follow_redirects", out.client.follow_redirects);
  reader.Read("enable_http2", out.client.http2);
  return out;
}

HttpConfig ReadHttpConfig(config::MapReader& options, const config::Node& global,
                          const std::filesystem::path& folder) {
  const config::Node none;
  const config::Node* node = options.Child("http_config");
  if (!node) node = global.Find("http_config");
  config::MapReader reader(node ? *node : none, options.diagnostics(), "http_config");
  auto out = ReadHttpKeys(reader, folder);
  reader.Finish();
  return out;
}

}  // namespace vigia::alerting::deliver
