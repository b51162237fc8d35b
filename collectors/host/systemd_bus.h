// What systemd tells over D-Bus. Not thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vigia::collectors::host {

struct SystemdUnit {
  std::string name;
  std::string load_state;    // "loaded", "not-found", ...
  std::string active_state;  // "active", "failed", ...
};

class SystemdSource {
 public:
  virtual ~SystemdSource() = default;

  // Begins a round of questions, none of which is waited for beyond `deadline`; false on a
  // machine without systemd or without a system bus.
  virtual Result<bool> Begin(Deadline deadline) = 0;
  virtual Result<std::vector<SystemdUnit>> ListUnits() = 0;
  // Properties; nothing where this systemd, or a unit of this kind, has none of that name.
  // `interface` is "Unit", "Service", ...
  virtual std::optional<std::string> ManagerText(const char* property) = 0;
  virtual std::optional<std::string> UnitText(const std::string& unit, const char* interface,
                                              const char* property) = 0;
  virtual std::optional<std::uint64_t> UnitNumber(const std::string& unit, const char* interface,
                                                  const char* property) = 0;
};

// Over the system bus; connects anew after an error.
std::unique_ptr<SystemdSource> MakeSystemdBus();

}  // namespace vigia::collectors::host
