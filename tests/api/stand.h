// The API over a history in a temporary folder, without a server: requests go to the handlers.

#pragma once

#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <string_view>

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "exporter/api/api.h"
#include "exporter/api/receiver.h"
#include "exporter/http/router.h"
#include "query/history/history.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

// What a client sees of an answer.
struct ApiAnswer {
  int status = 0;
  std::string body;
  http::Headers headers;
};

class ApiStand {
 public:
  struct Options {
    promql::EngineOptions engine = {};
    std::size_t max_concurrency = 20;
    std::size_t max_series = 200'000;
  };

  // Now, for the history and for queries without a time.
  static constexpr Timestamp kNow = 1'700'000'000'000;

  ApiStand() : ApiStand(Options{}) {}
  explicit ApiStand(Options options);

  // `target` is a path with a query: "/api/v1/query?query=up".
  ApiAnswer Get(std::string_view target, http::Headers headers = {}) const;
  // The same with the parameters as a form.
  ApiAnswer PostForm(std::string_view path, std::string_view form) const;
  ApiAnswer Send(http::Request request) const;

  void Append(const Labels& labels, Timestamp time, double value);
  // up{job="a"} = 1 and up{job="b"} = 0, every 15 s of the last ten minutes.
  void AppendUp();

  history::History& history() { return *history_; }
  api::Receiver& receiver() { return *receiver_; }
  // What a history that is opened anew, as after a kill -9, has of `selector` at `time`.
  std::string AfterKill(std::string_view query, Timestamp time);

 private:
  ManualClock clock_{kNow};
  TempDir dir_;
  prometheus::Registry registry_;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<promql::Engine> engine_;
  api::MetadataStore metadata_;
  std::unique_ptr<collectors::Scheduler> scheduler_;
  std::unique_ptr<api::Receiver> receiver_;
  http::Router router_;
};

}  // namespace vigia::test
