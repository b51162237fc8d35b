// alertmanager.yml as a whole: keys, names, paths, and what is shown of it.

#include "alerting/route/config.h"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting::route;

namespace {

struct Loaded {
  AlertmanagerConfig config;
  std::string faults;  // the path replaced by am.yml
};

Loaded Load(const std::string& text) {
  const test::TempDir dir;
  dir.Write("am.yml", text);
  config::Diagnostics diagnostics("am.yml");
  auto loaded = LoadAlertmanagerConfig(dir.path() / "am.yml", diagnostics);
  return {std::move(loaded), diagnostics.ToString()};
}

const std::string kWhole = R"(
global:
  resolve_timeout: 10m
  smtp_smarthost: localhost:25
  slack_api_url: https://hooks.example.com/secret
templates: [ '*.tmpl' ]
route:
  receiver: team
  group_wait: 0s
  routes:
  - matchers: [ severity="page" ]
    receiver: pager
    mute_time_intervals: [ nights ]
inhibit_rules:
- source_matchers: [ severity="page" ]
  target_matchers: [ severity="warning" ]
  equal: [ host ]
receivers:
- name: team
  webhook_configs:
  - url: http://127.0.0.1:1/hook
    http_config:
      basic_auth: { username: u, password_file: secrets/pw }
- name: pager
  pagerduty_configs:
  - routing_key: abc
mute_time_intervals:
- name: nights
  time_intervals: [ { times: [ { start_time: '22:00', end_time: '24:00' } ] } ]
)";

}  // namespace

TEST_CASE("a whole alertmanager.yml is read", "[route]") {
  const auto [config, faults] = Load(kWhole);
  REQUIRE(faults == "");
  CHECK(config.resolve_timeout == Milliseconds(600'000));
  CHECK(config.receivers.size() == 2);
  CHECK(config.inhibit_rules.size() == 1);
  CHECK(config.tree.intervals.contains("nights"));
  CHECK(config.templates.at(0).filename() == "*.tmpl");
  CHECK(config.templates.at(0).is_absolute());
  const auto& webhook = config.receivers[0].node.Find("webhook_configs")->items.at(0);
  const auto* auth = webhook.Find("http_config")->Find("basic_auth");
  CHECK(std::filesystem::path(auth->Find("password_file")->text).is_absolute());
}

TEST_CASE("what is shown of the configuration holds no secret", "[route]") {
  const auto text = Load(kWhole).config.text;
  CHECK(text.find("receiver: team") != std::string::npos);
  CHECK(text.find("hooks.example.com") == std::string::npos);
  CHECK(text.find("routing_key: <secret>") != std::string::npos);
  CHECK(text.find("url: \"http://127.0.0.1:1/<secret>\"") != std::string::npos);
  CHECK(text.find("password_file: secrets/pw") != std::string::npos);
}

TEST_CASE("names that do not exist are faults with the likely one", "[route]") {
  CHECK(Load("route: { receiver: tema }\nreceivers: [ { name: team } ]\n").faults ==
        "am.yml:1:8: the receiver 'tema' does not exist, did you mean 'team'?\n");
  CHECK(Load("route: { receiver: a, routes: [ { mute_time_intervals: [night] } ] }\n"
             "receivers: [ { name: a } ]\ntime_intervals: [ { name: nights } ]\n")
            .faults ==
        "am.yml:1:33: the time interval 'night' does not exist, did you mean 'nights'?\n");
  CHECK(Load("route: { receiver: a }\nreceivers: [ { name: a }, { name: a } ]\n").faults ==
        "am.yml:2:35: the receiver 'a' stands here twice\n");
  CHECK(Load("receivers: [ { name: a } ]\n").faults.find("the key 'route' is missing") !=
        std::string::npos);
  CHECK(Load("route: { receiver: a }\nreceivers: [ { name: a } ]\ntemplate: [x]\n")
            .faults.find("am.yml:3:1: unknown key 'template' in am.yml, did you mean "
                         "'templates'?") != std::string::npos);
}
