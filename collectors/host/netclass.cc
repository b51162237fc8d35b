// What the network devices are and how they are set up, from /sys/class/net.
//
// Options: device_include or device_exclude (regular expressions), ignore_invalid_speed (leaves
// out the speed of a device that does not know it; else it is negative).

#include <array>
#include <optional>

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

struct Device {
  std::string name;
  std::vector<SysFile> numbers;
  std::vector<SysFile> texts;
};

class NetclassCollector final : public Collector {
 public:
  NetclassCollector(const Paths& paths, config::MapReader& options)
      : devices_(paths.sysfs / "class/net"), wanted_(NameFilter::Read(options, "device", "")) {
    options.Read("ignore_invalid_speed", ignore_invalid_speed_);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    auto& devices =
        devices_.Refresh([this](const std::string& name, const std::filesystem::path& folder) {
          return Open(name, folder);
        });
    for (auto& device : devices) {
      if (auto status = AddDevice(device, batch); !status) return status;
    }
    return Ok();
  }

 private:
  std::optional<Device> Open(const std::string& name, const std::filesystem::path& folder) {
    if (!wanted_.Accepts(name)) return std::nullopt;
    Device device{name, {}, {}};
    for (const auto file : kNumbers) device.numbers.emplace_back(folder / file);
    for (const auto file : kTexts) device.texts.emplace_back(folder / file);
    return device;
  }

  Status AddDevice(Device& device, Batch& batch) const {
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      const auto number = device.numbers[i].ReadNumber();
      if (!number) return Fail(number.error());
      if (!*number || (i == kSpeed && **number < 0 && ignore_invalid_speed_)) continue;
      const double factor = i == kSpeed ? kBytesPerMegabit : 1;
      batch.Add(kMetrics[i], {{"device", device.name}}, static_cast<double>(**number) * factor);
    }
    AddTexts(device, batch);
    return Ok();
  }

  static void AddTexts(Device& device, Batch& batch) {
    std::array<std::array<char, 300>, kTexts.size()> buffers;
    std::array<LabelView, kTexts.size() + 1> labels;
    bool any = false;
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      const auto text = device.texts[i].Read(buffers[i]);
      any = any || text;
      labels[i] = {kTexts[i], text.value_or("")};
    }
    if (!any) return;  // the device went away
    labels.back() = {"device", device.name};
    batch.Add(kUp, {{"device", device.name}}, labels[kOperState].value == "up" ? 1 : 0);
    batch.Add(kInfo, labels, 1);
  }

  SysDevices<Device> devices_;
  const NameFilter wanted_;
  bool ignore_invalid_speed_ = false;
};

}  // namespace

std::unique_ptr<Collector> MakeNetclass(const Paths& paths, config::MapReader& options) {
  return std::make_unique<NetclassCollector>(paths, options);
}

}  // namespace vigia::collectors::host
