#include <catch2/catch.hpp>
#include <map>

#include "collectors/host/systemd.h"
#include "tests/support/collect.h"

using namespace vigia;
using namespace vigia::test;
using collectors::host::SystemdUnit;

namespace {

// A machine that the test makes up.
class FakeSystemd final : public collectors::host::SystemdSource {
 public:
  bool there = true;
  std::vector<SystemdUnit> units;
  std::map<std::string, std::string> texts;      // by "unit interface property"
  std::map<std::string, std::uint64_t> numbers;  // likewise

  Result<bool> Begin(Deadline) override { return there; }
  Result<std::vector<SystemdUnit>> ListUnits() override { return units; }
  std::optional<std::string> ManagerText(const char* property) override {
    return Find(texts, property);
  }
  std::optional<std::string> UnitText(const std::string& unit, const char* interface,
                                      const char* property) override {
    return Find(texts, unit + " " + interface + " " + property);
  }
  std::optional<std::uint64_t> UnitNumber(const std::string& unit, const char* interface,
                                          const char* property) override {
    return Find(numbers, unit + " " + interface + " " + property);
  }

 private:
  template <typename T>
  static std::optional<T> Find(const std::map<std::string, T>& map, const std::string& key) {
    const auto at = map.find(key);
    return at == map.end() ? std::nullopt : std::optional<T>(at->second);
  }
};

std::string Run(std::unique_ptr<FakeSystemd> systemd,
                std::vector<std::pair<std::string, std::string>> options = {}) {
  config::Node node;
  node.kind = config::Node::Kind::kMap;
  for (const auto& [key, value] : options) {
    config::Node scalar;
    scalar.kind = config::Node::Kind::kScalar;
    scalar.text = value;
    node.entries.push_back({{key, {}}, scalar});
  }
  config::Diagnostics diagnostics("options");
  config::MapReader reader(node, diagnostics);
  const auto collector = collectors::host::MakeSystemdWith(std::move(systemd), reader);
  reader.Finish();
  if (!diagnostics.ok()) return diagnostics.ToString();
  Batch batch;
  const auto reading = CollectOnce(*collector, batch);
  return reading ? ReadingText(**reading) : "error: " + reading.error().message();
}

std::unique_ptr<FakeSystemd> Machine() {
  auto systemd = std::make_unique<FakeSystemd>();
  systemd->units = {{"ssh.service", "loaded", "active"},
                    {"backup.timer", "loaded", "inactive"},
                    {"dev-sda.device", "loaded", "active"},
                    {"gone.service", "not-found", "inactive"},
                    {"api.socket", "loaded", "failed"}};
  systemd->texts = {{"Version", "252.39-1~deb12u1"},
                    {"SystemState", "degraded"},
                    {"Virtualization", ""},
                    {"ssh.service Service Type", "notify"}};
  systemd->numbers = {{"backup.timer Timer LastTriggerUSec", 1'700'000'000'500'000},
                      {"api.socket Socket NAccepted", 5},
                      {"api.socket Socket NConnections", 2},
                      {"ssh.service Service TasksCurrent", 3},
                      {"ssh.service Service TasksMax", UINT64_MAX},
                      {"ssh.service Service NRestarts", 1},
                      {"ssh.service Unit ActiveEnterTimestamp", 1'700'000'000'000'000}};
  return systemd;
}

}  // namespace

TEST_CASE("systemd collector reports units and their states", "[collectors]") {
  REQUIRE(Run(Machine()) ==
          "node_systemd_version{version=\"252.39-1~deb12u1\"} 252.39\n"
          "node_systemd_virtualization_info{virtualization_type=\"none\"} 1\n"
          "node_systemd_system_running 0\n"
          "node_systemd_units{state=\"active\"} 2\n"
          "node_systemd_units{state=\"activating\"} 0\n"
          "node_systemd_units{state=\"deactivating\"} 0\n"
          "node_systemd_units{state=\"inactive\"} 2\n"
          "node_systemd_units{state=\"failed\"} 1\n"
          "node_systemd_unit_state{name=\"api.socket\",state=\"active\"} 0\n"
          "node_systemd_unit_state{name=\"api.socket\",state=\"activating\"} 0\n"
          "node_systemd_unit_state{name=\"api.socket\",state=\"deactivating\"} 0\n"
          "node_systemd_unit_state{name=\"api.socket\",state=\"inactive\"} 0\n"
          "node_systemd_unit_state{name=\"api.socket\",state=\"failed\"} 1\n"
          "node_systemd_unit_state{name=\"backup.timer\",state=\"active\"} 0\n"
          "node_systemd_unit_state{name=\"backup.timer\",state=\"activating\"} 0\n"
          "node_systemd_unit_state{name=\"backup.timer\",state=\"deactivating\"} 0\n"
          "node_systemd_unit_state{name=\"backup.timer\",state=\"inactive\"} 1\n"
          "node_systemd_unit_state{name=\"backup.timer\",state=\"failed\"} 0\n"
          "node_systemd_unit_state{name=\"ssh.service\",state=\"active\",type=\"notify\"} 1\n"
          "node_systemd_unit_state{name=\"ssh.service\",state=\"activating\",type=\"notify\"} 0\n"
          "node_systemd_unit_state{name=\"ssh.service\",state=\"deactivating\",type=\"notify\"} 0\n"
          "node_systemd_unit_state{name=\"ssh.service\",state=\"inactive\",type=\"notify\"} 0\n"
          "node_systemd_unit_state{name=\"ssh.service\",state=\"failed\",type=\"notify\"} 0\n"
          "node_systemd_socket_accepted_connections_total{name=\"api.socket\"} 5\n"
          "node_systemd_socket_current_connections{name=\"api.socket\"} 2\n"
          "node_systemd_timer_last_trigger_seconds{name=\"backup.timer\"} 1700000000.5\n");
}

TEST_CASE("systemd collector asks for more when told, of the units that are wanted",
          "[collectors]") {
  const auto text = Run(
      Machine(),
      {{"unit_include", "ssh.*"}, {"restarts", "true"}, {"tasks", "true"}, {"start_time", "true"}});
  REQUIRE(text.find("api.socket") == std::string::npos);
  REQUIRE(text.find("node_systemd_unit_start_time_seconds{name=\"ssh.service\"} 1700000000\n"
                    "node_systemd_unit_tasks_current{name=\"ssh.service\"} 3\n"
                    "node_systemd_service_restart_total{name=\"ssh.service\"} 1\n") !=
          std::string::npos);
  REQUIRE(Run(Machine(), {{"unit_include", "sh.*"}}).find("unit_state") == std::string::npos);
  REQUIRE(Run(Machine(), {{"unit_exclude", ""}}).find("dev-sda.device") != std::string::npos);
}

TEST_CASE("systemd collector reports nothing on a machine without systemd", "[collectors]") {
  auto systemd = Machine();
  systemd->there = false;
  REQUIRE(Run(std::move(systemd)) == "");
}
