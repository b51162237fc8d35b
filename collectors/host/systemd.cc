// States of systemd's units, over D-Bus. Off by default: it asks systemd about every unit.
//
// Options: unit_include, unit_exclude (regular expressions for whole names; both apply), and what
// costs further questions for every service: restarts, tasks, start_time.

#include "collectors/host/systemd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "collectors/host/name_filter.h"
#include "core/number.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_systemd_version", "Version of systemd."},
    Metric{"node_systemd_virtualization_info", "What systemd runs in; always 1."},
    Metric{"node_systemd_system_running", "Whether the system is up, without a failed unit."},
    Metric{"node_systemd_units", "Units in each state."},
    Metric{"node_systemd_unit_state", "1 for the state that the unit is in, 0 for the others."},
    Metric{"node_systemd_unit_start_time_seconds", "When the unit became active, as Unix time.",
           kGauge, "seconds"},
    Metric{"node_systemd_unit_tasks_current", "Tasks of the service."},
    Metric{"node_systemd_unit_tasks_max", "Tasks that the service may have."},
    Metric{"node_systemd_service_restart_total", "Times that the service was restarted.", kCounter},
    Metric{"node_systemd_timer_last_trigger_seconds", "When the timer last fired, as Unix time.",
           kGauge, "seconds"},
    Metric{"node_systemd_socket_accepted_connections_total", "Connections that the socket took.",
           kCounter},
    Metric{"node_systemd_socket_current_connections", "Connections of the socket."},
    Metric{"node_systemd_socket_refused_connections_total", "Connections that the socket refused.",
           kCounter},
};

constexpr std::array<std::string_view, 5> kStates{"active", "activating", "deactivating",
                                                  "inactive", "failed"};

// "252.39-1~deb12u1" is 252.39.
double VersionNumber(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_of("0123456789"), text.size());
  std::size_t end = std::min(text.find_first_not_of("0123456789", begin), text.size());
  if (end + 1 < text.size() && text[end] == '.' && text[end + 1] >= '0' && text[end + 1] <= '9') {
    end = std::min(text.find_first_not_of("0123456789", end + 1), text.size());
  }
  return ParseDouble(text.substr(begin, end - begin)).value_or(0);
}

class SystemdCollector final : public Collector {
 public:
  SystemdCollector(std::unique_ptr<SystemdSource> source, config::MapReader& options)
      : source_(std::move(source)),
        wanted_(NameFilter::ReadWhole(options, "unit", ".+",
                                      ".+\\.(automount|device|mount|scope|slice)")) {
    options.Read("restarts", restarts_);
    options.Read("tasks", tasks_);
    options.Read("start_time", start_time_);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto there = source_->Begin(deadline);
    if (!there) return Fail(there.error());
    if (!*there) return Ok();
    auto units = source_->ListUnits();
    if (!units) return Fail(units.error());
    // systemd lists them in no order.
    std::sort(units->begin(), units->end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    AddManager(batch);
    AddSummary(*units, batch);
    for (const auto& unit : *units) {
      if (unit.load_state != "loaded" || !wanted_.Accepts(unit.name)) continue;
      if (deadline.Passed()) {
        return Fail(ErrorCode::kTimeout, "systemd: " + unit.name + ": not asked in time");
      }
      AddUnit(unit, batch);
    }
    return Ok();
  }

 private:
  void AddManager(Batch& batch) {
    const auto version = source_->ManagerText("Version");
    if (version) {
      batch.Add(kMetrics[0], {{"version", *version}}, VersionNumber(*version));
    }
    if (const auto type = source_->ManagerText("Virtualization")) {
      batch.Add(kMetrics[1], {{"virtualization_type", type->empty() ? "none" : *type}}, 1);
    }
    if (const auto state = source_->ManagerText("SystemState")) {
      batch.Add(kMetrics[2], *state == "running" ? 1 : 0);
    }
  }

  static void AddSummary(const std::vector<SystemdUnit>& units, Batch& batch) {
    for (const auto state : kStates) {
      const auto count = std::count_if(
          units.begin(), units.end(), [&](const auto& unit) { return unit.active_state == state; });
      batch.Add(kMetrics[3], {{"state", state}}, static_cast<double>(count));
    }
  }

  void AddUnit(const SystemdUnit& unit, Batch& batch) {
    const bool is_service = unit.name.ends_with(".service");
    const char* const interface = is_service                      ? "Service"
                                  : unit.name.ends_with(".mount") ? "Mount"
                                                                  : nullptr;
    const auto type =
        interface ? source_->UnitText(unit.name, interface, "Type").value_or("") : std::string();
    for (const auto state : kStates) {
      batch.Add(kMetrics[4], {{"name", unit.name}, {"state", state}, {"type", type}},
                unit.active_state == state ? 1 : 0);
    }
    if (start_time_) AddStartTime(unit, batch);
    if (is_service) AddService(unit.name, batch);
    if (unit.name.ends_with(".timer")) {
      AddNumber(kMetrics[9], unit.name, "Timer", "LastTriggerUSec", 1e6, batch);
    }
    if (unit.name.ends_with(".socket")) {
      AddNumber(kMetrics[10], unit.name, "Socket", "NAccepted", 1, batch);
      AddNumber(kMetrics[11], unit.name, "Socket", "NConnections", 1, batch);
      AddNumber(kMetrics[12], unit.name, "Socket", "NRefused", 1, batch);
    }
  }

  void AddStartTime(const SystemdUnit& unit, Batch& batch) {
    if (unit.active_state == "active") {
      AddNumber(kMetrics[5], unit.name, "Unit", "ActiveEnterTimestamp", 1e6, batch);
    } else {
      batch.Add(kMetrics[5], {{"name", unit.name}}, 0);
    }
  }

  void AddService(const std::string& name, Batch& batch) {
    if (tasks_) {
      AddNumber(kMetrics[6], name, "Service", "TasksCurrent", 1, batch);
      AddNumber(kMetrics[7], name, "Service", "TasksMax", 1, batch);
    }
    if (restarts_) AddNumber(kMetrics[8], name, "Service", "NRestarts", 1, batch);
  }

  void AddNumber(const Metric& metric, const std::string& unit, const char* interface,
                 const char* property, double divisor, Batch& batch) {
    const auto value = source_->UnitNumber(unit, interface, property);
    // systemd's word for "not known" and "no limit".
    constexpr auto kNone = std::numeric_limits<std::uint64_t>::max();
    if (!value || *value == kNone) return;
    batch.Add(metric, {{"name", unit}}, static_cast<double>(*value) / divisor);
  }

  const std::unique_ptr<SystemdSource> source_;
  const NameFilter wanted_;
  bool restarts_ = false;
  bool tasks_ = false;
  bool start_time_ = false;
};

}  // namespace

std::unique_ptr<Collector> MakeSystemdWith(std::unique_ptr<SystemdSource> source,
                                           config::MapReader& options) {
  return std::make_unique<SystemdCollector>(std::move(source), options);
}

std::unique_ptr<Collector> MakeSystemd(const Paths&, config::MapReader& options) {
  return MakeSystemdWith(MakeSystemdBus(), options);
}

}  // namespace vigia::collectors::host
