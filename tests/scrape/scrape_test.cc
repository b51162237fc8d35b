// The scrape kind against a server that answers as told.

#include <dirent.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/scrape/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/process.h"

using namespace vigia;
using namespace vigia::test;

namespace {

using Manner = StubAnswer::Manner;

// A subject of a stub's page, with further options; its instance is replaced by a short name.
std::string Options(const HttpStub& stub, const std::string& more = "") {
  return "url: " + stub.Url() + "\nname: app\nlabels: { instance: x }\n" + more;
}

bool Has(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

int OpenFiles() {
  int count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

TEST_CASE("scrape reports a page and what it cost", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "# HELP a_total Things.\n# TYPE a_total counter\n"
                                   "a_total{k=\"v\"} 3\nb 1.5\n"});
  ScrapeSubject subject(Options(stub));
  REQUIRE(subject.Run() ==
          "up{instance=\"x\",job=\"app\"} 1\n"
          "scrape_samples_scraped{instance=\"x\",job=\"app\"} 2\n"
          "scrape_samples_post_metric_relabeling{instance=\"x\",job=\"app\"} 2\n"
          "scrape_series_added{instance=\"x\",job=\"app\"} 2\n"
          "vigia_scrape_cut_series_total{instance=\"x\",job=\"app\",reason=\"sample_limit\"} 0\n"
          "vigia_scrape_cut_series_total{instance=\"x\",job=\"app\",reason=\"label_limit\"} 0\n"
          "vigia_scrape_cut_series_total{instance=\"x\",job=\"app\",reason=\"no_name\"} 0\n"
          "vigia_scrape_cut_series_total{instance=\"x\",job=\"app\",reason=\"metric_limit\"} 0\n"
          "a_total{instance=\"x\",job=\"app\",k=\"v\"} 3\n"
          "b{instance=\"x\",job=\"app\"} 1.5\n");
  REQUIRE(Has(subject.Run(), "scrape_series_added{instance=\"x\",job=\"app\"} 0"));
  REQUIRE(stub.connections() == 1);
}

TEST_CASE("scrape names job and instance by the entry and its URL", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  ScrapeSubject subject("url: " + stub.Url() + "\nlabels: { env: prod }\n");
  REQUIRE(subject.RunSeries() == "a{env=\"prod\",instance=\"127.0.0.1:" +
                                     std::to_string(stub.port()) + "\",job=\"main\"} 1\n");
}

TEST_CASE("scrape reads OpenMetrics and compressed pages", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics",
              {.headers = {{"Content-Type", "application/openmetrics-text; version=1.0.0"}},
               .body = "# TYPE a counter\na_total 3 # {t=\"1\"} 1\n"
                       "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 5\nh_count 2\n# EOF\n",
               .gzip = true});
  ScrapeSubject subject(Options(stub));
  REQUIRE(subject.RunSeries() ==
          "a_total{instance=\"x\",job=\"app\"} 3\n"
          "h_bucket{instance=\"x\",job=\"app\",le=\"+Inf\"} 2\n"
          "h_sum{instance=\"x\",job=\"app\"} 5\n"
          "h_count{instance=\"x\",job=\"app\"} 2\n");
}

TEST_CASE("scrape sends parameters headers and credentials", "[scrape]") {
  HttpStub stub;
  stub.Answer("/probe", {.body = "a 1\n"});
  TempDir dir;
  dir.Write("token", "secret\n");
  ScrapeSubject subject("url: " + stub.Url("/probe?debug=1") +
                        "\nparams: { target: 'a b', module: [x, y] }\n"
                        "headers: { X-Tenant: t1 }\n"
                        "authorization: { credentials_file: " +
                        (dir.path() / "token").string() + " }\n");
  REQUIRE(Has(subject.Run(), "error: ") == false);
  const auto request = stub.requests().at(0);
  REQUIRE(request.target == "/probe?debug=1&target=a+b&module=x&module=y");
  REQUIRE(request.headers.at("x-tenant") == "t1");
  REQUIRE(request.headers.at("authorization") == "Bearer secret");
  REQUIRE(request.headers.at("accept").find("openmetrics") != std::string::npos);
  REQUIRE(request.headers.count("x-prometheus-scrape-timeout-seconds") == 1);
}

TEST_CASE("scrape moves labels that clash out of the way or honors them", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a{job=\"own\",exported_job=\"e\"} 1\nb{instance=\"\"} 2\n"});
  ScrapeSubject subject(Options(stub));
  REQUIRE(subject.RunSeries() ==
          "a{exported_exported_job=\"own\",exported_job=\"e\",instance=\"x\",job=\"app\"} 1\n"
          "b{instance=\"x\",job=\"app\"} 2\n");
  ScrapeSubject honoring(Options(stub, "honor_labels: true\n"));
  REQUIRE(honoring.RunSeries() ==
          "a{exported_job=\"e\",instance=\"x\",job=\"own\"} 1\n"
          "b{job=\"app\"} 2\n");
}

TEST_CASE("scrape relabels and keeps families together when they are renamed", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 5\n"
                                   "h_count 2\n# TYPE go_x gauge\ngo_x 1\nkept{id=\"1\"} 7\n"});
  ScrapeSubject subject(Options(stub,
                                "metric_relabel_configs:\n"
                                "  - { source_labels: [__name__], regex: 'go_.*', action: drop }\n"
                                "  - { source_labels: [__name__], regex: 'h(_.*)', "
                                "target_label: __name__, replacement: 'app_h$1' }\n"
                                "  - { regex: 'id|instance|job', action: labeldrop }\n"));
  for (int run = 0; run < 2; ++run) {
    REQUIRE(subject.RunSeries() ==
            "app_h_bucket{le=\"+Inf\"} 2\napp_h_sum 5\napp_h_count 2\nkept 7\n");
  }
  const auto page = subject.Run();
  REQUIRE(Has(page, "scrape_samples_scraped{instance=\"x\",job=\"app\"} 5"));
  REQUIRE(Has(page, "scrape_samples_post_metric_relabeling{instance=\"x\",job=\"app\"} 4"));
}

TEST_CASE("scrape forgets series that go and learns those that come", "[scrape]") {
  HttpStub stub;
  ScrapeSubject subject(Options(stub,
                                "metric_relabel_configs:\n"
                                "  - { regex: 'instance|job', action: labeldrop }\n"));
  const auto run = [&](const std::string& body) {
    stub.Answer("/metrics", {.body = body});
    return subject.RunSeries();
  };
  REQUIRE(run("a{i=\"1\"} 1\na{i=\"2\"} 2\na{i=\"3\"} 3\n") ==
          "a{i=\"1\"} 1\na{i=\"2\"} 2\na{i=\"3\"} 3\n");
  REQUIRE(run("a{i=\"3\"} 4\na{i=\"1\"} 5\n") == "a{i=\"3\"} 4\na{i=\"1\"} 5\n");
  REQUIRE(run("a{i=\"3\"} 6\na{i=\"9\"} 7\na{i=\"1\"} 8\n") ==
          "a{i=\"3\"} 6\na{i=\"9\"} 7\na{i=\"1\"} 8\n");
  REQUIRE(run("") == "");
  REQUIRE(run("a{i=\"1\"} 9\n") == "a{i=\"1\"} 9\n");
}

TEST_CASE("scrape takes times from the page unless told otherwise", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1 1700000000000\n"});
  ScrapeSubject subject(Options(stub));
  subject.Run();
  REQUIRE(subject.reading().families.back().times == std::vector<Timestamp>{1'700'000'000'000});
  ScrapeSubject deaf(Options(stub, "honor_timestamps: false\n"));
  deaf.Run();
  REQUIRE(deaf.reading().families.back().times.empty());
}

TEST_CASE("scrape cuts series over a limit and shows the others", "[scrape]") {
  HttpStub stub;
  const std::string cut = "vigia_scrape_cut_series_total{instance=\"x\",job=\"app\",reason=";
  SECTION("sample_limit keeps the series that were there first") {
    stub.Answer("/metrics", {.body = "a 1\nb 2\nc 3\n"});
    ScrapeSubject subject(Options(stub, "sample_limit: 2\n"));
    const auto page = subject.Run();
    REQUIRE(Has(page, "up{instance=\"x\",job=\"app\"} 1"));
    REQUIRE(Has(page, "scrape_samples_post_metric_relabeling{instance=\"x\",job=\"app\"} 3"));
    REQUIRE(Has(page, cut + "\"sample_limit\"} 1"));
    stub.Answer("/metrics", {.body = "c 3\na 1\nb 2\n"});
    REQUIRE(subject.RunSeries() ==
            "a{instance=\"x\",job=\"app\"} 1\nb{instance=\"x\",job=\"app\"} 2\n");
    REQUIRE(Has(subject.Run(), cut + "\"sample_limit\"} 3"));
    stub.Answer("/metrics", {.body = "c 3\na 1\n"});
    subject.Run();
    REQUIRE(subject.RunSeries() ==
            "a{instance=\"x\",job=\"app\"} 1\nc{instance=\"x\",job=\"app\"} 3\n");
  }
  SECTION("label limits") {
    stub.Answer("/metrics", {.body = "a 1\nb{k=\"1\",l=\"2\"} 2\nc{k=\"long_value\"} 3\n"
                                     "d{a_long_name=\"1\"} 4\n"});
    ScrapeSubject subject(
        Options(stub, "label_limit: 4\nlabel_name_length_limit: 8\nlabel_value_length_limit: 5\n"));
    const auto page = subject.Run();
    REQUIRE(Has(page, "a{instance=\"x\",job=\"app\"} 1"));
    REQUIRE(Has(page, cut + "\"label_limit\"} 3"));
    REQUIRE(page.find("long_value") == page.npos);
  }
  SECTION("a rule that takes the name") {
    stub.Answer("/metrics", {.body = "a 1\n"});
    ScrapeSubject subject(
        Options(stub, "metric_relabel_configs: [ { regex: __name__, action: labeldrop } ]\n"));
    REQUIRE(Has(subject.Run(), cut + "\"no_name\"} 1"));
  }
}

TEST_CASE("scrape follows a family whose type changes", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "# TYPE a gauge\na 1\n"});
  ScrapeSubject subject(Options(stub));
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
  stub.Answer("/metrics", {.body = "# TYPE a counter\na 2\n"});
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 2\n");
  REQUIRE(subject.reading().families.back().family->head().type == MetricType::kCounter);
}

TEST_CASE("scrape says why a page could not be read and recovers at once", "[scrape]") {
  HttpStub stub;
  const std::string down = "up{instance=\"x\",job=\"app\"} 0\n";
  ScrapeSubject subject(Options(stub, "body_size_limit: 64KiB\n"));
  const auto fails_with = [&](StubAnswer answer, const std::string& message, ErrorCode code,
                              Duration timeout = 60s) {
    stub.Answer("/metrics", std::move(answer));
    const auto page = subject.Run(timeout);
    CAPTURE(page, message);
    REQUIRE(page.starts_with("error: "));
    REQUIRE(page.find(message) != page.npos);
    REQUIRE(page.ends_with("\n" + down));
    REQUIRE(subject.code() == code);
    stub.Answer("/metrics", {.body = "a 1\n"});
    REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
  };
  fails_with({.status = 500, .body = "a 1\n"}, "status 500", ErrorCode::kUnavailable);
  fails_with({.body = "a 1\n<html>\n"}, "line 2, column 1", ErrorCode::kCorrupt);
  fails_with({.body = std::string(70'000, '#')}, "body_size_limit", ErrorCode::kCorrupt);
  fails_with({.body = "a 1\n", .manner = Manner::kEndlessBody}, "body_size_limit",
             ErrorCode::kCorrupt);
  fails_with({.body = std::string(10'000, '#'), .manner = Manner::kSlowBody}, "",
             ErrorCode::kTimeout, 200ms);
  fails_with({.manner = Manner::kHang}, "", ErrorCode::kTimeout, 200ms);
  fails_with({.body = "a 1\nb 2\n", .manner = Manner::kCutBody}, "", ErrorCode::kUnavailable);
  fails_with({.status = 302, .headers = {{"Location", "/metrics"}}}, "redirects",
             ErrorCode::kUnavailable);
}

TEST_CASE("scrape finds a target again that was away", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  ScrapeSubject subject(Options(stub));
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
  stub.Stop();
  REQUIRE(subject.Run().starts_with("error: "));
  REQUIRE(subject.code() == ErrorCode::kUnavailable);
  stub.Start();
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
}

TEST_CASE("scrape keeps connections and descriptors flat", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  ScrapeSubject subject(Options(stub));
  subject.Run();
  const int before = OpenFiles();
  for (int i = 0; i < 200; ++i) subject.Run();
  REQUIRE(OpenFiles() == before);
  REQUIRE(stub.connections() == 1);
  stub.Answer("/metrics", {.manner = Manner::kHang});
  for (int i = 0; i < 50; ++i) subject.Run(2ms);
  stub.Stop();
  REQUIRE(OpenFiles() <= before);
}

TEST_CASE("scrape tells what is wrong with its options", "[scrape]") {
  REQUIRE(ScrapeFaults("name: a").find("url") != std::string::npos);
  REQUIRE(ScrapeFaults("url: ftp://h/").find("not a URL of http") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://u:p@h/").find("basic_auth") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://h/\nbasic_auth: { username: u, password: p }")
              .find("password_file") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://h/\nbasic_auth: { username: u }\nauthorization: {}")
              .find("beside basic_auth") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://h/\nmetric_relabel_configs: [ { regex: a } ]")
              .find("target_label") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://h/\nparams: x").find("params") != std::string::npos);
  REQUIRE(ScrapeFaults("file_sd_configs: [ { files: [ a.yml ] } ]")
              .find("file_sd_configs: no targets are found here") != std::string::npos);
  REQUIRE(ScrapeFaults("url: http://h/\nsamplelimit: 1").find("sample_limit") != std::string::npos);
}

TEST_CASE("scrape reads a real node_exporter", "[scrape]") {
  if (!HasProgram("prometheus-node-exporter")) {
    WARN("SKIPPED: prometheus-node-exporter is not installed");
    return;
  }
  const int port = FreePort();
  const auto address = "127.0.0.1:" + std::to_string(port);
  Process exporter({"prometheus-node-exporter", "--web.listen-address=" + address});
  REQUIRE(exporter.AwaitOutput("Listening on"));
  ScrapeSubject subject("url: http://" + address + "/metrics\nname: node\n");
  std::string page;
  for (int tries = 0; tries < 100 && !Has(page, "up{instance=\"" + address + "\",job=\"node\"} 1");
       ++tries) {
    page = subject.Run();
  }
  REQUIRE(page.find("\nnode_load1{instance=\"" + address + "\",job=\"node\"} ") != page.npos);
  // Every sample of the page itself is there.
  std::istringstream lines(Get(port, "/metrics").body);
  std::string line;
  std::size_t samples = 0;
  std::size_t missing = 0;
  while (std::getline(lines, line)) {
    if (line.empty() || line[0] == '#') continue;
    ++samples;
    const auto name = line.substr(0, line.find_first_of("{ "));
    if (page.find("\n" + name + "{") == page.npos) ++missing;
  }
  REQUIRE(samples > 300);
  REQUIRE(missing == 0);
}
