// The collector-file format: what loads, and what is wrong with what does not.

#include <catch2/catch.hpp>

#include "collectors/kpi/answer.h"
#include "collectors/kpi/definition.h"
#include "collectors/kpi/files.h"
#include "core/config/yaml.h"
#include "tests/kpi/entry.h"

using namespace vigia;
using namespace vigia::test;
using namespace vigia::collectors::kpi;

namespace {

Definition Load(const std::string& text, std::string& faults, const Parameters& parameters = {}) {
  config::Diagnostics diagnostics("shop.yml");
  const auto node = config::ParseYaml(text, {}, diagnostics);
  Definition definition;
  ReadCollectorFile(node, parameters, diagnostics, definition);
  faults = diagnostics.ToString();
  return definition;
}

std::string Faults(const std::string& text, const Parameters& parameters = {}) {
  std::string faults;
  Load(text, faults, parameters);
  return faults;
}

// With every key of the format.
constexpr const char* kFile = R"yml(# a comment
collector_name: shop
min_interval: 1m30s
metrics:
  - metric_name: shop_orders_total
    type: counter
    help: 'Orders so far, by state.'
    key_labels:
      - state
      - "country"
    static_labels:
      env: dev
      shard: 7
    values: [orders]
    timestamp_value: counted_at
    query: |
      SELECT state, country, count(*) AS orders, max(at) AS counted_at
      FROM orders
      	WHERE note <> '{{1,2},{3,4}}' GROUP BY 1, 2;
  - metric_name: shop_stock
    type: Gauge
    help: Stock.
    value_label: place
    values:
      - shelf
      - depot
    query_ref: stock
  - metric_name: shop_stock_all
    type: gauge
    help: All stock.
    values: [all]
    query_ref: stock
  - metric_name: shop_version
    type: gauge
    help: The version.
    key_labels: [version]
    static_value: 1
    no_prepared_statement: true
    query: "SELECT version()"
queries:
  - query_name: stock
    no_prepared_statement: true
    query: |
      SELECT 1 AS shelf, 2 AS depot, 3 AS all
  - query_name: nobody_asks
    query: SELECT 1
)yml";

constexpr const char* kHead = "collector_name: shop\nmetrics:\n";

}  // namespace

TEST_CASE("a collector file of sql_exporter loads unchanged", "[kpi]") {
  std::string faults;
  const auto shop = Load(kFile, faults);

  REQUIRE(faults.empty());
  REQUIRE(shop.queries.size() == 3);
  const auto& orders = shop.queries[0];
  CHECK(orders.collector == "shop");
  CHECK(orders.name == "shop_orders_total");
  CHECK(orders.interval == 90s);
  CHECK(orders.place == "shop.yml:16:12");
  CHECK(orders.sql.find("'{{1,2},{3,4}}'") != std::string::npos);
  REQUIRE(orders.mappings.size() == 1);
  const auto& mapping = orders.mappings[0];
  CHECK(mapping.metric->name == "shop_orders_total");
  CHECK(mapping.metric->help == "Orders so far, by state.");
  CHECK(mapping.metric->type == MetricType::kCounter);
  CHECK(mapping.key_labels == std::vector<std::string>{"state", "country"});
  CHECK(mapping.static_labels ==
        std::vector<std::pair<std::string, std::string>>{{"env", "dev"}, {"shard", "7"}});
  CHECK(mapping.values == std::vector<std::string>{"orders"});
  CHECK(mapping.timestamp_value == "counted_at");

  const auto& stock = shop.queries[1];
  CHECK(stock.name == "stock");
  REQUIRE(stock.mappings.size() == 2);
  CHECK(stock.mappings[0].value_label == "place");
  CHECK(stock.mappings[0].metric->type == MetricType::kGauge);
  CHECK(stock.mappings[1].metric->name == "shop_stock_all");

  CHECK(shop.queries[2].mappings[0].static_value == 1);
}

TEST_CASE("a min_interval of zero leaves the interval to the entry", "[kpi]") {
  std::string file = kFile;
  file.replace(file.find("1m30s"), 5, "0s");
  std::string faults;
  const auto shop = Load(file, faults);
  REQUIRE(faults.empty());
  CHECK(shop.queries[0].interval == 0s);
}

TEST_CASE("a collector file that lacks something is told where", "[kpi]") {
  CHECK(Faults("metrics: []\n") ==
        "shop.yml:1:1: the collector file: the key 'collector_name' is missing: each file defines "
        "one collector, and that has a name\n"
        "shop.yml:1:10: metrics: a collector has at least one\n");
  CHECK(Faults("collector_name: shop\n").find("the key 'metrics' is missing") != std::string::npos);
  CHECK(Faults("- 1\n").starts_with("shop.yml:1:1: the collector file has to be a map"));

  const std::string bare = std::string(kHead) + "  - metric_name: a\n    query: SELECT 1\n";
  const auto faults = Faults(bare);
  CHECK(faults.find(
            "shop.yml:3:5: an item of metrics: the key 'type' is missing: gauge or counter") !=
        std::string::npos);
  CHECK(faults.find("the key 'help' is missing") != std::string::npos);
  CHECK(faults.find("the key 'values' is missing") != std::string::npos);
}

TEST_CASE("a collector file is read strictly", "[kpi]") {
  const auto metric = [](const std::string& lines) {
    return Faults(std::string(kHead) + "  - metric_name: a\n    type: gauge\n    help: h\n" +
                  lines);
  };
  CHECK(metric("    values: [x]\n    query: SELECT 1\n").empty());
  CHECK(
      metric("    values: [x]\n    query: SELECT 1\n    key_label: [y]\n") ==
      "shop.yml:8:5: unknown key 'key_label' in an item of metrics, did you mean 'key_labels'?\n");
  CHECK(metric("    values: [x, y]\n    query: SELECT 1\n") ==
        "shop.yml:6:5: values: several need a value_label, which tells their series apart\n");
  CHECK(metric("    values: [x]\n    static_value: 1\n    query: SELECT 1\n") ==
        "shop.yml:7:5: static_value: stands beside values; write one of the two\n");
  CHECK(metric("    values: [x]\n    query: SELECT 1\n    query_ref: q\n") ==
        "shop.yml:7:5: query: write either query or query_ref\n");
  CHECK(metric("    values: [x]\n    query_ref: q\n") ==
        "shop.yml:7:5: query_ref: there is no query 'q'\n");
  CHECK(metric("    values: [x]\n    query: SELECT 1\n    key_labels: [b, b]\n") ==
        "shop.yml:8:5: key_labels: 'b' is a label of this metric already\n");
  CHECK(metric("    values: [x]\n    query: SELECT 1\n    key_labels: [__b]\n") ==
        "shop.yml:8:5: key_labels: '__b' is not a label name\n");
  CHECK(metric("    values: [x]\n    query: ' '\n") == "shop.yml:7:5: query: must not be empty\n");
  CHECK(Faults(std::string(kHead) + "  - metric_name: a\n    type: histogram\n    help: h\n"
                                    "    values: [x]\n    query: SELECT 1\n") ==
        "shop.yml:4:5: type: 'histogram' is not gauge or counter\n");
  CHECK(Faults(std::string(kHead) + "  - metric_name: a-b\n    type: gauge\n    help: h\n"
                                    "    values: [x]\n    query: SELECT 1\n") ==
        "shop.yml:3:5: metric_name: 'a-b' is not a metric name\n");
  CHECK(Faults(std::string(kHead) + "  - metric_name: a\n    type: gauge\n    help: h\n"
                                    "    values: [x]\n    query_ref: stokc\n"
                                    "queries:\n  - query_name: stock\n    query: SELECT 1\n") ==
        "shop.yml:7:5: query_ref: there is no query 'stokc', did you mean 'stock'?\n");
}

TEST_CASE("parameters stand for names and texts in SQL and for nothing else", "[kpi]") {
  std::set<std::string> used;
  const Parameters parameters{{"users", "shop.Users"},
                              {"zone", "Europe/Madrid"},
                              {"odd", "a'b"},
                              {"dotted", "\"a.b\".c"},
                              {"bad", "users; DROP TABLE users"}};
  const auto substituted = [&](const std::string& sql) {
    const auto result = Substitute(sql, parameters, used);
    return result ? *result : "error: " + result.error().message();
  };

  CHECK(substituted("SELECT 1 FROM {{users}} u WHERE u.{{users}} = '{{zone}}'") ==
        "SELECT 1 FROM \"shop\".\"Users\" u WHERE u.\"shop\".\"Users\" = 'Europe/Madrid'");
  CHECK(substituted("{{dotted}}") == "\"a.b\".\"c\"");
  CHECK(substituted("'{{odd}}'") == "'a''b'");
  CHECK(substituted("'{{1,2},{3,4}}' {{{users}}}") == "'{{1,2},{3,4}}' {\"shop\".\"Users\"}");
  CHECK(substituted("{{") == "{{");
  CHECK(substituted("{{odd}}") == "error: {{odd}}: 'a'b' is not the name of a table or column");
  CHECK(substituted("{{bad}}") ==
        "error: {{bad}}: 'users; DROP TABLE users' is not the name of a table or column");
  CHECK(substituted("{{user}}") == "error: {{user}} is not a parameter, did you mean {{users}}?");
  CHECK(used == std::set<std::string>{"dotted", "odd", "users", "zone"});
  for (const char* name : {"", ".", "a.", ".a", "a..b", "a.b.c.d", "\"", "a\"b", "a b", "a-b"}) {
    CHECK_FALSE(QuoteIdentifier(name));
  }
}

TEST_CASE("parameters of the entry go before those of the file", "[kpi]") {
  const std::string file =
      "collector_name: shop\nparameters: { orders: orders, state: state }\nmetrics:\n"
      "  - metric_name: a\n    type: gauge\n    help: h\n    values: [n]\n"
      "    query: SELECT count({{state}}) AS n FROM {{orders}}\n";
  std::string faults;
  const auto shop = Load(file, faults, {{"orders", "shop_order"}});
  REQUIRE(faults.empty());
  CHECK(shop.queries[0].sql == "SELECT count(\"state\") AS n FROM \"shop_order\"");

  const Entry wrong({{"shop.yml", file}}, "file: shop.yml, parameters: {order: x, orders: 'a b'}");
  CHECK(wrong.faults().find("shop.yml:8:5: query: {{orders}}: 'a b' is not the name of a table or "
                            "column") != std::string::npos);
  CHECK(wrong.faults().find("no query has a parameter 'order'") != std::string::npos);
}

TEST_CASE("an entry names files by path or pattern and packs by name", "[kpi]") {
  const auto file = [](const std::string& name) {
    return "collector_name: " + name + "\nmetrics:\n  - metric_name: " + name +
           "_x\n    type: gauge\n    help: h\n    values: [n]\n    query: SELECT 1 AS n\n";
  };
  const std::map<std::string, std::string> files{{"kpi/a.yml", file("a")},
                                                 {"kpi/b.yml", file("b")}};

  const Entry both(files, "file: 'kpi/*.yml'");
  CHECK(both.faults().empty());
  REQUIRE(both.instances().size() == 3);
  CHECK(both.instances()[0].id.collector == "kpi");
  CHECK(both.instances()[1].id.collector == "kpi.a.a_x");
  CHECK(both.instances()[2].id.collector == "kpi.b.b_x");
  CHECK(both.instances()[1].worker != both.instances()[0].worker);
  CHECK(both.instances()[1].worker == both.instances()[2].worker);

  CHECK(Entry(files, "file: [kpi/a.yml, django]").instances().size() > 9);
  CHECK(Entry(files, "file: [django], exclude: ['*']").instances().size() == 1);
  CHECK(Entry(files, "file: kpi/c.yml").faults().find("no file fits 'kpi/c.yml'") !=
        std::string::npos);
  CHECK(Entry(files, "file: djanog").faults().find("there is no bundled pack 'djanog'") !=
        std::string::npos);
  CHECK(Entry(files, "file: [kpi/a.yml, kpi/a.yml]")
            .faults()
            .find("kpi/a.yml:1:1: collector_name: 'a' is defined in another file too") !=
        std::string::npos);
  CHECK(Entry(files, "interval: 1m").faults().find("the key 'file' is missing") !=
        std::string::npos);
  CHECK(Entry(files, "file: kpi/a.yml, exclude: [a_y]")
            .faults()
            .find("there is no query 'a_y', did you mean 'a_x'?") != std::string::npos);
  CHECK(Entry(files, "file: kpi/a.yml, max_age: 1m").faults().find("shorter than the interval") !=
        std::string::npos);
  CHECK(Entry(files, "file: kpi/a.yml, intervall: 1m").faults().find("did you mean 'interval'?") !=
        std::string::npos);
}

TEST_CASE("a changed collector file gives other instances at a reload", "[kpi]") {
  const auto fingerprint = [](const std::string& help) {
    const Entry entry({{"a.yml",
                        "collector_name: a\nmetrics:\n  - metric_name: x\n    type: gauge\n"
                        "    help: " +
                            help + "\n    values: [n]\n    query: SELECT 1\n"}},
                      "file: a.yml");
    return entry.instances().at(0).fingerprint;
  };
  CHECK(fingerprint("one") == fingerprint("one"));
  CHECK(fingerprint("one") != fingerprint("two"));
}

TEST_CASE("timestamps of PostgreSQL are read to the millisecond", "[kpi]") {
  CHECK(*ParseTimestamp("2026-11-23 20:15:00.123456+00") == 1'795'464'900'123);
  CHECK(*ParseTimestamp("2026-11-23 20:15:00+05:30") == 1'795'445'100'000);
  CHECK(*ParseTimestamp("2026-11-23 20:15:00-03") == 1'795'475'700'000);
  CHECK(*ParseTimestamp("2026-11-23 20:15:00") == 1'795'464'900'000);
  CHECK(*ParseTimestamp("2026-11-23") == 1'795'392'000'000);
  CHECK(*ParseTimestamp("1969-12-31 23:59:59.5+00") == -500);
  for (const char* wrong : {"", "infinity", "2026-13-01", "2026-02-30", "20261123",
                            "2026-11-23 20:15", "2026-11-23T20:15:00Z", "2026-11-23 20:15:00+",
                            "2026-11-23 20:15:00+00x", "0044-03-15 BC", "-026-11-23"}) {
    CHECK_FALSE(ParseTimestamp(wrong));
  }
}
