// The sections of vigia.yml that only the daemon itself needs.

#include <array>

#include "core/labels.h"
#include "exporter/config/section.h"
#include "exporter/http/server.h"

namespace vigia::exporter {

void ReadListen(SectionInput& input, Config& config) {
  auto& diagnostics = input.file.diagnostics();
  const config::Node* node = input.file.Child("listen");
  std::vector<std::string> listen;
  if (!node || !config::ReadStrings(*node, "listen", diagnostics, listen)) return;
  if (listen.empty()) {
    input.file.Fault("listen", "names no address; write one such as 127.0.0.1:9845");
    return;
  }
  for (std::size_t i = 0; i < listen.size(); ++i) {
    if (const auto status = http::CheckAddress(listen[i]); !status) {
      diagnostics.Add(node->IsList() ? node->items[i].position : node->position,
                      status.error().message());
    }
  }
  config.listen = std::move(listen);
}

void ReadWebConfigPath(SectionInput& input, Config& config) {
  if (input.file.Read("web_config", config.web_config)) {
    config.web_config = input.Resolve(config.web_config);
  }
}

void ReadDataDir(SectionInput& input, Config& config) {
  if (input.file.Read("data_dir", config.data_dir)) {
    config.data_dir = input.Resolve(config.data_dir);
  }
}

void ReadExternalLabels(SectionInput& input, Config& config) {
  if (!input.file.Read("external_labels", config.external_labels)) return;
  for (const auto& [name, value] : config.external_labels) {
    if (!IsLegacyLabelName(name) || name.starts_with("__")) {
      input.file.Fault("external_labels", "'" + name + "' is not a label name");
    }
  }
}

void ReadLog(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("log");
  if (!node) return;
  config::MapReader log(*node, input.file.diagnostics(), "log");
  config.log.level = static_cast<log::Level>(
      log.ReadChoice("level", log::kLevelNames, static_cast<std::size_t>(config.log.level)));
  config.log.format = static_cast<log::Format>(
      log.ReadChoice("format", log::kFormatNames, static_cast<std::size_t>(config.log.format)));
  if (log.Read("file", config.log.file)) config.log.file = input.Resolve(config.log.file);
  log.ReadBytes("max_size", config.log.max_size);
  if (config.log.max_size < 64 * 1024) log.Fault("max_size", "has to be at least 64KiB");
  std::int64_t keep = static_cast<std::int64_t>(config.log.keep);
  log.Read("keep", keep, 0, 1000);
  config.log.keep = static_cast<std::size_t>(keep);
  log.Finish();
}

void ReadHttp(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("http");
  if (!node) return;
  config::MapReader http(*node, input.file.diagnostics(), "http");
  std::int64_t workers = config.http.workers;
  http.Read("workers", workers, 4, 4096);
  config.http.workers = static_cast<int>(workers);
  http.Read("request_timeout", config.http.request_timeout);
  http.Read("keep_alive_timeout", config.http.keep_alive_timeout);
  if (const config::Node* limit = http.Child("rate_limit")) {
    config::MapReader rate(*limit, input.file.diagnostics(), "http.rate_limit");
    rate.Read("rate", config.http.rate);
    rate.Read("burst", config.http.burst);
    if (!(config.http.rate >= 0)) rate.Fault("rate", "has to be 0 (no limit) or more");
    if (!(config.http.burst >= 1)) rate.Fault("burst", "has to be 1 or more");
    rate.Finish();
  }
  http.Finish();
}

void ReadScrapeWait(SectionInput& input, Config& config) {
  input.file.Read("scrape_wait", config.scrape_wait);
  if (config.scrape_wait > 10s) {
    input.file.Fault("scrape_wait", "has to be at most 10s: every scrape may have to wait so long");
  }
}

void ReadTargetLabel(SectionInput& input, Config& config) {
  constexpr std::array<std::string_view, 3> kWords{"auto", "always", "never"};
  config.target_label =
      static_cast<collectors::TargetLabel>(input.file.ReadChoice("target_label", kWords, 0));
}

// Without the section this host is watched; `collectors: {}` watches nothing.
void ReadCollectorsSection(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("collectors");
  config::Node host_alone;
  host_alone.kind = config::Node::Kind::kMap;
  host_alone.entries.emplace_back(config::Node::Key{"host", {}}, config::Node());
  config.collectors = collectors::ReadCollectors(node ? *node : host_alone, config.target_label,
                                                 input.file.diagnostics());
}

}  // namespace vigia::exporter
