#include <catch2/catch.hpp>

#include "core/number.h"
#include "core/text/parser.h"
#include "core/text/scan.h"

using namespace vigia;
using text::Format;
using text::PageParser;

namespace {

// One line per sample: type and name of its family, then the sample. An error ends it.
std::string Dump(std::string_view page, Format format, PageParser::Options options = {}) {
  PageParser parser(options);
  parser.Begin(page, format);
  std::string out;
  while (true) {
    const auto more = parser.Next();
    if (!more) return out + more.error().message();
    if (!*more) return out;
    const auto& sample = parser.sample();
    out += TypeNameInOpenMetrics(sample.family->type);
    out += " " + sample.family->name + ": " + std::string(sample.name);
    for (const auto& [name, value] : sample.labels) {
      out += " " + std::string(name) + "=<" + std::string(value) + ">";
    }
    out += " = " + FormatDouble(sample.value);
    if (sample.time) out += " @" + std::to_string(*sample.time);
    out += "\n";
  }
}

std::string DumpText(std::string_view page) { return Dump(page, Format::kText); }
std::string DumpOpenMetrics(std::string_view page) { return Dump(page, Format::kOpenMetrics); }
std::string Check(std::string_view page, Format format) {
  return Dump(page, format, {.strict = true});
}

std::string LastLine(const std::string& dump) { return dump.substr(dump.rfind('\n') + 1); }

}  // namespace

TEST_CASE("a text page is read with its families", "[core]") {
  REQUIRE(DumpText("# A comment.\n"
                   "#HELP not a description\n"
                   "# HELP http_requests_total Requests, \\\\ by\\ncode.\n"
                   "# TYPE http_requests_total counter\n"
                   "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                   "http_requests_total{method=\"post\",code=\"400\",}    3 -5\n"
                   "\n"
                   "  spaced { a = \"x\" , b=\"y\" }\t1.5e3 \n"
                   "# TYPE latency histogram\n"
                   "latency_bucket{le=\"0.1\"} 2\n"
                   "latency_bucket{le=\"+Inf\"} 3\n"
                   "latency_sum 0.25\n"
                   "latency_count 3\n"
                   "# TYPE s summary\n"
                   "s{quantile=\"0.5\"} NaN\n"
                   "s_sum +Inf\n"
                   "s_count 0\n"
                   "s_max 7\n"
                   "empty{} -0") ==
          "counter http_requests_total: http_requests_total method=<post> code=<200> = 1027 "
          "@1395066363000\n"
          "counter http_requests_total: http_requests_total method=<post> code=<400> = 3 @-5\n"
          "unknown spaced: spaced a=<x> b=<y> = 1500\n"
          "histogram latency: latency_bucket le=<0.1> = 2\n"
          "histogram latency: latency_bucket le=<+Inf> = 3\n"
          "histogram latency: latency_sum = 0.25\n"
          "histogram latency: latency_count = 3\n"
          "summary s: s quantile=<0.5> = NaN\n"
          "summary s: s_sum = +Inf\n"
          "summary s: s_count = 0\n"
          "unknown s_max: s_max = 7\n"
          "unknown empty: empty = -0\n");
}

TEST_CASE("an OpenMetrics page is read with its families under their text names", "[core]") {
  REQUIRE(
      DumpOpenMetrics("# HELP jobs Jobs, \\\"done\\\".\n"
                      "# TYPE jobs counter\n"
                      "jobs_total{q=\"a\"} 17 1520879607.789 # {trace_id=\"x\"} 0.5 1520879607.1\n"
                      "jobs_created{q=\"a\"} 1.5208e9\n"
                      "jobs_total{q=\"b\"} 18\n"
                      "# TYPE build info\n"
                      "build_info{v=\"1\"} 1\n"
                      "# TYPE t_seconds histogram\n"
                      "# UNIT t_seconds seconds\n"
                      "t_seconds_bucket{le=\"1.0\"} 2 # {} 0.3\n"
                      "t_seconds_bucket{le=\"+Inf\"} 2\n"
                      "t_seconds_count 2\n"
                      "t_seconds_sum 0.4\n"
                      "# TYPE g gaugehistogram\n"
                      "g_bucket{le=\"+Inf\"} 2\n"
                      "g_gcount 2\n"
                      "g_gsum 0.4\n"
                      "# TYPE on stateset\n"
                      "on{on=\"yes\"} 1 12\n"
                      "# EOF\n") ==
      "counter jobs_total: jobs_total q=<a> = 17 @1520879607789\n"
      "unknown jobs_created: jobs_created q=<a> = 1520800000\n"
      "counter jobs_total: jobs_total q=<b> = 18\n"
      "info build_info: build_info v=<1> = 1\n"
      "histogram t_seconds: t_seconds_bucket le=<1.0> = 2\n"
      "histogram t_seconds: t_seconds_bucket le=<+Inf> = 2\n"
      "histogram t_seconds: t_seconds_count = 2\n"
      "histogram t_seconds: t_seconds_sum = 0.4\n"
      "histogram g: g_bucket le=<+Inf> = 2\n"
      "histogram g: g_gcount = 2\n"
      "histogram g: g_gsum = 0.4\n"
      "stateset on: on on=<yes> = 1 @12000\n");
}

TEST_CASE("help and unit are kept with the family", "[core]") {
  PageParser parser;
  parser.Begin("# HELP a_bytes  Say \\\"x\\\"\\n\\\\n.\n# TYPE a_bytes gauge\na_bytes 1\n",
               Format::kText);
  REQUIRE(*parser.Next());
  REQUIRE(parser.sample().family->help == "Say \\\"x\\\"\n\\n.");

  parser.Begin("# HELP a_bytes Say \\\"x\\\".\n# UNIT a_bytes bytes\na_bytes 1\n# EOF",
               Format::kOpenMetrics);
  REQUIRE(*parser.Next());
  REQUIRE(parser.sample().family->help == "Say \"x\".");
  REQUIRE(parser.sample().family->unit == "bytes");
  REQUIRE(parser.sample().series == "a_bytes");
  REQUIRE(parser.sample().line == 3);
  REQUIRE_FALSE(*parser.Next());
  REQUIRE_FALSE(*parser.Next());
}

TEST_CASE("label values are unescaped and names may be quoted UTF-8", "[core]") {
  REQUIRE(DumpText("a{x=\"q\\\"b\\\\n\\n\\t\",y=\"\xC3\xA1\",z=\"\"} 1\n"
                   "a{x=\"\\\\\",y=\"\\\"\"} 2\n") ==
          "unknown a: a x=<q\"b\\n\n\\t> y=<\xC3\xA1> z=<> = 1\n"
          "unknown a: a x=<\\> y=<\"> = 2\n");
  REQUIRE(DumpText("# TYPE \"my.metric\" gauge\n"
                   "{\"my.metric\",\"l.b\"=\"1\",c=\"2\"} 1\n"
                   "{\"my.metric\"} 2\n"
                   "{a=\"1\",\"q\\\"\"} 3\n") ==
          "gauge my.metric: my.metric l.b=<1> c=<2> = 1\n"
          "gauge my.metric: my.metric = 2\n"
          "unknown q\": q\" a=<1> = 3\n");
}

TEST_CASE("values are read as Prometheus reads them", "[core]") {
  const auto value = [](std::string_view text) {
    const auto parsed = text::ParseValue(text);
    return parsed ? FormatDouble(*parsed) : "none";
  };
  REQUIRE(value("0") == "0");
  REQUIRE(value("-0") == "-0");
  REQUIRE(value("+12.50") == "12.5");
  REQUIRE(value(".5") == "0.5");
  REQUIRE(value("5.") == "5");
  REQUIRE(value("9007199254740993") == "9007199254740992");
  REQUIRE(value("123456789012345678901234567890") == "1.2345678901234568e+29");
  REQUIRE(value("0.1234567890123456789") == "0.12345678901234568");
  REQUIRE(value("4.9e-324") == "5e-324");
  REQUIRE(value("1e-400") == "0");
  REQUIRE(value("inf") == "+Inf");
  REQUIRE(value("-Infinity") == "-Inf");
  REQUIRE(value("nan") == "NaN");
  for (const auto* bad :
       {"", ".", "-", "1x", "1e", "0x10", "1_000", "1e400", "--1", "1 ", "Info"}) {
    REQUIRE(value(bad) == "none");
  }
}

TEST_CASE("what is wrong with a page is told with place and reason", "[core]") {
  struct Case {
    Format format;
    std::string_view page;
    std::string_view error;
  };
  const auto text = Format::kText;
  const auto om = Format::kOpenMetrics;
  const std::vector<Case> cases = {
      {text, "a", "line 1, column 2: expected a value, got the end of the line"},
      {text, "\n a b\n", "line 2, column 4: expected a value that is a number, got 'b'"},
      {text, "a 1 2 3\n", "line 1, column 7: expected the end of the line, got '3'"},
      {text, "a 1 1.5\n", "line 1, column 5: expected a timestamp in milliseconds, got '1'"},
      {text, "a 1 # {} 1\n", "line 1, column 5: expected a timestamp in milliseconds, got '#'"},
      {text, "1a 1\n", "line 1, column 1: expected a metric name, got '1'"},
      {text, "a-b 1\n", "line 1, column 2: expected a value that is a number, got '-b'"},
      {text, "\xff 1\n", "line 1, column 1: expected a metric name, got byte 0xFF"},
      {text, "a{b=\"1\" c=\"2\"} 1\n", "line 1, column 9: expected ',' or '}', got 'c'"},
      {text, "a{b:c=\"1\"} 1\n", "line 1, column 4: expected '=', got ':'"},
      {text, "a{b} 1\n", "line 1, column 4: expected '=', got '}'"},
      {text, "a{b=1} 1\n", "line 1, column 5: expected '\"' before the label's value, got '1'"},
      {text, "a{b=\"1} 1\n", "line 1, column 5: a quote that is never closed"},
      {text, "a{b=\"1\\\"} 1\n", "line 1, column 5: a quote that is never closed"},
      {text, "a{b=\"1\\", "line 1, column 5: a quote that is never closed"},
      {text, "a{b=\"1\"", "line 1, column 8: expected ',' or '}', got the end of the line"},
      {text, "a{", "line 1, column 3: expected a label name or '}', got the end of the line"},
      {text, "a{,} 1\n", "line 1, column 3: expected a label name or '}', got ','"},
      {text, "a{b=\"\xff\"} 1\n", "line 1, column 6: not UTF-8"},
      {text, "a{b=\"\\\xff\"} 1\n", "line 1, column 6: not UTF-8"},
      {text, "a{b=\"1\",b=\"2\"} 1\n", "line 1, column 2: a second label 'b'"},
      {text, "a{__name__=\"b\"} 1\n", "line 1, column 2: a second label '__name__'"},
      {text, "{b=\"1\"} 1\n", "line 1, column 1: no metric name"},
      {text, "{\"a\",\"b\"} 1\n", "line 1, column 6: a second metric name"},
      {text, "a{\"b\"} 1\n", "line 1, column 3: a second metric name"},
      {text, "{\"\"} 1\n", "line 1, column 2: an empty name"},
      {text, "a{\"\"=\"1\"} 1\n", "line 1, column 3: an empty name"},
      {text, "# TYPE a\n",
       "line 1, column 9: expected counter, gauge, histogram, summary or untyped, got the end of "
       "the line"},
      {text, "# TYPE a thing\n",
       "line 1, column 10: expected counter, gauge, histogram, summary or untyped, got 't'"},
      {text, "# TYPE 1 gauge\n", "line 1, column 8: expected a metric name after TYPE, got '1'"},
      {text, "# HELP a-b x\n", "line 1, column 9: expected a blank after the metric name, got '-'"},
      {text, "# HELP a \xff\n", "line 1, column 10: the help text is not UTF-8"},
      {om, "", "line 1, column 1: expected '# EOF', got the end of the page"},
      {om, "a 1\n", "line 2, column 1: expected '# EOF', got the end of the page"},
      {om, "a 1\n# EOF\n\n", "line 3, column 1: expected nothing after '# EOF'"},
      {om, "a 1\n\n# EOF\n", "line 2, column 1: expected a metric name, got the end of the line"},
      {om, "# hello\n# EOF\n",
       "line 1, column 1: expected '# HELP', '# TYPE', '# UNIT' or '# EOF': OpenMetrics has no "
       "comments"},
      {om, "a  1\n# EOF\n", "line 1, column 3: expected a value, got ' '"},
      {om, "a 1 \n# EOF\n",
       "line 1, column 5: expected a timestamp in seconds, got the end of the line"},
      {om, "a{ b=\"1\"} 1\n# EOF\n", "line 1, column 3: expected a label name or '}', got ' '"},
      {om, "a{b=\"1\"}1\n# EOF\n", "line 1, column 9: expected a blank before the value, got '1'"},
      {om, "a 1 NaN\n# EOF\n", "line 1, column 5: expected a timestamp in seconds, got 'N'"},
      {om, "a_total 1 # x\n# EOF\n",
       "line 1, column 13: expected '{' of the exemplar's labels, got 'x'"},
      {om, "a_total 1 # {\"x\"} 1\n# EOF\n", "line 1, column 17: expected '=', got '}'"},
      {om, "a_total 1 # {}\n# EOF\n",
       "line 1, column 15: expected a blank before the exemplar's value, got the end of the line"},
      {om, "# UNIT a_bytes bits\n# EOF\n",
       "line 1, column 16: expected the unit that ends the metric's name, got 'b'"},
  };
  for (const auto& [format, page, error] : cases) {
    CAPTURE(page);
    CHECK(LastLine(Dump(page, format)) == error);
  }
}

TEST_CASE("a strict reader holds a page to its format", "[core]") {
  struct Case {
    Format format;
    std::string_view page;
    std::string_view error;
  };
  const auto text = Format::kText;
  const auto om = Format::kOpenMetrics;
  const std::vector<Case> cases = {
      {text, "a 1", "line 1, column 4: the last line does not end with a newline"},
      {text, "# TYPE a info\n",
       "line 1, column 10: expected counter, gauge, histogram, summary or untyped, got 'i'"},
      {text, "# HELP a x\n# HELP a x\n", "line 2, column 1: a second HELP of 'a'"},
      {text, "a 1\n# TYPE a gauge\n", "line 2, column 1: TYPE of 'a' after its samples"},
      {text, "# TYPE a gauge\nb 1\na 1\n", "line 3, column 1: lines of 'a' stand apart"},
      {text, "# TYPE a gauge\nb 1\n# HELP a x\n", "line 3, column 1: lines of 'a' stand apart"},
      {text, "# TYPE a histogram\na 1\n",
       "line 2, column 1: no sample of histogram 'a' is called 'a'"},
      {text, "# TYPE a histogram\na_bucket 1\n",
       "line 2, column 1: 'a_bucket' without the label 'le'"},
      {text, "# TYPE a summary\na{quantile=\"2\"} 1\n",
       "line 2, column 1: a quantile outside of 0 to 1: '2'"},
      {text, "a{b=\"\\t\"} 1\n", "line 1, column 6: an escape other than \\\\, \\\" and \\n"},
      {om, "# TYPE a untyped\n# EOF\n",
       "line 1, column 10: expected counter, gauge, histogram, gaugehistogram, summary, info, "
       "stateset or unknown, got 'u'"},
      {om, "# TYPE a counter\na 1\n# EOF\n",
       "line 2, column 1: no sample of counter 'a' is called 'a'"},
      {om, "# TYPE a counter\na_total -1\n# EOF\n",
       "line 2, column 1: 'a_total' is a count, which is never negative"},
      {om, "# TYPE a counter\na_total NaN\n# EOF\n",
       "line 2, column 1: 'a_total' is a count, which is never NaN"},
      {om, "# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n",
       "line 2, column 1: the label 'le' is not a float: '1' for '1.0'"},
      {om, "# TYPE a info\na_info 2\n# EOF\n", "line 2, column 1: an info is always 1"},
      {om, "# TYPE a stateset\na{b=\"x\"} 1\n# EOF\n",
       "line 2, column 1: a state of 'a' without the label 'a'"},
      {om, "# TYPE a gauge\na 1 # {} 1\n# EOF\n",
       "line 2, column 1: an exemplar on 'a': only buckets and counters have them"},
      {om, "a{b=\"1\",} 1\n# EOF\n", "line 1, column 9: expected a label name after ',', got '}'"},
  };
  for (const auto& [format, page, error] : cases) {
    CAPTURE(page);
    CHECK(LastLine(Check(page, format)) == error);
  }
  REQUIRE(
      Check(
          "# TYPE a counter\na_total{x=\"1\"} 1\na_created{x=\"1\"} 5\na_total{x=\"2\"} 1\n# EOF\n",
          om) ==
      "counter a_total: a_total x=<1> = 1\n"
      "unknown a_created: a_created x=<1> = 5\n"
      "counter a_total: a_total x=<2> = 1\n");
}

TEST_CASE("a page is bounded in its lines and labels", "[core]") {
  REQUIRE(Dump("abc 1\nabcdef 1\n", Format::kText, {.max_line_bytes = 6}) ==
          "unknown abc: abc = 1\nline 2, column 1: a line of more than 6 bytes");
  REQUIRE(Dump("a{b=\"1\",c=\"1\",d=\"1\"} 1\n", Format::kText, {.max_labels = 2}) ==
          "line 1, column 15: more than 2 labels");
}

TEST_CASE("a content type tells the format", "[core]") {
  using text::FormatOfContentType;
  REQUIRE(FormatOfContentType("application/openmetrics-text; version=1.0.0; charset=utf-8") ==
          Format::kOpenMetrics);
  REQUIRE(FormatOfContentType(" Text/Plain ;version=0.0.4") == Format::kText);
  REQUIRE_FALSE(FormatOfContentType("text/html"));
  REQUIRE_FALSE(FormatOfContentType(""));
}

TEST_CASE("a quote or backslash is found wherever it stands", "[core]") {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t at = 0; at <= length; ++at) {
      for (const char special : {'"', '\\'}) {
        std::string line(length, '!');
        line += "\"\\\xff";
        if (at < length) line[at] = special;
        bool ascii = true;
        const char* const end = line.data() + length;
        const auto* found =
            text::FindQuoteOrBackslash(line.data(), end, line.data() + line.size(), ascii);
        REQUIRE(found == line.data() + at);
      }
    }
  }
  for (std::size_t at = 0; at < 20; ++at) {
    std::string line(20, 'a');
    line[at] = '\xC3';
    bool ascii = true;
    text::FindQuoteOrBackslash(line.data(), line.data() + 20, line.data() + 20, ascii);
    REQUIRE_FALSE(ascii);
  }
}
