// KPI values in a Redis Stream and as line protocol, and what happens when those are away.

#include <catch2/catch.hpp>

#include "collectors/kpi/sink.h"
#include "tests/kpi/entry.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

using namespace vigia;
using namespace vigia::test;

namespace {

// n rows, each a series.
std::string Rows(int n) {
  return "collector_name: t\nmetrics:\n  - metric_name: shop_orders\n    type: gauge\n    help: h\n"
         "    key_labels: [state]\n    values: [n]\n    query: \"SELECT 's' || i AS state, i AS n "
         "FROM generate_series(1, " +
         std::to_string(n) + ") i ORDER BY i\"\n";
}

std::string Of(const std::string& metric, const std::string& sink) {
  return metric + "{sink=\"" + sink + "\"}";
}

std::string Dropped(const std::string& sink, const std::string& reason) {
  return "vigia_kpi_sink_dropped_total{sink=\"" + sink + "\",reason=\"" + reason + "\"}";
}

double Total(const Entry& entry, const std::string& sink, const std::string& reason) {
  auto value = entry[Dropped(sink, reason)];
  if (!value) {
    value = entry["vigia_kpi_sink_dropped_total{reason=\"" + reason + "\",sink=\"" + sink + "\"}"];
  }
  REQUIRE(value);
  return *value;
}

}  // namespace

TEST_CASE("kpi values are written to a redis stream of bounded length", "[kpi]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  const PostgresServer postgres;
  RedisServer redis;
  Entry entry({{"t.yml", Rows(3)}}, "file: t.yml, interval: 1m, dsn: '" + postgres.dsn() +
                                        "', redis_stream: { url: '" + redis.url() +
                                        "', stream: kpis, max_length: 5, batch: 2 }");
  REQUIRE(entry.faults() == "");
  REQUIRE(entry.Run());
  REQUIRE(redis.Cli({"XLEN", "kpis"}) == "3\n");
  const auto first = redis.Cli({"XRANGE", "kpis", "-", "+", "COUNT", "1"});
  REQUIRE(first.find("metric\nshop_orders\nvalue\n1\ntime\n" + std::to_string(entry.clock.Wall()) +
                     "\nlabels\n{\"state\":\"s1\"}\n") != std::string::npos);
  REQUIRE(entry[Of("vigia_kpi_sink_written_total", "redis_stream")] == 3);
  entry.clock.Advance(60s);
  REQUIRE(entry.Run());
  REQUIRE(redis.Cli({"XLEN", "kpis"}) == "5\n");

  // READONLY for a while: nothing is lost, and nothing is written twice.
  redis.Cli({"REPLICAOF", "127.0.0.1", "1"});
  entry.clock.Advance(60s);
  REQUIRE(entry.Run());
  REQUIRE(entry.withdrawn().at("kpi.redis_stream").find("READONLY") != std::string::npos);
  REQUIRE(entry[Of("vigia_kpi_sink_queue_length", "redis_stream")] == 3);
  REQUIRE(entry["shop_orders{state=\"s3\"}"] == 3);
  redis.Cli({"REPLICAOF", "NO", "ONE"});
  entry.Show();
  REQUIRE(entry[Of("vigia_kpi_sink_queue_length", "redis_stream")] == 0);
  REQUIRE(entry[Of("vigia_kpi_sink_written_total", "redis_stream")] == 9);

  // A restart closes the connection, which the next use finds out and mends.
  redis.Stop();
  redis.Start();
  entry.clock.Advance(60s);
  REQUIRE(entry.Run());
  REQUIRE(entry[Of("vigia_kpi_sink_written_total", "redis_stream")] == 12);
}

TEST_CASE("kpi values are posted as line protocol", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  const PostgresServer postgres;
  HttpStub influx;
  influx.Answer("/write", {.status = 204});
  Entry entry({{"t.yml", Rows(3)}}, "file: t.yml, interval: 1m, dsn: '" + postgres.dsn() +
                                        "', influx: { url: '" + influx.Url("/write") +
                                        "', batch: 2 }");
  REQUIRE(entry.faults() == "");
  const auto nanoseconds = std::to_string(entry.clock.Wall()) + "000000\n";
  REQUIRE(entry.Run());
  const auto requests = influx.requests();
  REQUIRE(requests.size() == 2);
  REQUIRE(requests[0].method == "POST");
  REQUIRE(requests[0].body == "shop_orders,state=s1 value=1 " + nanoseconds +
                                  "shop_orders,state=s2 value=2 " + nanoseconds);
  REQUIRE(requests[1].body == "shop_orders,state=s3 value=3 " + nanoseconds);
}

TEST_CASE("what a sink refuses is counted, what it cannot take now waits, bounded", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  const PostgresServer postgres;
  HttpStub influx;
  Entry entry({{"t.yml", Rows(4)}}, "file: t.yml, interval: 1m, dsn: '" + postgres.dsn() +
                                        "', influx: { url: '" + influx.Url("/write") +
                                        "', queue: 6 }");
  influx.Answer("/write", {.status = 503});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(entry.Run());
    entry.clock.Advance(60s);
  }
  // 12 were found, 6 fit.
  REQUIRE(entry.withdrawn().at("kpi.influx").find("503") != std::string::npos);
  REQUIRE(entry[Of("vigia_kpi_sink_queue_length", "influx")] == 6);
  REQUIRE(Total(entry, "influx", "queue_full") == 6);
  REQUIRE(entry["shop_orders{state=\"s4\"}"] == 4);  // the page has them all the same

  influx.Answer("/write", {.status = 204});
  entry.Show();
  REQUIRE(entry[Of("vigia_kpi_sink_written_total", "influx")] == 6);
  const auto body = influx.requests().back().body;
  REQUIRE(body.starts_with("shop_orders,state=s3 value=3 "));  // the oldest went

  influx.Answer("/write", {.status = 400});
  REQUIRE(entry.Run());
  REQUIRE(Total(entry, "influx", "rejected") == 4);
  REQUIRE(entry[Of("vigia_kpi_sink_queue_length", "influx")] == 0);
  REQUIRE(entry.withdrawn().empty());
}

TEST_CASE("line protocol escapes what would end a field", "[kpi]") {
  using collectors::kpi::InfluxLine;
  REQUIRE(InfluxLine({"a b,c", {{"k=1", "x, y=z"}, {"n", "two\nlines"}}, 1.5, 1700000000123}) ==
          "a\\ b\\,c,k\\=1=x\\,\\ y\\=z,n=two\\ lines value=1.5 1700000000123000000\n");
  REQUIRE(InfluxLine({"m", {{"path", "C:\\"}}, 1e21, 1}) == "m,path=C:\\\\  value=1e+21 1000000\n");
  REQUIRE(InfluxLine({"m", {}, kNaN, 1}) == "");
}

TEST_CASE("a sink's options are checked", "[kpi]") {
  const auto faults = [](const std::string& sink) {
    return Entry({{"t.yml", Rows(1)}}, "file: t.yml, " + sink).faults();
  };
  REQUIRE(faults("influx: { url: 'ftp://x/' }").find("not a URL of http or https") !=
          std::string::npos);
  REQUIRE(faults("influx: {}").find("'url' is missing") != std::string::npos);
  REQUIRE(faults("redis_stream: { url: 'http://x' }") != "");
  REQUIRE(faults("redis_stream: { max_lenght: 3 }").find("did you mean 'max_length'") !=
          std::string::npos);
}
