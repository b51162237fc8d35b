// What the HTTP server says of itself: requests and their durations, by handler.

#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>

#include <map>
#include <mutex>
#include <string>

#include "exporter/http/server.h"

namespace prometheus {
class Registry;
}

namespace vigia::exporter {

// Thread-safe.
class HttpMetrics {
 public:
  explicit HttpMetrics(prometheus::Registry& registry);

  // Counts an answer, and logs it (debug; 5xx: warn).
  void Record(const http::AccessRecord& record);

 private:
  struct Handler {
    prometheus::Histogram* duration = nullptr;
    std::map<int, prometheus::Counter*> by_code;
  };

  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
  std::mutex mutex_;
  std::map<std::string, Handler, std::less<>> handlers_;  // guarded by mutex_
};

}  // namespace vigia::exporter
