#include "core/config/http_options.h"
#include "exporter/config/datasource.h"
#include "query/promql/syntax/parser.h"

namespace vigia::exporter {
namespace {

void ReadUrl(config::MapReader& reader, DatasourceConfig& out) {
  if (!reader.Read("url", out.url)) {
    reader.Require("url", "where Prometheus answers, such as http://prometheus:9090");
    return;
  }
  while (out.url.ends_with('/')) out.url.pop_back();
  if (const auto url = ParseHttpUrl(out.url); !url) {
    reader.Fault("url", url.error().message());
  } else if (url->has_user) {
    reader.Fault("url", "a password does not stand here; write basic_auth");
  } else if (out.url.find_first_of("?#") != std::string::npos) {
    reader.Fault("url", "expected an address without a query: /api/v1/query_range is added to it");
  }
}

void ReadSelection(config::MapReader& reader, DatasourceConfig& out) {
  if (std::string text; reader.Read("matchers", text)) {
    if (!text.starts_with('{')) text = "{" + text + "}";
    auto matchers = promql::ParseSelector(text);
    if (matchers) {
      out.matchers = *std::move(matchers);
    } else {
      reader.Fault("matchers", matchers.error().message);
    }
  }
  reader.Read("drop_labels", out.drop_labels);
}

}  // namespace

void ReadDatasource(config::MapReader& query, Config& config) {
  auto out = std::make_shared<DatasourceConfig>();
  if (const config::Node* const node = query.Child("datasource")) {
    config::MapReader reader(*node, query.diagnostics(), "query.datasource");
    ReadUrl(reader, *out);
    config::ReadTlsConfig(reader, out->http.tls);
    config::ReadAuth(reader, out->http.auth);
    std::map<std::string, std::string> headers;
    reader.Read("headers", headers);
    out->headers.assign(headers.begin(), headers.end());
    reader.Read("timeout", out->timeout);
    ReadSelection(reader, *out);
    reader.Finish();
    out->fingerprint = config::Canonical(*node);
  }
  config.datasource = std::move(out);
}

}  // namespace vigia::exporter
