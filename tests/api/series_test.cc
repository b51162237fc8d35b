// series, labels, label values, metadata, language and status calls.

#include <catch2/catch.hpp>

#include "tests/api/stand.h"

using namespace vigia;
using namespace vigia::test;

namespace {

std::string Success(std::string_view data) {
  return R"({"status":"success","data":)" + std::string(data) + "}";
}

}  // namespace

TEST_CASE("series, labels and values are selected by match[]", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  stand.Append({{"__name__", "down"}, {"zone", "z"}}, ApiStand::kNow, 1);
  REQUIRE(stand.Get("/api/v1/series?match[]=up{job=%22a%22}").body ==
          Success(R"([{"__name__":"up","job":"a"}])"));
  REQUIRE(stand.PostForm("/api/v1/series", "match[]=up&match[]=down&match[]=up").body ==
          Success(R"([{"__name__":"down","zone":"z"},{"__name__":"up","job":"a"},)"
                  R"({"__name__":"up","job":"b"}])"));
  REQUIRE(stand.Get("/api/v1/series").status == 400);
  REQUIRE(stand.Get("/api/v1/series?match[]={}").status == 400);
  REQUIRE(stand.Get("/api/v1/labels").body == Success(R"(["__name__","job","zone"])"));
  REQUIRE(stand.PostForm("/api/v1/labels", "match[]=up").body == Success(R"(["__name__","job"])"));
  REQUIRE(stand.Get("/api/v1/label/job/values").body == Success(R"(["a","b"])"));
  REQUIRE(stand.Get("/api/v1/label/__name__/values?match[]={zone=%22z%22}").body ==
          Success(R"(["down"])"));
  REQUIRE(stand.Get("/api/v1/label/job/values?limit=1").body ==
          R"({"status":"success","data":["a"],"warnings":["results truncated due to limit"]})");
  REQUIRE(stand.Get("/api/v1/label/none/values").body == Success("[]"));
}

TEST_CASE("names of labels are those of the language", "[api]") {
  const ApiStand newer;
  REQUIRE(newer.Get("/api/v1/label/bad-name/values").status == 200);
  const ApiStand older({.engine = {.semantics = promql::Semantics::kPrometheus2}});
  const auto refused = older.Get("/api/v1/label/bad-name/values");
  REQUIRE(refused.status == 400);
  REQUIRE(
      refused.body ==
      R"({"status":"error","errorType":"bad_data","error":"invalid label name: \"bad-name\""})");
}

TEST_CASE("a name that does not fit into a path comes in Prometheus' value encoding", "[api]") {
  ApiStand stand;
  stand.Append({{"__name__", "x"}, {"http.status_code", "200"}}, ApiStand::kNow, 1);
  stand.Append({{"__name__", "x"}, {"a/\xC3\xA4", "y"}}, ApiStand::kNow, 1);
  stand.Append({{"__name__", "x"}, {"job", "decoded"}}, ApiStand::kNow, 1);
  stand.Append({{"__name__", "x"}, {"U__job_", "z"}}, ApiStand::kNow, 1);
  const auto values = [&](const std::string& name) {
    return stand.Get("/api/v1/label/" + name + "/values").body;
  };
  CHECK(values("U__http_2e_status__code") == Success(R"(["200"])"));
  CHECK(values("U__a_2f__E4_") == Success(R"(["y"])"));
  CHECK(values("U__job") == Success(R"(["decoded"])"));
  // No encoding: the name itself. What is no digit, surrogates and more than five digits stand for
  // no character.
  CHECK(values("U__job_") == Success(R"(["z"])"));
  for (const std::string name : {"U__job_zz_", "U___-0_", "U__d800_", "U__x_d800_", "U__x_dfff_",
                                 "U__x_110000_", "U__x_00002e_"}) {
    stand.Append({{"__name__", "x"}, {name, "itself"}}, ApiStand::kNow, 1);
    INFO(name);
    CHECK(values(name) == Success(R"(["itself"])"));
  }
}

TEST_CASE("clients send the first and the last time there is for always", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  for (const auto* range : {"start=-9223309901257974&end=9223309901257974",
                            "start=-292273086-05-16T16:47:06Z"
                            "&end=292277025-08-18T07:12:54.999999999Z"}) {
    CHECK(stand.Get(std::string("/api/v1/label/job/values?") + range).body ==
          Success(R"(["a","b"])"));
    CHECK(stand.Get(std::string("/api/v1/series?match[]=up{job=%22a%22}&") + range).body ==
          Success(R"([{"__name__":"up","job":"a"}])"));
  }
  CHECK(stand.Get("/api/v1/labels?start=1e16").status == 400);
  CHECK(stand.Get("/api/v1/labels?start=NaN").status == 400);
}

TEST_CASE("a time range leaves out series without samples in it", "[api]") {
  ApiStand stand;
  stand.Append({{"__name__", "old"}}, ApiStand::kNow - 7'200'000, 1);
  stand.AppendUp();
  REQUIRE(stand.Get("/api/v1/series?match[]={__name__=~%22.%2B%22}&start=1699996400").body ==
          Success(R"([{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}])"));
  REQUIRE(stand.Get("/api/v1/label/__name__/values?end=1699996400").body == Success(R"(["old"])"));
  const std::string reversed = "start=1700000000&end=1699990000";
  REQUIRE(stand.Get("/api/v1/series?match[]=up&" + reversed).body == Success("[]"));
  REQUIRE(stand.Get("/api/v1/labels?" + reversed).body == Success("[]"));
}

TEST_CASE("queries are formatted and taken apart", "[api]") {
  const ApiStand stand;
  REQUIRE(stand.Get("/api/v1/format_query?query=sum(rate(a[5m]))by(b)").body ==
          Success(R"j("sum by (b) (rate(a[5m]))")j"));
  REQUIRE(stand.Get("/api/v1/parse_query?query=-a").body ==
          Success(R"({"type":"unaryExpr","op":"-","expr":{"type":"vectorSelector","name":"a",)"
                  R"("matchers":[{"name":"__name__","value":"a","type":"="}],"offset":0,)"
                  R"("timestamp":null,"startOrEnd":null}})"));
  REQUIRE(stand.Get("/api/v1/format_query?query=(").status == 400);
}

TEST_CASE("exemplars are empty, and bad questions for them refused", "[api]") {
  const ApiStand stand;
  const std::string range = "&start=1700000000&end=1700000060";
  REQUIRE(stand.Get("/api/v1/query_exemplars?query=up" + range).body == Success("[]"));
  REQUIRE(stand.Get("/api/v1/query_exemplars?query=up(" + range).status == 400);
  REQUIRE(stand.Get("/api/v1/query_exemplars?query=up&start=2&end=1").status == 400);
}

TEST_CASE("status calls have Prometheus' shapes", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  REQUIRE(stand.Get("/api/v1/status/buildinfo").body.find(R"("version":"3.)") != std::string::npos);
  REQUIRE(stand.Get("/api/v1/status/runtimeinfo").body.find(R"("storageRetention":"1d")") !=
          std::string::npos);
  REQUIRE(stand.Get("/api/v1/status/flags").body.find(R"("query.lookback-delta":"5m")") !=
          std::string::npos);
  REQUIRE(stand.Get("/api/v1/status/config").body == Success(R"({"yaml":""})"));
  REQUIRE(stand.Get("/api/v1/status/tsdb")
              .body.find(R"("seriesCountByMetricName":[{"name":"up","value":2}])") !=
          std::string::npos);
  const auto tsdb = stand.Get("/api/v1/status/tsdb").body;
  for (const auto* part :
       {R"("numSeries":2,"numLabelPairs":3,)",
        R"("labelValueCountByLabelName":[{"name":"job","value":2},{"name":"__name__","value":1}])",
        R"("memoryInBytesByLabelName":[{"name":"__name__","value":2},{"name":"job","value":2}])",
        R"("seriesCountByLabelValuePair":[{"name":"__name__=up","value":2},)"
        R"({"name":"job=a","value":1},{"name":"job=b","value":1}])"}) {
    INFO(tsdb);
    CHECK(tsdb.find(part) != std::string::npos);
  }
  REQUIRE(stand.Get("/api/v1/targets").body ==
          Success(R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})"));
}
