// Messages, portions, configuration.

#include <bit>
#include <catch2/catch.hpp>

#include "core/config/yaml.h"
#include "query/remote_write/message.h"
#include "query/remote_write/options.h"
#include "query/remote_write/portion.h"
#include "query/remote_write/progress.h"
#include "query/remote_write/sender.h"
#include "tests/remote_write/receiver.h"
#include "tests/support/temp_dir.h"

namespace vigia::remote_write {
namespace {

using test::DecodeMessage;

const Labels kUp{{"__name__", "up"}, {"job", "api"}};

SeriesSink::Entry EntryOf(const std::string& name, Timestamp time, double value) {
  return {Labels{{"__name__", name}}, {time, value}};
}

// One line per request: its samples.
std::string Render(const Portion& portion) {
  std::string text;
  for (const auto& requests : portion.shards) {
    for (const auto& request : requests) {
      for (const auto& part : request.series) {
        text += part.labels.ToString() + ":";
        for (const auto& sample : part.samples) text += " " + std::to_string(sample.time);
        text += "; ";
      }
      text += "\n";
    }
  }
  return text;
}

std::vector<Endpoint> Read(const std::string& text, config::Diagnostics& diagnostics) {
  const auto node = config::ParseYaml(text, {}, diagnostics);
  return ReadEndpoints(node, diagnostics);
}

std::string Faults(const std::string& text) {
  config::Diagnostics diagnostics("vigia.yml");
  Read(text, diagnostics);
  return diagnostics.ToString();
}

}  // namespace

TEST_CASE("a message has labels in order and values bit by bit", "[remote_write]") {
  const double odd = std::bit_cast<double>(std::uint64_t{0x7ff80000deadbeef});
  const std::vector<SeriesPart> series{{kUp, {{1000, 0.1}, {2000, -0.0}, {-3, odd}}}};
  const auto message = DecodeMessage(EncodeSeries(series));
  REQUIRE(message.labels.size() == 1);
  REQUIRE(message.labels[0] ==
          std::vector<std::pair<std::string, std::string>>{{"__name__", "up"}, {"job", "api"}});
  REQUIRE(message.series[0].second == std::vector<std::pair<Timestamp, std::uint64_t>>{
                                          {1000, std::bit_cast<std::uint64_t>(0.1)},
                                          {2000, std::uint64_t{1} << 63},
                                          {-3, 0x7ff80000deadbeef}});
}

TEST_CASE("both stale markers go out as that of Prometheus", "[remote_write]") {
  const std::vector<SeriesPart> series{{kUp, {{1000, GoneMarker()}, {2000, UnknownMarker()}}}};
  const auto message = DecodeMessage(EncodeSeries(series));
  REQUIRE(message.series[0].second == std::vector<std::pair<Timestamp, std::uint64_t>>{
                                          {1000, 0x7ff0000000000002}, {2000, 0x7ff0000000000002}});
}

TEST_CASE("metadata has the numbers of Prometheus' types", "[remote_write]") {
  const std::vector<MetricMetadata> metadata{
      {"a_total", MetricType::kCounter, "Help of a.", ""},
      {"b_seconds", MetricType::kSummary, "Help of b.", "seconds"}};
  const auto message = DecodeMessage(EncodeMetadata(metadata));
  REQUIRE(message.metadata.size() == 2);
  REQUIRE(message.metadata[0].type == 1);
  REQUIRE(message.metadata[0].name == "a_total");
  REQUIRE(message.metadata[1].type == 5);
  REQUIRE(message.metadata[1].help == "Help of b.");
  REQUIRE(message.metadata[1].unit == "seconds");
}

TEST_CASE("a portion keeps the order of each series and sets late samples apart",
          "[remote_write]") {
  Labelling labelling({}, {});
  const QueueOptions options{.max_shards = 1, .max_samples_per_send = 3};
  const std::vector<SeriesSink::Entry> entries{EntryOf("a", 10, 1), EntryOf("b", 10, 1),
                                               EntryOf("a", 20, 1), EntryOf("a", 15, 1),
                                               EntryOf("b", 20, 1)};
  REQUIRE(Render(Divide(entries, options, 0, labelling)) ==
          "a: 10 20; b: 10; \n"
          "b: 20; \n"
          "a: 15; \n");
  // What was sent before counts too.
  const std::vector<SeriesSink::Entry> more{EntryOf("a", 17, 1), EntryOf("b", 30, 1)};
  REQUIRE(Render(Divide(more, options, 0, labelling)) == "b: 30; \na: 17; \n");
}

TEST_CASE("a portion has as many shards as there are requests, each series in one",
          "[remote_write]") {
  std::vector<SeriesSink::Entry> entries;
  for (int i = 0; i < 1000; ++i) {
    entries.push_back(EntryOf("series_" + std::to_string(i % 100), i, 1));
  }
  const QueueOptions options{.max_shards = 4, .max_samples_per_send = 100};
  Labelling labelling({}, {});
  const auto portion = Divide(entries, options, 0, labelling);
  REQUIRE(portion.shards.size() == 4);
  std::map<std::string, std::size_t> shard_of;
  std::size_t samples = 0;
  for (std::size_t i = 0; i < portion.shards.size(); ++i) {
    REQUIRE(portion.shards[i].size() >= 1);
    for (const auto& request : portion.shards[i]) {
      REQUIRE(request.CountSamples() <= 100);
      samples += request.CountSamples();
      for (const auto& part : request.series) {
        REQUIRE(shard_of.try_emplace(part.labels.ToString(), i).first->second == i);
      }
    }
  }
  REQUIRE(samples == 1000);
  // Always in the same way.
  Labelling other({}, {});
  REQUIRE(Render(Divide(entries, options, 0, other)) == Render(portion));
  REQUIRE(Divide(std::span(entries).first(5), options, 0, other).shards.size() == 1);
}

TEST_CASE("samples over the age limit and dropped series are counted", "[remote_write]") {
  config::Diagnostics diagnostics("rules");
  const auto rules = config::ParseYaml(
      "- { source_labels: [__name__], regex: b, action: drop }\n"
      "- { source_labels: [site, __name__], target_label: from }\n",
      {}, diagnostics);
  Labelling labelling({{"site", "madrid"}, {"job", "external"}},
                      Relabeling::Read(rules, "rules", diagnostics));
  REQUIRE(diagnostics.ok());
  const std::vector<SeriesSink::Entry> entries{
      EntryOf("a", 10, 1), EntryOf("a", 90, 1), EntryOf("b", 90, 1), {kUp, {95, 1}}};
  const auto portion = Divide(entries, {}, 50, labelling);
  REQUIRE(portion.too_old == 1);
  REQUIRE(portion.relabelled == 1);
  REQUIRE(Render(portion) ==
          "a{from=\"madrid;a\", job=\"external\", site=\"madrid\"}: 90; "
          "up{from=\"madrid;up\", job=\"api\", site=\"madrid\"}: 95; \n");
}

TEST_CASE("Retry-After is seconds or a date", "[remote_write]") {
  const Timestamp now = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  REQUIRE(ParseRetryAfter("7", now) == 7s);
  REQUIRE(ParseRetryAfter("999999", now) == 1h);
  REQUIRE(ParseRetryAfter("Sun, 06 Nov 1994 08:49:57 GMT", now) == 20s);
  REQUIRE(ParseRetryAfter("Sun, 06 Nov 1994 08:49:17 GMT", now) == 0s);
  REQUIRE(ParseRetryAfter("", now) == 0s);
  REQUIRE(ParseRetryAfter("soon", now) == 0s);
  REQUIRE(ParseRetryAfter("-1", now) == 0s);
}

TEST_CASE("the position survives, and what is none is said to be", "[remote_write]") {
  vigia::test::TempDir dir;
  const auto path = dir.path() / "remote-write-x";
  REQUIRE(*LoadProgress(path) == Progress{});
  const Progress progress{{3, 1234}, {4, 20}};
  REQUIRE(SaveProgress(path, progress));
  REQUIRE(*LoadProgress(path) == progress);
  for (const char* text : {"", "remote-write 1 3:12", "remote-write 1 3:12 2:1 end\n", "x",
                           "remote-write 2 1:1 1:1 end\n"}) {
    dir.Write("remote-write-x", text);
    const auto loaded = LoadProgress(path);
    INFO(text);
    REQUIRE_FALSE(loaded);
    REQUIRE(loaded.error().code() == ErrorCode::kCorrupt);
  }
}

TEST_CASE("remote_write is read in Prometheus' format", "[remote_write][config]") {
  config::Diagnostics diagnostics("vigia.yml");
  const auto endpoints = Read(R"(
- url: http://127.0.0.1:9090/api/v1/write
- name: mimir
  url: https://mimir.example/api/v1/push
  remote_timeout: 10s
  headers: { X-Scope-OrgID: team }
  basic_auth: { username: vigia, password_file: /run/secrets/mimir }
  tls_config: { ca_file: /etc/ssl/mimir.pem, server_name: mimir }
  write_relabel_configs:
    - { source_labels: [__name__], regex: "node_.*", action: keep }
  send_exemplars: false
  queue_config:
    capacity: 5000
    max_shards: 8
    min_shards: 2
    max_samples_per_send: 500
    batch_send_deadline: 2s
    min_backoff: 100ms
    max_backoff: 1m
    sample_age_limit: 6h
    retry_on_http_429: true
  metadata_config: { send: true, send_interval: 5m, max_samples_per_send: 100 }
- name: tokens
  url: http://h/w
  oauth2: { client_id: vigia, client_secret_file: /run/secrets/oauth, token_url: "http://h/token", scopes: [write], proxy_url: "http://p:3128" }
  proxy_url: http://p:8080
  no_proxy: 10.0.0.0/8,localhost
  proxy_connect_header: { X-Team: [blue] }
- name: environment
  url: http://h/e
  proxy_from_environment: true
)",
                              diagnostics);
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  REQUIRE(endpoints.size() == 4);
  REQUIRE(endpoints[0].name.size() == 6);
  REQUIRE(endpoints[0].timeout == 30s);
  REQUIRE(endpoints[0].queue.max_samples_per_send == 2000);
  REQUIRE(endpoints[0].metadata.send);
  const auto& mimir = endpoints[1];
  REQUIRE(mimir.name == "mimir");
  REQUIRE(mimir.timeout == 10s);
  REQUIRE(mimir.headers == HttpFields{{"X-Scope-OrgID", "team"}});
  REQUIRE(mimir.http.auth.username == "vigia");
  REQUIRE(mimir.http.tls.server_name == "mimir");
  REQUIRE_FALSE(mimir.relabeling.empty());
  REQUIRE(mimir.queue.capacity == 5000);
  REQUIRE(mimir.queue.max_shards == 8);
  REQUIRE(mimir.queue.sample_age_limit == 6h);
  REQUIRE(mimir.queue.max_backoff == 1min);
  REQUIRE(mimir.metadata.max_samples_per_send == 100);
  REQUIRE(endpoints[2].oauth2.client_id == "vigia");
  REQUIRE(endpoints[2].oauth2.proxy.url == "http://p:3128");
  REQUIRE(endpoints[2].http.proxy.url == "http://p:8080");
  REQUIRE(endpoints[2].http.proxy.no_proxy == "10.0.0.0/8,localhost");
  REQUIRE(endpoints[2].http.proxy.connect_headers == HttpFields{{"X-Team", "blue"}});
  REQUIRE(endpoints[3].http.proxy.from_environment);
  REQUIRE(endpoints[0].http.proxy.url.empty());
}

TEST_CASE("what is wrong in remote_write is named with its place", "[remote_write][config]") {
  REQUIRE(Faults("url: x").find("vigia.yml:1:1: remote_write: expected a list") == 0);
  REQUIRE(Faults("- {}").find("url") != std::string::npos);
  REQUIRE(Faults("- { url: 'ftp://h/' }").find("not a URL of http or https") != std::string::npos);
  REQUIRE(Faults("- { url: 'http://u:p@h/' }").find("basic_auth") != std::string::npos);
  REQUIRE(Faults("- { url: 'http://h/', queue_config: { shards: 3 } }")
              .find("unknown key 'shards' in remote_write.queue_config") != std::string::npos);
  REQUIRE(Faults("- { url: 'http://h/', queue_config: { min_shards: 9, max_shards: 3 } }")
              .find("is more than max_shards") != std::string::npos);
  REQUIRE(Faults("- { url: 'http://h/', send_exemplars: true }").find("there are none") !=
          std::string::npos);
  REQUIRE(Faults("- { url: 'http://h/', no_proxy: h }").find("means nothing without proxy_url") !=
          std::string::npos);
  REQUIRE(Faults("- { url: 'http://h/', proxy_from_environment: true, proxy_url: 'http://p/' }")
              .find("does not go together with proxy_url") != std::string::npos);
  REQUIRE(Faults("- { name: a, url: 'http://h/' }\n- { name: a, url: 'http://i/' }")
              .find("'a' is the name of another endpoint") != std::string::npos);
}

}  // namespace vigia::remote_write
