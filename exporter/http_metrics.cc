#include "exporter/http_metrics.h"

#include "core/log.h"
#include "core/number.h"
#include "exporter/own_metrics.h"

namespace vigia::exporter {

HttpMetrics::HttpMetrics(prometheus::Registry& registry)
    : requests_(prometheus::BuildCounter()
                    .Name(std::string(kHttpRequests.name))
                    .Help(std::string(kHttpRequests.help))
                    .Register(registry)),
      durations_(prometheus::BuildHistogram()
                     .Name(std::string(kHttpDuration.name))
                     .Help(std::string(kHttpDuration.help))
                     .Register(registry)) {}

void HttpMetrics::Record(const http::AccessRecord& record) {
  // Paths that nobody serves share one name: they are the client's words.
  const std::string_view name = record.handler.empty() ? "none" : record.handler;
  {
    const std::lock_guard lock(mutex_);
    auto at = handlers_.find(name);
    if (at == handlers_.end()) {
      at = handlers_.emplace(std::string(name), Handler{}).first;
      at->second.duration = &durations_.Add(
          {{"handler", at->first}},
          prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1, 0.25, 0.5, 1, 2.5, 5, 10});
    }
    auto& counter = at->second.by_code[record.status];
    if (!counter) {
      counter = &requests_.Add({{"handler", at->first}, {"code", std::to_string(record.status)}});
    }
    counter->Increment();
    at->second.duration->Observe(record.took.count());
  }
  const auto level = record.status >= 500 ? log::Level::kWarn : log::Level::kDebug;
  if (!log::Enabled(level)) return;
  log::Write(level, "request",
             {{"request_id", record.request.id},
              {"method", record.request.method},
              {"path", record.request.path},
              {"status", std::to_string(record.status)},
              {"bytes", std::to_string(record.bytes)},
              {"seconds", FormatDouble(record.took.count())},
              {"client", record.request.remote_address},
              {"user", record.request.user},
              {"error", record.error}});
}

}  // namespace vigia::exporter
