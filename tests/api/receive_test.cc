// Remote write and import: what is taken, what is refused, and that it stays.

#include <snappy.h>

#include <catch2/catch.hpp>

#include "exporter/api/write_request.h"
#include "tests/api/message.h"
#include "tests/api/stand.h"

using namespace vigia;
using namespace vigia::test;

namespace {

constexpr auto kNow = ApiStand::kNow;

ApiAnswer Post(const ApiStand& stand, std::string path, std::string body,
               http::Headers headers = {}) {
  http::Request request;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::move(body);
  request.headers = std::move(headers);
  return stand.Send(std::move(request));
}

ApiAnswer Write(const ApiStand& stand, const Message& message) {
  return Post(stand, "/api/v1/write", message.Packed(),
              {{"content-encoding", "snappy"}, {"content-type", "application/x-protobuf"}});
}

std::string Query(const ApiStand& stand, const std::string& query) {
  const auto body = stand.PostForm("/api/v1/query", "query=" + query).body;
  const auto at = body.find("\"result\":");
  return body.substr(at + 9, body.rfind("}}") - at - 9);
}

}  // namespace

TEST_CASE("remote write is refused until it is switched on", "[api]") {
  ApiStand stand;
  const Message message;
  REQUIRE(Write(stand, message).status == 404);
  stand.receiver().Enable(true);
  REQUIRE(Write(stand, message).status == 204);
}

TEST_CASE("what a writer was told is stored survives a kill", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  Message message;
  message.Series({{"__name__", "m"}, {"a", "1"}}, {{kNow - 30'000, 1}, {kNow - 15'000, 2}})
      .Series({{"__name__", "m"}, {"a", "2"}}, {{kNow, 0.1}});
  const auto answer = Write(stand, message);
  REQUIRE(answer.status == 204);
  REQUIRE(answer.body.empty());
  REQUIRE(stand.AfterKill("m", kNow) ==
          R"({"resultType":"vector","result":[{"metric":{"__name__":"m","a":"1"},)"
          R"("value":[1700000000,"2"]},{"metric":{"__name__":"m","a":"2"},)"
          R"("value":[1700000000,"0.1"]}]})");
  // Sent again, as after a lost answer.
  REQUIRE(Write(stand, message).status == 204);
}

TEST_CASE("stale markers end a series", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  REQUIRE(Write(stand, Message().Series({{"__name__", "m"}}, {{kNow - 30'000, 1}})).status == 204);
  REQUIRE(Query(stand, "m") == R"([{"metric":{"__name__":"m"},"value":[1700000000,"1"]}])");
  REQUIRE(Write(stand, Message().Series({{"__name__", "m"}}, {{kNow, GoneMarker()}})).status ==
          204);
  REQUIRE(Query(stand, "m") == "[]");
}

TEST_CASE("a series that cannot be is refused, the others are stored", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  const auto refused = [&](std::vector<std::pair<std::string, std::string>> labels) {
    return Write(stand, Message()
                            .Series(std::move(labels), {{kNow, 1}})
                            .Series({{"__name__", "good"}}, {{kNow, 1}}));
  };
  const auto nameless = refused({{"a", "b"}});
  REQUIRE(nameless.status == 400);
  REQUIRE(nameless.body == "1 samples refused: no metric name in the series {a=\"b\"}\n");
  REQUIRE(refused({{"__name__", "m"}, {"a", "1"}, {"a", "2"}}).body.find("stands twice") !=
          std::string::npos);
  REQUIRE(refused({{"__name__", "m"}, {"a", "\xff"}}).body.find("not UTF-8") != std::string::npos);
  REQUIRE(refused({{"__name__", "m"}, {"", "x"}}).body.find("without a name") != std::string::npos);
  REQUIRE(refused({{"__name__", "m"}, {"a", std::string(70'000, 'x')}}).body.find("64 KiB") !=
          std::string::npos);
  REQUIRE(Query(stand, "{__name__=~\".%2B\"}") ==
          R"([{"metric":{"__name__":"good"},"value":[1700000000,"1"]}])");
}

TEST_CASE("labels in any order, and empty ones, make the same series", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  REQUIRE(Write(stand, Message()
                           .Series({{"b", "2"}, {"__name__", "m"}, {"a", ""}}, {{kNow - 1000, 1}})
                           .Series({{"__name__", "m"}, {"b", "2"}}, {{kNow, 2}}))
              .status == 204);
  REQUIRE(Query(stand, "count_over_time(m[1m])") ==
          R"([{"metric":{"b":"2"},"value":[1700000000,"2"]}])");
}

TEST_CASE("samples are read in whatever way their fields are put", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  const auto field = [](char tag, const std::string& bytes) {
    return std::string{tag, static_cast<char>(bytes.size())} + bytes;
  };
  const auto number = [](std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    return bytes + static_cast<char>(value);
  };
  const std::string one("\x09\0\0\0\0\0\0\xF0\x3F", 9);  // value 1.0
  const auto time = [&](Timestamp at) { return "\x10" + number(static_cast<std::uint64_t>(at)); };
  const std::vector<std::string> samples{
      one + time(kNow - 9000),                            // the usual way
      time(kNow - 8000) + one,                            // the other way round
      one + time(kNow - 7000) + std::string("\x18\x05"),  // with a field more
      time(kNow - 6500) + one + time(kNow - 6000),        // a field twice: the last one counts
  };
  std::string series = field(0x0A, field(0x0A, "__name__") + field(0x12, "m"));
  for (const auto& sample : samples) series += field(0x12, sample);
  std::string packed;
  const auto request = field(0x0A, series);
  snappy::Compress(request.data(), request.size(), &packed);
  REQUIRE(Post(stand, "/api/v1/write", packed).status == 204);
  CHECK(Query(stand, "m[10s]") ==
        R"([{"metric":{"__name__":"m"},"values":[[1699999991,"1"],[1699999992,"1"],)"
        R"([1699999993,"1"],[1699999994,"1"]]}])");
  // Ends within the number.
  const auto cut = field(0x0A, field(0x0A, field(0x0A, "__name__") + field(0x12, "m")) +
                                   field(0x12, one + "\x10\x80"));
  snappy::Compress(cut.data(), cut.size(), &packed);
  CHECK(Post(stand, "/api/v1/write", packed).status == 400);
}

TEST_CASE("samples that the history cannot take are told to the writer", "[api]") {
  ApiStand stand({.max_series = 1});
  stand.receiver().Enable(true);
  REQUIRE(Write(stand, Message().Series({{"__name__", "m"}}, {{kNow, 1}})).status == 204);
  const auto conflict = Write(stand, Message().Series({{"__name__", "m"}}, {{kNow, 2}}));
  REQUIRE(conflict.status == 400);
  REQUIRE(conflict.body.find("another value at a stored time") != std::string::npos);
  REQUIRE(Write(stand, Message().Series({{"__name__", "m"}}, {{kNow - 86'400'000, 2}})).status ==
          400);
  const auto full = Write(stand, Message().Series({{"__name__", "other"}}, {{kNow, 1}}));
  REQUIRE(full.status == 400);
  REQUIRE(full.body.find("history.max_series") != std::string::npos);
}

TEST_CASE("bodies that are no write request are refused", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  REQUIRE(Post(stand, "/api/v1/write", "").status == 400);
  REQUIRE(Post(stand, "/api/v1/write", "garbage").status == 400);
  std::string packed;
  const std::string nonsense = "\x0a\xff\xff\xff\xff\x0f no protobuf";
  snappy::Compress(nonsense.data(), nonsense.size(), &packed);
  REQUIRE(Post(stand, "/api/v1/write", packed).status == 400);
  // A name of metadata that is a number: passed over, as a field of another version would be.
  const std::string number = "\x1a\x02\x10\x20";
  snappy::Compress(number.data(), number.size(), &packed);
  REQUIRE(Post(stand, "/api/v1/write", packed).status == 204);
  // Four bytes that claim to become 4 GiB.
  REQUIRE(Post(stand, "/api/v1/write", "\xff\xff\xff\xff\x0f").status == 400);
  // Cut at every length: never stored, never worse than an error.
  const auto whole = Message().Series({{"__name__", "m"}}, {{kNow, 1}}).Packed();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    REQUIRE(Post(stand, "/api/v1/write", whole.substr(0, size)).status == 400);
  }
  REQUIRE(Post(stand, "/api/v1/write", whole, {{"content-encoding", "gzip"}}).status == 415);
  REQUIRE(Post(stand, "/api/v1/write", whole,
               {{"content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}})
              .status == 415);
  REQUIRE(Query(stand, "m") == "[]");
}

TEST_CASE("an unpacked request is bounded", "[api]") {
  const std::string large(1 << 20, 'x');
  std::string packed;
  snappy::Compress(large.data(), large.size(), &packed);
  const auto refused = api::WriteRequest::Decode(packed, 1000);
  REQUIRE_FALSE(refused);
  REQUIRE(refused.error().message() == "the request is larger than 1000 bytes once unpacked");
}

TEST_CASE("metadata that writers send is kept", "[api]") {
  ApiStand stand;
  stand.receiver().Enable(true);
  REQUIRE(
      Write(stand, Message().Metadata(1, "m_total", "Old.").Metadata(4, "g", "Buckets.")).status ==
      204);
  REQUIRE(Write(stand, Message().Metadata(1, "m_total", "Things.")).status == 204);
  REQUIRE(stand.Get("/api/v1/metadata").body ==
          R"({"status":"success","data":{"g":[{"type":"gaugehistogram","help":"Buckets.",)"
          R"("unit":""}],"m_total":[{"type":"counter","help":"Things.","unit":""}]}})");
  REQUIRE(stand.Get("/api/v1/metadata?metric=g&limit=1").body.find("m_total") == std::string::npos);
}

TEST_CASE("OpenMetrics text with timestamps is imported", "[api]") {
  ApiStand stand;
  const auto imported = Post(stand, "/api/v1/import/openmetrics",
                             "# TYPE req counter\n"
                             "# HELP req Requests.\n"
                             "req_total{a=\"x\"} 1 1699999985\n"
                             "req_total{a=\"x\"} 5 1700000000\n"
                             "# EOF\n");
  REQUIRE(imported.status == 200);
  REQUIRE(imported.body ==
          R"({"status":"success","data":{"stored":2,"duplicate":0,"outOfOrder":0,"overLimit":0}})");
  REQUIRE(Query(stand, "req_total") ==
          R"([{"metric":{"__name__":"req_total","a":"x"},"value":[1700000000,"5"]}])");
}

TEST_CASE("an import with a fault stores nothing", "[api]") {
  ApiStand stand;
  const auto refused = [&](const std::string& page, const std::string& reason) {
    const auto answer = Post(stand, "/api/v1/import/openmetrics", page);
    INFO(answer.body);
    REQUIRE(answer.status == 400);
    REQUIRE(answer.body.find(reason) != std::string::npos);
  };
  refused("a 1 1700000000\nb 2\n# EOF\n", "line 2: a sample without a timestamp");
  refused("a 1 1700000000\nb{ 2 1700000000\n# EOF\n", "line 2");
  REQUIRE(Query(stand, "{__name__=~\".%2B\"}") == "[]");
}
