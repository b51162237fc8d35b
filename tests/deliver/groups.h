// Notifications, and receivers to tell them to, for the tests of delivery.

#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "alerting/deliver/receiver.h"
#include "core/config/yaml.h"
#include "tests/support/http_stub.h"

namespace vigia::test {

using namespace alerting;
using namespace alerting::deliver;

inline constexpr Timestamp kNow = 1'700'000'000'000;

inline Notification Group(std::size_t alerts, std::size_t description = 40) {
  Notification group{.receiver = "team",
                     .group_key = "{}:{alertname=\"Down\"}",
                     .group_labels = {{"alertname", "Down"}},
                     .external_url = "http://vigia.example",
                     .reason = "first notification",
                     .delivery_id = "d-1",
                     .now = kNow};
  for (std::size_t i = 0; i < alerts; ++i) {
    const auto instance = "host" + std::to_string(i);
    const std::string text(description, 'x');
    group.alerts.push_back(
        {.labels = {{"alertname", "Down"},
                    {"instance", instance},
                    {"severity", i % 7 == 3 ? "critical" : "warning"}},
         .annotations = {{"summary", instance + " is down"}, {"description", text}},
         .starts_at = kNow - 60'000 - static_cast<Timestamp>(i),
         .ends_at = kNow + 60'000,
         .generator_url = "http://vigia.example/g"});
  }
  group.common_labels = CommonLabels(group.alerts);
  group.common_annotations = CommonAnnotations(group.alerts);
  return group;
}

// A group whose only alert has ended.
inline Notification Resolved() {
  auto group = Group(1);
  group.alerts[0].ends_at = group.now - 1;
  return group;
}

// One receiver from YAML of a receiver of alertmanager.yml.
inline std::unique_ptr<Receiver> MakeReceiver(const std::string& yaml) {
  config::Diagnostics diagnostics("alertmanager.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  const config::Node global;
  config::MapReader reader(node, diagnostics);
  auto made = ReadReceiver(reader, global, ".", nullptr, SystemClock());
  reader.Finish();
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  REQUIRE(made.size() == 1);
  return std::move(made.front());
}

inline Outcome Send(Receiver& receiver, const Notification& notification) {
  return receiver.Deliver(notification, Deadline::After(SystemClock(), 10s));
}

// The requests whose path is `path`, whatever their query.
inline std::vector<StubRequest> To(const HttpStub& stub, const std::string& path) {
  std::vector<StubRequest> out;
  for (const auto& request : stub.requests()) {
    if (request.target.substr(0, request.target.find('?')) == path) out.push_back(request);
  }
  return out;
}

}  // namespace vigia::test
