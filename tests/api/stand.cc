#include "tests/api/stand.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "exporter/api/result_json.h"

namespace vigia::test {

ApiStand::ApiStand(Options options) {
  history::Options history;
  history.folder = dir_.path() / "history";
  history.max_series = options.max_series;
  history_ = history::History::Open(history, clock_).value();
  engine_ = std::make_unique<promql::Engine>(options.engine);
  scheduler_ = std::make_unique<collectors::Scheduler>(clock_, collectors::Scheduler::Options{});
  receiver_ = std::make_unique<api::Receiver>(*history_, metadata_, registry_);
  api::AddApi(router_, {.history = *history_,
                        .engine = *engine_,
                        .metadata = metadata_,
                        .max_concurrency = options.max_concurrency,
                        .clock = clock_,
                        .scheduler = *scheduler_,
                        .config_file = {},
                        .started = kNow,
                        .retention = std::chrono::hours(24)});
  router_.Post("/api/v1/write", [this](const auto& request) { return receiver_->Write(request); });
  router_.Post("/api/v1/import/openmetrics",
               [this](const auto& request) { return receiver_->Import(request); });
}

ApiAnswer ApiStand::Send(http::Request request) const {
  std::string allowed;
  const auto* route = router_.Find(request, allowed);
  if (!route) return {allowed.empty() ? 404 : 405, allowed, {}};
  auto response = route->handler(request);
  if (response.stream) {
    REQUIRE(response.stream([&](std::string_view piece) {
      response.body += piece;
      return true;
    }));
  }
  return {response.status, std::move(response.body), std::move(response.headers)};
}

ApiAnswer ApiStand::Get(std::string_view target, http::Headers headers) const {
  http::Request request;
  request.method = "GET";
  request.path = target.substr(0, target.find('?'));
  if (target.find('?') != target.npos) {
    request.query = http::ParseUrlEncoded(target.substr(target.find('?') + 1));
  }
  request.headers = std::move(headers);
  return Send(std::move(request));
}

ApiAnswer ApiStand::PostForm(std::string_view path, std::string_view form) const {
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.form = http::ParseUrlEncoded(form);
  return Send(std::move(request));
}

void ApiStand::Append(const Labels& labels, Timestamp time, double value) {
  const SeriesSink::Entry entry{labels, {time, value}};
  REQUIRE(history_->Append({&entry, 1}).value().stored == 1);
}

void ApiStand::AppendUp() {
  for (Timestamp time = kNow - 600'000; time <= kNow; time += 15'000) {
    Append({{"__name__", "up"}, {"job", "a"}}, time, 1);
    Append({{"__name__", "up"}, {"job", "b"}}, time, 0);
  }
}

std::string ApiStand::AfterKill(std::string_view query, Timestamp time) {
  // A copy of the files is what a killed process leaves; nothing was closed.
  const TempDir copy;
  std::filesystem::copy(dir_.path() / "history", copy.path() / "history",
                        std::filesystem::copy_options::recursive);
  history::Options options;
  options.folder = copy.path() / "history";
  const auto restored = history::History::Open(options, clock_).value();
  const auto answer = engine_->Instant(*restored, query, time);
  REQUIRE(answer);
  std::string text;
  api::AppendInstant(text, answer->value, 0);
  return text + "}";
}

}  // namespace vigia::test
