// What Grafana's Prometheus data source calls, with the parameters that it sends, in the order in
// which adding the data source, a dashboard and the editor bring them.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/stand.h"

using namespace vigia;
using namespace vigia::test;
using nlohmann::json;

namespace {

// The data of a successful answer.
json Data(const ApiAnswer& answer) {
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  const auto envelope = json::parse(answer.body);
  REQUIRE(envelope.at("status") == "success");
  return envelope.at("data");
}

}  // namespace

TEST_CASE("Grafana's data source finds all that it asks for", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const std::string range = "start=1699999400&end=1700000000";

  SECTION("the health check and the flavour") {
    const auto health = Data(stand.PostForm("/api/v1/query", "query=1%2B1&time=4"));
    REQUIRE(health.at("resultType") == "scalar");
    REQUIRE(health.at("result") == json::array({4, "2"}));
    const auto build = Data(stand.Get("/api/v1/status/buildinfo"));
    REQUIRE(build.at("version").is_string());
    REQUIRE_FALSE(build.contains("features"));
    // Millisecond times: beyond any data, yet no error.
    REQUIRE(Data(stand.Get("/api/v1/query_exemplars?query=test&start=1699999400000&end="
                           "1700000000000"))
                .empty());
  }
  SECTION("panels") {
    const auto panel =
        Data(stand.PostForm("/api/v1/query_range", "query=up&" + range + "&step=15&timeout=30s"));
    REQUIRE(panel.at("resultType") == "matrix");
    REQUIRE(panel.at("result").size() == 2);
    for (const auto& series : panel.at("result")) {
      REQUIRE(series.at("metric").at("__name__") == "up");
      for (const auto& point : series.at("values")) {
        REQUIRE(point.at(0).is_number());
        REQUIRE(point.at(1).is_string());
      }
    }
    const auto stat = Data(stand.PostForm("/api/v1/query", "query=up&time=1700000000&timeout=30s"));
    REQUIRE(stat.at("resultType") == "vector");
    REQUIRE(stat.at("result").at(0).at("value").size() == 2);
  }
  SECTION("variables") {
    REQUIRE(Data(stand.PostForm("/api/v1/labels", range + "&limit=40000")) ==
            json::array({"__name__", "job"}));
    REQUIRE(Data(stand.Get("/api/v1/label/job/values?" + range + "&limit=40000&match[]=up")) ==
            json::array({"a", "b"}));
    REQUIRE(Data(stand.Get("/api/v1/label/__name__/values?" + range)) == json::array({"up"}));
    const auto series =
        Data(stand.PostForm("/api/v1/series", "match[]={__name__!=\"\"}&limit=40000&" + range));
    REQUIRE(series.size() == 2);
    REQUIRE(series.at(0) == json({{"__name__", "up"}, {"job", "a"}}));
  }
  SECTION("the editor") {
    REQUIRE(Data(stand.Get("/api/v1/metadata?limit=10")).is_object());
    REQUIRE(Data(stand.PostForm("/api/v1/format_query", "query=sum( up )")) == "sum(up)");
    REQUIRE(Data(stand.PostForm("/api/v1/parse_query", "query=up")).at("type") == "vectorSelector");
  }
}
