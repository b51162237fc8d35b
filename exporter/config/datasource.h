// `query.datasource` of vigia.yml: a Prometheus, or what speaks its HTTP API, that remembers more
// than vigia does.

#pragma once

#include <string>
#include <vector>

#include "core/duration.h"
#include "core/http_client.h"
#include "core/series.h"
#include "exporter/config/section.h"

namespace vigia::exporter {

struct DatasourceConfig {
  std::string url;  // without a slash at the end; empty: there is none
  HttpFields headers;
  HttpClient::Options http;
  Milliseconds timeout = std::chrono::seconds(30);          // of one request
  std::vector<Matcher> matchers;                            // which of its series are this vigia's
  std::vector<std::string> drop_labels{"instance", "job"};  // that it has added to them
  std::string fingerprint;                                  // equal for equal configuration
};

// Reads the key of the section `query`.
void ReadDatasource(config::MapReader& query, Config& config);

}  // namespace vigia::exporter
