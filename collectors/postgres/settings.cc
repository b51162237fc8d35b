// Settings as series: pg_settings_max_connections, pg_settings_work_mem_bytes, ...

#include <array>
#include <optional>

#include "collectors/postgres/subjects.h"
#include "core/metric_table.h"

namespace vigia::collectors::postgres {
namespace {

// What this session has set for itself says nothing about the server: there, what it had before.
// sync_commit_cancel_wait is an Azure extra whose type is not what it says.
constexpr const char* kSql = R"(
SELECT name,
       CASE WHEN source = 'session' OR name = 'transaction_read_only' THEN reset_val
            ELSE setting END,
       unit, vartype
FROM pg_settings
WHERE vartype IN ('bool', 'integer', 'real') AND name <> 'sync_commit_cancel_wait')";

constexpr Metric kPlaceholder{"pg_settings_<name>",
                              "A setting of the server, in seconds or bytes where it has a unit."};

struct Unit {
  std::string_view base;  // "seconds", "bytes" or empty
  double factor = 1;
};

// Units are those of postgresql.conf, memory with the block size in front of it ("8kB", "16MB").
std::optional<Unit> ReadUnit(std::string_view unit) {
  struct Known {
    std::string_view name;
    Unit unit;
  };
  static constexpr std::array kTimes{
      Known{"us", {"seconds", 1e-6}}, Known{"ms", {"seconds", 1e-3}},
      Known{"s", {"seconds", 1}},     Known{"min", {"seconds", 60}},
      Known{"h", {"seconds", 3600}},  Known{"d", {"seconds", 86400}},
  };
  static constexpr std::array kSizes{
      Known{"B", {"bytes", 1}},
      Known{"kB", {"bytes", 1024.0}},
      Known{"MB", {"bytes", 1024.0 * 1024}},
      Known{"GB", {"bytes", 1024.0 * 1024 * 1024}},
      Known{"TB", {"bytes", 1024.0 * 1024 * 1024 * 1024}},
  };
  if (unit.empty()) return Unit{};
  for (const auto& known : kTimes) {
    if (unit == known.name) return known.unit;
  }
  const std::size_t digits = std::min(unit.find_first_not_of("0123456789"), unit.size());
  const double count = digits == 0 ? 1 : ParseNumber(unit.substr(0, digits)).value_or(1);
  for (const auto& known : kSizes) {
    if (unit.substr(digits) == known.name) return Unit{known.unit.base, count * known.unit.factor};
  }
  return std::nullopt;
}

class SettingsSubject final : public Subject {
 public:
  SettingsSubject() : Subject("settings") {}

  void Describe(std::vector<Metric>& metrics) const override { metrics.push_back(kPlaceholder); }

  std::string_view FirstStatement(int) const override { return "settings"; }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    const auto rows = connection.Query("settings", kSql, deadline);
    if (!rows) return Fail(rows.error());
    std::size_t place = 0;
    return rows->ForEach([&](Row row) -> Status {
      const auto& setting = At(place++, row);
      if (!setting.metric) return Ok();
      if (setting.boolean) {
        batch.Add(*setting.metric, row[1].text == "on" ? 1 : 0);
        return Ok();
      }
      const auto number = ParseNumber(row[1].text);
      if (!number) return Fail(number.error().In(row[0].text));
      // -1 means "off" or "automatic" in whatever unit.
      batch.Add(*setting.metric, *number == -1 ? -1 : *number * setting.factor);
      return Ok();
    });
  }

 private:
  struct Setting {
    std::string name;
    const Metric* metric = nullptr;  // none: its unit is not known
    double factor = 1;
    bool boolean = false;
  };

  // The setting of a row; names come in the same order each time, so it is the one that stood
  // in the same place.
  const Setting& At(std::size_t place, Row row) {
    if (place >= settings_.size()) settings_.resize(place + 1);
    auto& setting = settings_[place];
    if (setting.name != row[0].text) setting = Make(row);
    return setting;
  }

  Setting Make(Row row) {
    Setting setting;
    setting.name = row[0].text;
    setting.boolean = row[3].text == "bool";
    const auto unit = ReadUnit(setting.boolean ? std::string_view() : row[2].text);
    if (!unit) return setting;
    setting.factor = unit->factor;
    std::string name = "pg_settings_" + setting.name;
    for (char& c : name) {
      const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!fits) c = '_';
    }
    std::string help = "Server parameter " + setting.name;
    if (!unit->base.empty()) {
      name += '_';
      name += unit->base;
      help += ", in ";
      help += unit->base;
    }
    setting.metric = &metrics_.Get(name, help + '.', MetricType::kGauge, unit->base);
    return setting;
  }

  MetricTable metrics_;
  std::vector<Setting> settings_;  // in the order of the rows
};

}  // namespace

void AddSettings(Subjects& subjects) { subjects.push_back(std::make_unique<SettingsSubject>()); }

}  // namespace vigia::collectors::postgres
