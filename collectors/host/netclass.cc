// What the network devices are and how they are set up, from /sys/class/net.
//
// There are some twenty files for each device, and what they say changes rarely: on the host itself
// they are read when the kernel announces a change, and once a minute.
//
// Options: device_include or device_exclude (regular expressions), ignore_invalid_speed (leaves
// out the speed of a device that does not know it; else it is negative).

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/link_events.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_network_address_assign_type",
           "Where the address comes from: 0 permanent, 1 random, 2 taken from another, 3 set."},
    Metric{"node_network_carrier", "Whether there is a physical link."},
    Metric{"node_network_carrier_changes_total", "Times that the link went up or down.", kCounter},
    Metric{"node_network_carrier_up_changes_total", "Times that the link went up.", kCounter},
    Metric{"node_network_carrier_down_changes_total", "Times that the link went down.", kCounter},
    Metric{"node_network_device_id", "Tells devices apart that share one hardware address."},
    Metric{"node_network_dormant", "Whether the device waits for an event, such as a login."},
    Metric{"node_network_flags", "Flags of the device, as a bit mask."},
    Metric{"node_network_iface_id", "Index of the device."},
    Metric{"node_network_iface_link", "Index of the device that this one runs over."},
    Metric{"node_network_iface_link_mode", "Policy of the link: 0 default, 1 dormant."},
    Metric{"node_network_mtu_bytes", "Largest packet that the device sends.", kGauge, "bytes"},
    Metric{"node_network_name_assign_type",
           "Who named the device: 1 kernel, 2 predictably, 3 user, 4 renamed."},
    Metric{"node_network_net_dev_group", "Group of devices that it belongs to."},
    Metric{"node_network_transmit_queue_length", "Packets that the send queue holds at most."},
    Metric{"node_network_protocol_type", "Link protocol: 1 is Ethernet, 772 loopback."},
    Metric{"node_network_speed_bytes", "Bytes per second that the link carries.", kGauge, "bytes"},
    Metric{"node_network_up", "Whether the device is operational."},
    Metric{"node_network_info", "Addresses and state of the device; always 1."},
};

// The attributes that are numbers, in the order of kMetrics.
constexpr std::array<std::string_view, 17> kNumbers{"addr_assign_type",
                                                    "carrier",
                                                    "carrier_changes",
                                                    "carrier_up_count",
                                                    "carrier_down_count",
                                                    "dev_id",
                                                    "dormant",
                                                    "flags",
                                                    "ifindex",
                                                    "iflink",
                                                    "link_mode",
                                                    "mtu",
                                                    "name_assign_type",
                                                    "netdev_group",
                                                    "tx_queue_len",
                                                    "type",
                                                    "speed"};
constexpr std::size_t kSpeed = 16;
constexpr const Metric& kUp = kMetrics[17];
constexpr const Metric& kInfo = kMetrics[18];
constexpr double kBytesPerMegabit = 125'000;

// Sorted as labels are.
constexpr std::array<std::string_view, 5> kTexts{"address", "broadcast", "duplex", "ifalias",
                                                 "operstate"};
constexpr std::size_t kOperState = 4;

// Some attributes change without an announcement, such as the group of a device.
constexpr Duration kReadAnyway = 60s;

// An attribute and what it said when it was read last.
struct Number {
  SysFile file;
  std::optional<std::int64_t> value;
};
struct Text {
  SysFile file;
  std::optional<std::string> value;
};

struct Device {
  std::string name;
  std::vector<Number> numbers;
  std::vector<Text> texts;

  Status Read() {
    for (auto& number : numbers) {
      const auto value = number.file.ReadNumber();
      if (!value) return Fail(value.error());
      number.value = *value;
    }
    SysBuffer buffer;
    for (auto& text : texts) text.value = text.file.Read(buffer);
    return Ok();
  }
};

class NetclassCollector final : public Collector {
 public:
  NetclassCollector(const Paths& paths, config::MapReader& options)
      : devices_(paths.sysfs / "class/net"),
        announced_(paths.sysfs == "/sys"),
        wanted_(NameFilter::Read(options, "device", "")) {
    options.Read("ignore_invalid_speed", ignore_invalid_speed_);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    if (IsNews(deadline.clock().Now())) {
      const auto open = [this](const auto& name, const auto& folder) { return Open(name, folder); };
      for (auto& device : devices_.Refresh(open)) {
        if (auto status = device.Read(); !status) return status;
      }
      fresh_ = true;
    }
    for (const auto& device : devices_.Get()) AddDevice(device, batch);
    return Ok();
  }

 private:
  // Clears fresh_ if the attributes are to be read again.
  bool IsNews(Instant now) {
    const bool news = !announced_ || events_.Changed() || now >= read_next_;
    if (!news) return !fresh_;
    fresh_ = false;
    read_next_ = now + kReadAnyway;
    return true;
  }

  std::optional<Device> Open(const std::string& name, const std::filesystem::path& folder) const {
    if (!wanted_.Accepts(name)) return std::nullopt;
    Device device{name, {}, {}};
    for (const auto file : kNumbers) device.numbers.push_back({SysFile(folder / file), {}});
    for (const auto file : kTexts) device.texts.push_back({SysFile(folder / file), {}});
    return device;
  }

  void AddDevice(const Device& device, Batch& batch) const {
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      const auto& value = device.numbers[i].value;
      if (!value || (i == kSpeed && *value < 0 && ignore_invalid_speed_)) continue;
      const double factor = i == kSpeed ? kBytesPerMegabit : 1;
      batch.Add(kMetrics[i], {{"device", device.name}}, static_cast<double>(*value) * factor);
    }
    std::array<LabelView, kTexts.size() + 1> labels;
    bool any = false;
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      const auto& text = device.texts[i].value;
      any = any || text;
      labels[i] = {kTexts[i], text ? std::string_view(*text) : ""};
    }
    if (!any) return;  // the device went away
    labels.back() = {"device", device.name};
    batch.Add(kUp, {{"device", device.name}}, labels[kOperState].value == "up" ? 1 : 0);
    batch.Add(kInfo, labels, 1);
  }

  SysDevices<Device> devices_;
  LinkEvents events_;
  const bool announced_;  // whether these are the devices that events_ tells of
  const NameFilter wanted_;
  bool ignore_invalid_speed_ = false;
  bool fresh_ = false;  // the devices' values are as last announced
  Instant read_next_{};
};

}  // namespace

std::unique_ptr<Collector> MakeNetclass(const Paths& paths, config::MapReader& options) {
  return std::make_unique<NetclassCollector>(paths, options);
}

}  // namespace vigia::collectors::host
