#include "exporter/page/negotiate.h"

#include <catch2/catch.hpp>

using namespace vigia::exporter;

TEST_CASE("the format is the best that the scraper accepts", "[page]") {
  const std::string text = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
  const std::string om1 =
      "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
  const std::string om0 =
      "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores";
  const std::pair<std::string, std::string> cases[] = {
      {"", text},
      {"*/*", text},
      {"text/plain", text},
      {"text/plain;version=0.0.4", text},
      {"text/plain;version=0.0.3", text},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", text},
      {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
       "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
       text},
      {"application/openmetrics-text", om0},
      {"application/openmetrics-text;version=1.0.0", om1},
      {"application/openmetrics-text; version=\"1.0.0\"", om1},
      {"Application/OpenMetrics-Text; Version=1.0.0", om1},
      {"application/openmetrics-text; version=2.0.0", text},
      {"application/openmetrics-text;version=1.0.0;q=0", text},
      {"application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5", om0},
      {"text/plain;version=0.0.4;q=0.5, application/openmetrics-text;version=1.0.0;q=0.75", om1},
      {"text/plain, application/openmetrics-text;version=1.0.0", text},
      {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
       "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
      {"text/plain;version=1.0.0;escaping=allow-utf-8",
       "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
      {"text/plain;escaping=dots", text},
      {",;,=;q=x,", text},
  };
  for (const auto& [accept, content_type] : cases) {
    CAPTURE(accept);
    CHECK(Negotiate(accept, "").content_type == content_type);
  }
  REQUIRE(Negotiate("text/plain;escaping=allow-utf-8", "").style.utf8_names);
}

TEST_CASE("gzip is used where it is welcome", "[page]") {
  for (const auto* header : {"gzip", "deflate, gzip", "gzip;q=0.5", "*", "br, *;q=0.1", "GZIP",
                             "gzip;q=1.0, identity; q=0.5, *;q=0"}) {
    CAPTURE(header);
    CHECK(Negotiate("", header).encoding == Encoding::kGzip);
  }
  for (const auto* header :
       {"", "identity", "deflate", "gzip;q=0", "gzip;q=0, *", "*;q=0", "identity, gzip;q=0.5"}) {
    CAPTURE(header);
    CHECK(Negotiate("", header).encoding == Encoding::kIdentity);
  }
}
