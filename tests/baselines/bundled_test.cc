// The expressions of the bundled baselines give what they are meant to.

#include <catch2/catch.hpp>
#include <map>

#include "core/config/diagnostics.h"
#include "exporter/config/baselines.h"
#include "exporter/config/config.h"
#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

using namespace vigia;

namespace {

const promql::Engine kEngine{promql::EngineOptions{}};
constexpr Timestamp kMinute = 60'000;

// What the bundled baseline gives two hours after the epoch, by the text of the labels.
std::map<std::string, double> Given(const promql::MemorySource& source, const std::string& name) {
  config::Diagnostics diagnostics("vigia.yml");
  const auto config = exporter::ParseConfig("baselines: [ bundled ]", "/", {}, diagnostics);
  REQUIRE(diagnostics.ToString() == "");
  std::map<std::string, double> out;
  for (const auto& definition : config.baselines->definitions) {
    if (definition.name != name) continue;
    const auto answer = kEngine.Instant(source, *definition.query, 120 * kMinute);
    REQUIRE(answer);
    for (const auto& sample : std::get<promql::InstantVector>(answer->value)) {
      out[sample.labels.ToString()] = sample.value;
    }
  }
  return out;
}

// A counter that grows by so much a minute, for two hours.
void Count(promql::MemorySource& source, const Labels& labels, double per_minute) {
  for (int i = 0; i <= 120; ++i) source.Add(labels, i * kMinute, 100.0 + i * per_minute);
}

}  // namespace

TEST_CASE("the share of errors is that of an endpoint, and nought where there are none",
          "[baselines]") {
  promql::MemorySource source;
  const auto count = [&](const std::string& name, const std::string& path,
                         const std::string& status, double per_minute) {
    Count(source,
          Labels({{"__name__", name},
                  {name == "http_requests_total" ? "path" : "view", path},
                  {name == "http_requests_total" ? "code" : "status", status},
                  {"method", "GET"}}),
          per_minute);
  };
  for (const std::string name :
       {"http_requests_total", "django_http_responses_total_by_status_view_method_total"}) {
    count(name, "good", "200", 60);
    count(name, "bad", "200", 45);
    count(name, "bad", "404", 45);
    count(name, "bad", "500", 6);
    count(name, "bad", "503", 4);
    count(name, "rare", "500", 1);
  }
  const auto django = Given(source, "request_errors");
  REQUIRE(django.size() == 2);
  CHECK(django.at(R"({method="GET", view="good"})") == 0.0);
  CHECK(django.at(R"({method="GET", view="bad"})") == Approx(0.1));
  const auto generic = Given(source, "http_errors");
  REQUIRE(generic.size() == 2);
  CHECK(generic.at(R"({method="GET", path="good"})") == 0.0);
  CHECK(generic.at(R"({method="GET", path="bad"})") == Approx(0.1));
}

TEST_CASE("growth is of each table that is worth it, and of each database", "[baselines]") {
  promql::MemorySource source;
  for (int i = 0; i <= 120; ++i) {
    const auto table = [&](const char* name, double size) {
      source.Add(Labels({{"__name__", "pg_stat_user_tables_table_size_bytes"},
                         {"datname", "app"},
                         {"relname", name},
                         {"schemaname", "public"}}),
                 i * kMinute, size);
    };
    table("orders", 5e7 + i * 60'000.0);
    table("small", 1e5 + i * 60'000.0);
    source.Add(Labels({{"__name__", "pg_database_size_bytes"}, {"datname", "app"}}), i * kMinute,
               1e9 + i * 120'000.0);
  }
  const auto tables = Given(source, "postgres_table_growth");
  REQUIRE(tables.size() == 1);
  CHECK(tables.at(R"({datname="app", relname="orders", schemaname="public"})") == Approx(1000.0));
  CHECK(Given(source, "postgres_growth").at(R"({datname="app"})") == Approx(2000.0));
}
