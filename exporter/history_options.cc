#include "exporter/history_options.h"

#include "core/log.h"

namespace vigia::exporter {

history::Options HistoryOptions(const Config& config) {
  history::Options options;
  options.folder = config.data_dir / "history";
  options.retention = config.history.retention;
  options.retention_bytes = config.history.max_bytes;
  options.max_series = config.history.max_series;
  options.max_memory = config.history.max_memory;
  options.out_of_order_window = config.history.out_of_order_window;
  options.fsync = config.history.fsync;
  options.journal_keep_bytes = config.history.journal_keep;
  options.on_problem = [](auto message, const auto& file, const Error& error) {
    log::Error(message, {{"file", file.string()}, {"error", error.message()}});
  };
  options.on_recovery = [](auto message, const auto& file) {
    log::Info(message, {{"file", file.string()}});
  };
  return options;
}

}  // namespace vigia::exporter
