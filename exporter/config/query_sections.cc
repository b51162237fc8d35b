// The sections of vigia.yml about remembering and answering.

#include <array>

#include "exporter/config/datasource.h"
#include "exporter/config/section.h"

namespace vigia::exporter {
namespace {

void ReadCount(config::MapReader& reader, std::string_view key, std::uint64_t& out,
               std::int64_t min, std::int64_t max) {
  std::int64_t value = static_cast<std::int64_t>(out);
  if (reader.Read(key, value, min, max)) out = static_cast<std::uint64_t>(value);
}

}  // namespace

void ReadExternalUrl(SectionInput& input, Config& config) {
  if (!input.file.Read("external_url", config.external_url)) return;
  while (config.external_url.ends_with('/')) config.external_url.pop_back();
  if (!config.external_url.starts_with("http://") && !config.external_url.starts_with("https://")) {
    input.file.Fault("external_url", "has to begin with http:// or https://");
  }
}

void ReadHistory(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("history");
  if (!node) return;
  config::MapReader history(*node, input.file.diagnostics(), "history");
  auto& options = config.history;
  history.Read("retention", options.retention);
  if (options.retention < std::chrono::minutes(10)) {
    history.Fault("retention", "has to be at least 10m");
  }
  history.ReadBytes("max_size", options.max_bytes);
  ReadCount(history, "max_series", options.max_series, 1000, 100'000'000);
  history.ReadBytes("max_memory", options.max_memory);
  if (options.max_memory < 16 << 20) history.Fault("max_memory", "has to be at least 16MiB");
  history.Read("out_of_order_window", options.out_of_order_window);
  history.Read("fsync", options.fsync);
  history.ReadBytes("journal_keep", options.journal_keep);
  history.Finish();
}

void ReadQuery(SectionInput& input, Config& config) {
  const config::Node* const given = input.file.Child("query");
  const config::Node none;
  config::MapReader query(given ? *given : none, input.file.diagnostics(), "query");
  auto& options = config.query;
  query.Read("timeout", options.timeout);
  query.Read("lookback", options.lookback);
  ReadCount(query, "max_samples", options.max_samples, 1, 10'000'000'000);
  ReadCount(query, "max_concurrency", options.max_concurrency, 1, 1000);
  constexpr std::array<std::string_view, 2> kSemantics{"prometheus3", "prometheus2"};
  options.prometheus2 = query.ReadChoice("semantics", kSemantics, options.prometheus2) == 1;
  ReadDatasource(query, config);
  query.Finish();
}

void ReadRemoteWriteReceiver(SectionInput& input, Config& config) {
  input.file.Read("remote_write_receiver", config.remote_write_receiver);
}

}  // namespace vigia::exporter
