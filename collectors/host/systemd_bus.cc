#include "collectors/host/systemd_bus.h"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstdlib>

namespace vigia::collectors::host {
namespace {

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kManagerPath[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";

struct Unref {
  void operator()(sd_bus* bus) const { ::sd_bus_close_unref(bus); }
  void operator()(sd_bus_message* message) const { ::sd_bus_message_unref(message); }
  void operator()(char* text) const { std::free(text); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

// The error of a call, as a value that frees itself.
class BusError {
 public:
  BusError() = default;
  ~BusError() { ::sd_bus_error_free(&error_); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;

  sd_bus_error* get() { return &error_; }
  std::string Message(int result) const {
    return error_.message ? error_.message : SystemError("D-Bus", -result).message();
  }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

class SystemdBus final : public SystemdSource {
 public:
  Result<bool> Begin(Deadline deadline) override {
    deadline_ = deadline;
    if (!bus_) {
      sd_bus* bus = nullptr;
      const int result = ::sd_bus_open_system_with_description(&bus, "vigia");
      if (result == -ENOENT || result == -ECONNREFUSED) return false;
      if (result < 0) return Fail(SystemError("system bus", -result));
      bus_.reset(bus);
    }
    return true;
  }

  Result<std::vector<SystemdUnit>> ListUnits() override {
    Limit();
    BusError error;
    sd_bus_message* raw = nullptr;
    const int result = ::sd_bus_call_method(bus_.get(), kService, kManagerPath, kManager,
                                            "ListUnits", error.get(), &raw, "");
    const Owned<sd_bus_message> reply(raw);
    if (result < 0) return Lose(error.Message(result), result);
    auto units = ReadUnits(reply.get());
    if (!units) return Lose("ListUnits: not understood", -EBADMSG);
    return std::move(*units);
  }

  std::optional<std::string> ManagerText(const char* property) override {
    return Text(kManagerPath, kManager, property);
  }

  std::optional<std::string> UnitText(const std::string& unit, const char* interface,
                                      const char* property) override {
    return Text(PathOf(unit).c_str(), InterfaceName(interface).c_str(), property);
  }

  std::optional<std::uint64_t> UnitNumber(const std::string& unit, const char* interface,
                                          const char* property) override {
    Limit();
    BusError error;
    sd_bus_message* raw = nullptr;
    const auto path = PathOf(unit);
    const auto name = InterfaceName(interface);
    // The type is read from the answer: some counters are 32 bits wide, others 64.
    const int result =
        ::sd_bus_call_method(bus_.get(), kService, path.c_str(), "org.freedesktop.DBus.Properties",
                             "Get", error.get(), &raw, "ss", name.c_str(), property);
    const Owned<sd_bus_message> reply(raw);
    if (result < 0) return std::nullopt;
    return ReadNumber(reply.get());
  }

 private:
  static std::string InterfaceName(const char* interface) {
    return std::string("org.freedesktop.systemd1.") + interface;
  }

  static std::string PathOf(const std::string& unit) {
    char* raw = nullptr;
    if (::sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &raw) < 0) return "/";
    const Owned<char> path(raw);
    return path.get();
  }

  static std::optional<std::vector<SystemdUnit>> ReadUnits(sd_bus_message* reply) {
    std::vector<SystemdUnit> units;
    if (::sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0) return std::nullopt;
    while (true) {
      const char* name = nullptr;
      const char* load = nullptr;
      const char* active = nullptr;
      // Name, description, load state, active state, sub state, ...
      const int result =
          ::sd_bus_message_read(reply, "(ssssssouso)", &name, nullptr, &load, &active, nullptr,
                                nullptr, nullptr, nullptr, nullptr, nullptr);
      if (result < 0) return std::nullopt;
      if (result == 0) return units;
      units.push_back({name, load, active});
    }
  }

  static std::optional<std::uint64_t> ReadNumber(sd_bus_message* reply) {
    const char* contents = nullptr;
    char type = 0;
    if (::sd_bus_message_peek_type(reply, &type, &contents) < 0 || type != 'v' || !contents ||
        ::sd_bus_message_enter_container(reply, 'v', contents) < 0) {
      return std::nullopt;
    }
    if (*contents == 'u') {
      std::uint32_t value = 0;
      if (::sd_bus_message_read_basic(reply, 'u', &value) > 0) return value;
    } else if (*contents == 't') {
      std::uint64_t value = 0;
      if (::sd_bus_message_read_basic(reply, 't', &value) > 0) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string> Text(const char* path, const char* interface, const char* property) {
    Limit();
    BusError error;
    char* raw = nullptr;
    if (::sd_bus_get_property_string(bus_.get(), kService, path, interface, property, error.get(),
                                     &raw) < 0) {
      return std::nullopt;
    }
    const Owned<char> text(raw);
    return text.get();
  }

  // The next call waits no longer than there is time; 1 ms is as good as nothing.
  void Limit() {
    const auto left = std::max(deadline_->Left(), std::chrono::milliseconds(1));
    ::sd_bus_set_method_call_timeout(
        bus_.get(), static_cast<std::uint64_t>(std::chrono::microseconds(left).count()));
  }

  tl::unexpected<Error> Lose(std::string_view what, int result) {
    bus_.reset();
    const auto code = result == -ETIMEDOUT ? ErrorCode::kTimeout : ErrorCode::kUnavailable;
    return Fail(code, "systemd: " + std::string(what));
  }

  std::optional<Deadline> deadline_;
  Owned<sd_bus> bus_;
};

}  // namespace

std::unique_ptr<SystemdSource> MakeSystemdBus() { return std::make_unique<SystemdBus>(); }

}  // namespace vigia::collectors::host
