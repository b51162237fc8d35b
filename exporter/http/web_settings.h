// The web configuration in force: read at the start, and again whenever one of its files changes.

#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/web_config.h"

namespace vigia::http {

// What one version of the configuration comes to. Immutable but for the limiter, which locks
// itself.
struct WebSettings {
  WebConfig config;
  std::string header_lines;          // security headers of every answer, "Name: value\r\n" each
  std::shared_ptr<Limiter> limiter;  // null: no limit over all clients
};

// Thread-safe.
class WebSettingsFile {
 public:
  // An empty path: no file, the defaults. `report` gets, once each, what is wrong with a new
  // version of the file; it is called from any thread.
  WebSettingsFile(std::filesystem::path path, const Clock& clock,
                  std::function<void(std::string_view)> report);

  // Reads it for the first time; the error holds every fault, one per line. Before all else.
  Status Load();

  // The settings in force. Looks at most once a second whether a file has changed; a version with
  // faults is reported, and the old settings stay.
  std::shared_ptr<const WebSettings> Current();

 private:
  // Tells versions of a file apart.
  struct Stamp {
    std::int64_t modified = 0;  // nanoseconds
    std::int64_t size = -1;     // -1: there is no such file
    std::uint64_t inode = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  std::vector<Stamp> Stamps() const;
  Result<std::shared_ptr<const WebSettings>> Read();
  void Refresh();

  const std::filesystem::path path_;
  const Clock& clock_;
  const std::function<void(std::string_view)> report_;

  std::atomic<std::int64_t> next_look_{0};  // of clock_.Now(), in its ticks

  std::mutex reading_;
  // Guarded by reading_.
  std::vector<std::filesystem::path> files_;
  std::vector<Stamp> stamps_;

  mutable std::mutex mutex_;
  std::shared_ptr<const WebSettings> current_;  // guarded by mutex_
};

}  // namespace vigia::http
