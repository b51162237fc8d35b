// vigia.yml as a whole.
//
// Each top-level key is a section: one line in sections.def and one function in a file of its
// own that reads it. docs/configuration.md describes every key.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "collectors/kind.h"
#include "core/config/diagnostics.h"
#include "core/config/environment.h"
#include "core/duration.h"
#include "core/log.h"

namespace vigia::exporter {

struct AlertingConfig;  // exporter/config/alerting.h

struct HttpConfig {
  int workers = 128;  // open connections that are served at once
  Milliseconds request_timeout{5'000};
  Milliseconds keep_alive_timeout{15'000};
  double rate = 100;   // requests per second and client address; 0 for no limit
  double burst = 500;  // requests that a client may have saved up
};

// Taken at the start; a change needs a restart.
struct HistoryConfig {
  Milliseconds retention = std::chrono::hours(24);
  std::uint64_t max_bytes = 0;  // of files; 0 for no limit
  std::uint64_t max_series = 200'000;
  std::uint64_t max_memory = std::uint64_t{512} << 20;
  Milliseconds out_of_order_window = std::chrono::minutes(10);
  bool fsync = false;
  // Of the journal, for a remote write endpoint that is behind.
  std::uint64_t journal_keep = std::uint64_t{1} << 30;

  friend bool operator==(const HistoryConfig&, const HistoryConfig&) = default;
};

// Taken at the start; a change needs a restart.
struct QueryConfig {
  Milliseconds timeout = std::chrono::minutes(2);
  Milliseconds lookback = std::chrono::minutes(5);
  std::uint64_t max_samples = 50'000'000;
  std::uint64_t max_concurrency = 20;
  bool prometheus2 = false;  // the language of Prometheus 2.42 instead of 3

  friend bool operator==(const QueryConfig&, const QueryConfig&) = default;
};

struct BaselinesConfig;      // baselines.h
struct DatasourceConfig;     // datasource.h
struct ProbeEndpointConfig;  // probe_endpoint.h
struct RemoteWriteConfig;    // remote_write.h

struct RulesConfig {
  std::vector<alerting::rules::GroupDefinition> groups;
  Milliseconds interval{15'000};  // of groups that name none
};

struct Config {
  std::vector<std::string> listen{"127.0.0.1:9845"};
  std::filesystem::path web_config;  // exporter-toolkit's; empty: no TLS, no users
  std::filesystem::path data_dir = "data";
  std::map<std::string, std::string> external_labels;
  std::string external_url;  // how others reach vigia; empty: the first address it listens on
  log::Options log;
  HttpConfig http;
  HistoryConfig history;
  QueryConfig query;
  std::shared_ptr<const DatasourceConfig> datasource;  // never null once read
  bool remote_write_receiver = false;
  std::shared_ptr<const RemoteWriteConfig> remote_write;  // never null once read
  Milliseconds health_max_age{0};                         // 0: by the interval of each collector
  std::shared_ptr<const ProbeEndpointConfig> probe_endpoint;  // never null once read
  RulesConfig rules;
  std::shared_ptr<const BaselinesConfig> baselines;  // never null once read
  Milliseconds scrape_wait{100};
  collectors::TargetLabel target_label = collectors::TargetLabel::kAuto;
  std::vector<collectors::Instance> collectors;
  std::shared_ptr<const AlertingConfig> alerting;  // never null once read
};

// Reads a file. Faults go to `diagnostics`, all of them in one pass; the configuration is then
// not to be used. Relative paths in it are taken from the file's folder.
Config LoadConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics);

// The same for a text that stands in `folder`.
Config ParseConfig(std::string_view text, const std::filesystem::path& folder,
                   const config::Environment& environment, config::Diagnostics& diagnostics);

// The top-level keys.
std::span<const std::string_view> SectionKeys();

// What is watched where nobody wrote a configuration.
Config DefaultConfig();

}  // namespace vigia::exporter
