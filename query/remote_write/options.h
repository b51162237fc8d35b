// What `remote_write:` of vigia.yml says: a list of endpoints in Prometheus' own format.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/http_client.h"
#include "core/oauth2.h"
#include "core/relabel.h"

namespace vigia::remote_write {

struct QueueOptions {
  std::size_t capacity = 10'000;  // samples that are read from the journal at a time
  std::size_t max_shards = 50;    // requests under way at the same time
  std::size_t min_shards = 1;
  std::size_t max_samples_per_send = 2'000;
  std::chrono::milliseconds batch_send_deadline = 5s;
  std::chrono::milliseconds min_backoff = 30ms;
  std::chrono::milliseconds max_backoff = 5s;
  // Samples older than this are dropped, and counted; 0 for no limit.
  std::chrono::milliseconds sample_age_limit{0};
};

struct MetadataOptions {
  bool send = true;
  std::chrono::milliseconds send_interval = 1min;
  std::size_t max_samples_per_send = 2'000;
};

struct Endpoint {
  std::string name;  // of metrics and of the file with the position; unique
  std::string url;
  HttpFields headers;
  HttpClient::Options http;
  OAuth2 oauth2;
  std::chrono::milliseconds timeout = 30s;
  Relabeling relabeling;
  QueueOptions queue;
  MetadataOptions metadata;
};

// Reads the list; faults go to `diagnostics`.
std::vector<Endpoint> ReadEndpoints(const config::Node& node, config::Diagnostics& diagnostics);

}  // namespace vigia::remote_write
