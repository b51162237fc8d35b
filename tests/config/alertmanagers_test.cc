// `alerting.alertmanagers`: which Alertmanagers it names, and what it is refused for.

#include <catch2/catch.hpp>

#include "core/config/yaml.h"
#include "exporter/config/alerting.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using alerting::deliver::AlertmanagersOptions;

namespace {

AlertmanagersOptions Read(const std::string& yaml, config::Diagnostics& diagnostics,
                          const std::filesystem::path& folder = "/etc/vigia") {
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  config::MapReader reader(node, diagnostics, "alerting");
  auto options = exporter::ReadAlertmanagers(reader, folder);
  reader.Finish();
  return options;
}

std::string Faults(const std::string& yaml) {
  config::Diagnostics diagnostics("vigia.yml");
  Read(yaml, diagnostics);
  return diagnostics.ToString();
}

AlertmanagersOptions Good(const std::string& yaml,
                          const std::filesystem::path& folder = "/etc/vigia") {
  config::Diagnostics diagnostics("vigia.yml");
  auto options = Read(yaml, diagnostics, folder);
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  return options;
}

}  // namespace

TEST_CASE("alertmanagers are read as Prometheus reads them", "[config]") {
  const auto options = Good(R"(
alert_relabel_configs: [{action: labeldrop, regex: replica}]
alertmanagers:
- scheme: https
  path_prefix: am/
  timeout: 3s
  api_version: v2
  basic_auth: {username: u, password_file: am.password}
  tls_config: {ca_file: ca.pem, server_name: am}
  proxy_url: http://proxy:3128
  follow_redirects: false
  enable_http2: false
  http_headers: {X-Scope: {values: [a]}}
  alert_relabel_configs: [{target_label: a, replacement: b}]
  relabel_configs:
  - {source_labels: [zone], regex: far, action: drop}
  static_configs:
  - {targets: ['am1:9093', am2]}
  - {targets: ['am3:9093'], labels: {zone: far}}
- sigv4: {region: eu-west-1, access_key: a, secret_key: s}
  static_configs: [{targets: ['127.0.0.1:9093', '[::1]:9093', '127.0.0.1:9093']}]
)");
  REQUIRE(options.targets.size() == 4);
  CHECK(options.targets[0].url == "https://am1:9093/am/api/v2/alerts");
  CHECK(options.targets[1].url == "https://am2/am/api/v2/alerts");
  CHECK(options.targets[2].url == "http://127.0.0.1:9093/api/v2/alerts");
  CHECK(options.targets[3].url == "http://[::1]:9093/api/v2/alerts");
  const auto& first = options.targets[0];
  CHECK(first.timeout == Milliseconds(3000));
  CHECK(first.http.client.auth.username == "u");
  CHECK(first.http.client.tls.ca_file == "/etc/vigia/ca.pem");
  CHECK(first.http.client.proxy.url == "http://proxy:3128");
  CHECK_FALSE(first.http.client.follow_redirects);
  CHECK_FALSE(first.relabeling.empty());
  CHECK(options.targets[2].timeout == Milliseconds(10'000));
  CHECK(options.targets[2].relabeling.empty());
  CHECK_FALSE(first.aws);
  REQUIRE(options.targets[2].aws);
  CHECK(options.targets[2].aws->region == "eu-west-1");
  CHECK_FALSE(options.relabeling.empty());
  CHECK(first.fingerprint != options.targets[2].fingerprint);
  CHECK(Good("alertmanagers:").targets.empty());
}

TEST_CASE("alertmanagers stand in files that change", "[config]") {
  const test::TempDir dir;
  dir.Write("am/a.json", R"([{"targets": ["am1:9093"], "labels": {"zone": "near"}}])");
  dir.Write("am/b.yml", "- targets: ['am2:9093', 'am9:9093']\n  labels: {zone: far}\n");
  const auto options = Good(R"(
alertmanagers:
- file_sd_configs: [{files: ['am/*.json', 'am/*.yml', 'am/a.json'], refresh_interval: 1s}]
  relabel_configs: [{source_labels: [zone, __address__], regex: 'far;am9.*', action: drop}]
  static_configs: [{targets: ['am0:9093']}]
- path_prefix: other
  file_sd_configs: [{files: later.yml}]
)",
                            dir.path());
  const auto urls = [](const std::vector<alerting::deliver::AlertmanagerOptions>& targets) {
    std::string out;
    for (const auto& one : targets) out += one.url.substr(7, one.url.find(":9093") - 7) + " ";
    return out;
  };
  CHECK(options.refresh == Milliseconds(1000));
  CHECK(urls(options.targets) == "am0 am1 am2 ");
  CHECK(urls(options.discovery->Find()) == "am0 am1 am2 ");

  dir.Write("am/a.json", R"([{"targets": ["am1:9093)");  // half written
  dir.Write("am/b.yml", "[{targets: ['am3:9093']}]");
  dir.Write("later.yml", "[{targets: ['am4:9093']}]");
  const auto changed = options.discovery->Find();
  CHECK(urls(changed) == "am0 am1 am3 am4 ");
  CHECK(changed[3].url == "http://am4:9093/other/api/v2/alerts");
  // What has not changed keeps its queue.
  CHECK(changed[1].fingerprint == options.targets[1].fingerprint);

  dir.Write("am/a.json", "[]");
  std::filesystem::remove(dir.path() / "am/b.yml");
  CHECK(urls(options.discovery->Find()) == "am0 am4 ");
}

TEST_CASE("a reload while a file is half written goes on with what stood there", "[config]") {
  const test::TempDir dir;
  const std::string entry = "{file_sd_configs: [{files: '*.json'}], timeout: ";
  dir.Write("a.json", R"([{"targets": ["am1:9093", "am2:9093"]}])");
  dir.Write("b.json", R"([{"targets": ["am3:9093"]}])");
  const auto before = Good("alertmanagers: [" + entry + "3s}]", dir.path());
  REQUIRE(before.targets.size() == 3);

  dir.Write("a.json", R"([{"targets": ["am1:9093", "am)");  // half written
  dir.Write("b.json", "[]");
  dir.Write("c.json", "[");
  const auto after = Good("alertmanagers: [" + entry + "4s}]", dir.path());
  CHECK(after.targets.empty());
  after.discovery->Recall(before.discovery->Known());
  auto found = after.discovery->Find();
  REQUIRE(found.size() == 2);
  CHECK(found[0].url == "http://am1:9093/api/v2/alerts");
  CHECK(found[0].timeout == Milliseconds(4000));  // the new settings hold

  // Over a second reload, too; until the file is whole again, or gone.
  const auto last = Good("alertmanagers: [" + entry + "3s}]", dir.path());
  last.discovery->Recall(after.discovery->Known());
  found = last.discovery->Find();
  REQUIRE(found.size() == 2);
  CHECK(found[0].fingerprint == before.targets[0].fingerprint);
  dir.Write("a.json", R"([{"targets": ["am4:9093"]}])");
  REQUIRE(last.discovery->Find().size() == 1);
  std::filesystem::remove(dir.path() / "a.json");
  CHECK(last.discovery->Find().empty());
}

TEST_CASE("alertmanagers that lead nowhere are faults where they stand", "[config]") {
  const std::map<std::string, std::string> faults{
      {"[{}]", "vigia.yml:1:17: alerting.alertmanagers: the key 'static_configs' is missing"},
      {"{}", "vigia.yml:1:1: alertmanagers: has to be a list"},
      {"[{static_configs: {}}]", "static_configs: has to be a list"},
      {"[{static_configs: [{}]}]", "the key 'targets' is missing"},
      {"[{static_configs: [{targets: ['http://a:9093']}]}]", "'http://a:9093' is not host:port"},
      {"[{static_configs: [{targets: ['a:x']}]}]", "'a:x' is not host:port"},
      {"[{static_configs: [{targets: ['u:p@a:1']}]}]", "a password belongs into basic_auth"},
      {"[{api_version: v1, static_configs: [{targets: [a]}]}]", "has to be v2"},
      {"[{scheme: ftp, static_configs: [{targets: [a]}]}]", "'ftp' is not one of"},
      {"[{bearer_token: a, basic_auth: {username: b}, static_configs: [{targets: [a]}]}]",
       "stands beside"},
      {"[{bearer_token: a, sigv4: {region: r}, static_configs: [{targets: [a]}]}]",
       "stands beside other credentials"},
      {"[{dns_sd_configs: [], static_configs: [{targets: [a]}]}]",
       "dns_sd_configs: this discovery is not there"},
      {"[{file_sd_configs: {}}]", "file_sd_configs: has to be a list"},
      {"[{file_sd_configs: [{}]}]", "the key 'files' is missing"},
      {"[{file_sd_configs: [{files: [a.txt]}]}]", "'a.txt' has to end in .yml, .yaml or .json"},
      {"[{relabel_configs: [{action: fly}], static_configs: [{targets: [a]}]}]", "fly"},
  };
  for (const auto& [yaml, fault] : faults) {
    const auto found = Faults("alertmanagers: " + yaml);
    INFO(yaml << "\n" << found);
    CHECK(found.find(fault) != found.npos);
  }
}
