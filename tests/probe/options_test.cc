// What the configuration refuses, and what it says then.

#include <catch2/catch.hpp>

#include "collectors/probe/module.h"
#include "core/config/yaml.h"
#include "tests/probe/subject.h"

namespace vigia::test {

TEST_CASE("faults of a probe's options name the place and what would be right", "[probe]") {
  struct Case {
    std::string yaml;
    std::string fault;
  };
  for (const auto& one : std::vector<Case>{
           {"{}", "'targets' is missing"},
           {"targets: []", "expected a list of targets"},
           {"targets: [ { name: x } ]", "a target needs one of http, tcp, tls, dns, icmp"},
           {"targets: [ { http: \"ftp://x/\" } ]", "not a URL of http or https"},
           {"targets: [ { http: \"http://a:b@x/\" } ]", "basic_auth"},
           {"targets: [ { http: \"http://x/\", tcp: \"x:1\" } ]", "stands beside http"},
           {"targets: [ { http: \"http://x/\", metod: GET } ]", "did you mean 'method'"},
           {"targets: [ { http: \"http://x/\", expect: { status: [20] } } ]", "is not a status"},
           {"targets: [ { http: \"http://x/\", expect: { body: '(' } } ]", "missing )"},
           {"targets: [ { http: \"http://x/\", expect: { json: { path: a } } } ]",
            "is not a path such as"},
           {"targets: [ { http: \"http://x/\", enable_http3: true } ]", "needs HTTP/3"},
           {"targets: [ { grpc: \"x:1\", query_response: [] } ]", "unknown key"},
           {"targets: [ { grpc: \":x\" } ]", "grpc"},
           {"targets: [ { tcp: localhost } ]", "expected host:port"},
           {"targets: [ { dns: 127.0.0.1 } ]", "'query_name' is missing"},
           {"targets: [ { dns: 127.0.0.1, query_name: a, query_type: XX } ]", "is not known here"},
           {"targets: [ { redis: \"redis://:pw@h\" } ]", "holds a secret"},
           {"targets: [ { postgres: \"host=h password=pw\" } ]", "holds a secret"},
           {"targets: [ { tcp: \"a:1\" }, { tcp: \"a:1\" } ]", "is the name of another target"},
           {"targets: [ { tcp: \"a:1\", timeout: 1m } ]", "is longer than that of the whole"},
       }) {
    INFO(one.yaml);
    const auto faults = ProbeFaults(one.yaml);
    INFO(faults);
    REQUIRE(faults.find(one.fault) != std::string::npos);
    REQUIRE(faults.find("vigia.yml:1:") == 0);
    REQUIRE(faults.find("pw") == std::string::npos);
  }
}

TEST_CASE("modules in blackbox_exporter's format load", "[probe]") {
  const std::string yaml = R"yaml(
modules:
  http_2xx: { prober: http }
  http_post_2xx: { prober: http, timeout: 5s, http: { method: POST, preferred_ip_protocol: ip4 } }
  pop3s_banner:
    prober: tcp
    tcp:
      query_response:
        - expect: "^+OK"
      tls: true
      tls_config: { insecure_skip_verify: false }
  irc_banner:
    prober: tcp
    tcp:
      query_response:
        - send: "NICK prober"
        - expect: "PING :([^ ]+)"
          send: "PONG ${1}"
  dns_soa: { prober: dns, dns: { query_name: example.com, query_type: SOA } }
  icmp_ttl5: { prober: icmp, icmp: { ttl: 5 } }
)yaml";
  config::Diagnostics diagnostics("blackbox.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  const auto modules = collectors::probe::ReadModules(node, diagnostics);
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  REQUIRE(modules.size() == 6);
  REQUIRE(modules.at("http_post_2xx").http.method == "POST");
  REQUIRE(modules.at("http_post_2xx").ip == collectors::probe::IpChoice::kIp4First);
  REQUIRE(modules.at("http_post_2xx").timeout == Milliseconds(5000));
  REQUIRE(modules.at("irc_banner").tcp.steps.at(1).send == "PONG ${1}");
  REQUIRE(modules.at("icmp_ttl5").icmp.ttl == 5);
  REQUIRE(modules.at("dns_soa").dns.type == 6);
}

}  // namespace vigia::test
