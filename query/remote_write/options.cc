#include "query/remote_write/options.h"

#include <algorithm>
#include <cstdio>

#include "core/config/http_options.h"
#include "core/config/reader.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vigia::remote_write {
namespace {

constexpr std::int64_t kMany = 1'000'000;

// The same in every run, unlike the hashes of core: files are called by it.
std::string NameOfUrl(const std::string& url) {
  char name[16];
  std::snprintf(name, sizeof name, "%06llx",
                static_cast<unsigned long long>(XXH3_64bits(url.data(), url.size()) & 0xffffff));
  return name;
}

void ReadCount(config::MapReader& reader, std::string_view key, std::size_t& count) {
  auto number = static_cast<std::int64_t>(count);
  reader.Read(key, number, 1, kMany);
  count = static_cast<std::size_t>(number);
}

void ReadQueue(config::MapReader& options, QueueOptions& queue) {
  const config::Node* const node = options.Child("queue_config");
  if (!node) return;
  config::MapReader reader(*node, options.diagnostics(), options.context() + ".queue_config");
  ReadCount(reader, "capacity", queue.capacity);
  ReadCount(reader, "max_shards", queue.max_shards);
  ReadCount(reader, "min_shards", queue.min_shards);
  ReadCount(reader, "max_samples_per_send", queue.max_samples_per_send);
  reader.Read("batch_send_deadline", queue.batch_send_deadline);
  reader.Read("min_backoff", queue.min_backoff);
  reader.Read("max_backoff", queue.max_backoff);
  reader.Read("sample_age_limit", queue.sample_age_limit);
  bool retry = true;
  if (reader.Read("retry_on_http_429", retry) && !retry) {
    reader.Fault("retry_on_http_429", "an answer of 429 is always obeyed; leave this out");
  }
  if (queue.min_shards > queue.max_shards) {
    reader.Fault("min_shards", "is more than max_shards");
  }
  if (queue.min_backoff > queue.max_backoff) {
    reader.Fault("min_backoff", "is more than max_backoff");
  }
  reader.Finish();
}

void ReadMetadata(config::MapReader& options, MetadataOptions& metadata) {
  const config::Node* const node = options.Child("metadata_config");
  if (!node) return;
  config::MapReader reader(*node, options.diagnostics(), options.context() + ".metadata_config");
  reader.Read("send", metadata.send);
  reader.Read("send_interval", metadata.send_interval);
  ReadCount(reader, "max_samples_per_send", metadata.max_samples_per_send);
  reader.Finish();
}

// Keys that Prometheus has for what vigia never sends: right as long as they switch it off.
void ReadUnused(config::MapReader& options) {
  for (const std::string_view key : {"send_exemplars", "send_native_histograms"}) {
    bool send = false;
    if (options.Read(key, send) && send)
      options.Fault(key, "there are none in vigia; leave it out");
  }
  std::string message;
  if (options.Read("protobuf_message", message) && message != "prometheus.WriteRequest") {
    options.Fault("protobuf_message", "only prometheus.WriteRequest is sent");
  }
}

Endpoint ReadEndpoint(config::MapReader& options) {
  Endpoint endpoint;
  if (!options.Read("url", endpoint.url)) {
    options.Require("url", "where samples go, such as http://127.0.0.1:9090/api/v1/write");
  } else if (const auto url = ParseHttpUrl(endpoint.url); !url) {
    options.Fault("url", url.error().message());
  } else if (url->has_user) {
    options.Fault("url", "a password does not stand here; write basic_auth");
  }
  endpoint.name = NameOfUrl(endpoint.url);
  options.Read("name", endpoint.name);
  if (endpoint.name.empty() || endpoint.name.find('/') != std::string::npos) {
    options.Fault("name", "has to be a word without slashes");
  }
  std::map<std::string, std::string> headers;
  options.Read("headers", headers);
  endpoint.headers.assign(headers.begin(), headers.end());
  config::ReadTlsConfig(options, endpoint.http.tls);
  config::ReadAuth(options, endpoint.http.auth);
  config::ReadProxy(options, endpoint.http.proxy);
  endpoint.http.max_body_bytes = 64 * 1024;
  options.Read("follow_redirects", endpoint.http.follow_redirects);
  config::ReadOAuth2(options, endpoint.oauth2);
  options.Read("remote_timeout", endpoint.timeout);
  if (const config::Node* const rules = options.Child("write_relabel_configs")) {
    endpoint.relabeling = Relabeling::Read(*rules, options.context() + ".write_relabel_configs",
                                           options.diagnostics());
  }
  ReadQueue(options, endpoint.queue);
  ReadMetadata(options, endpoint.metadata);
  ReadUnused(options);
  options.Finish();
  return endpoint;
}

}  // namespace

std::vector<Endpoint> ReadEndpoints(const config::Node& node, config::Diagnostics& diagnostics) {
  std::vector<Endpoint> endpoints;
  if (!node.IsList() && !node.IsNull()) {
    diagnostics.Add(node.position, "remote_write: expected a list of endpoints");
  }
  for (const auto& item : node.items) {
    config::MapReader options(item, diagnostics, "remote_write");
    auto endpoint = ReadEndpoint(options);
    const bool known = std::any_of(endpoints.begin(), endpoints.end(),
                                   [&](const auto& other) { return other.name == endpoint.name; });
    if (known) options.Fault("name", "'" + endpoint.name + "' is the name of another endpoint");
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace vigia::remote_write
