// Traffic of the network devices, from /proc/net/dev and, for what that lacks,
// /sys/class/net/<device>/statistics.

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kCounter = MetricType::kCounter;

// In the order of the columns of /proc/net/dev.
constexpr std::array kMetrics{
    Metric{"node_network_receive_bytes_total", "Bytes received.", kCounter},
    Metric{"node_network_receive_packets_total", "Packets received.", kCounter},
    Metric{"node_network_receive_errs_total", "Bad packets received.", kCounter},
    Metric{"node_network_receive_drop_total", "Packets received and dropped.", kCounter},
    Metric{"node_network_receive_fifo_total", "Packets lost to a full receive queue.", kCounter},
    Metric{"node_network_receive_frame_total",
           "Packets received with a wrong length, frame or checksum.", kCounter},
    Metric{"node_network_receive_compressed_total", "Compressed packets received.", kCounter},
    Metric{"node_network_receive_multicast_total", "Multicast packets received.", kCounter},
    Metric{"node_network_transmit_bytes_total", "Bytes sent.", kCounter},
    Metric{"node_network_transmit_packets_total", "Packets sent.", kCounter},
    Metric{"node_network_transmit_errs_total", "Packets that could not be sent.", kCounter},
    Metric{"node_network_transmit_drop_total", "Packets dropped on the way out.", kCounter},
    Metric{"node_network_transmit_fifo_total", "Errors of the send queue.", kCounter},
    Metric{"node_network_transmit_colls_total", "Collisions while sending.", kCounter},
    Metric{"node_network_transmit_carrier_total",
           "Packets lost to the carrier, aborts, heartbeat or window errors.", kCounter},
    Metric{"node_network_transmit_compressed_total", "Compressed packets sent.", kCounter},
    Metric{"node_network_receive_nohandler_total",
           "Packets received and dropped because nobody wanted them.", kCounter},
};
constexpr std::size_t kColumns = kMetrics.size() - 1;
constexpr const Metric& kNoHandler = kMetrics[kColumns];

class NetdevCollector final : public Collector {
 public:
  NetdevCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "net/dev"),
        devices_folder_(paths.sysfs / "class/net"),
        // Without the loopback device, as in Debian's node_exporter.
        wanted_(NameFilter::Read(options, "device", "^lo$")) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    lines.Next();  // two lines of headings
    if (!lines.Next()) return Fail(Malformed(file_.path(), "has no headings"));
    devices_.Start();
    while (const auto line = lines.Next()) {
      if (auto status = AddDevice(*line, batch); !status) return status;
    }
    devices_.Finish();
    return Ok();
  }

 private:
  struct Device {
    bool wanted;
    ProcFile no_handler;
  };

  // "  eth0: 101243633    2189    0 ...": 8 columns received, 8 sent.
  Status AddDevice(std::string_view line, Batch& batch) {
    const auto colon = line.rfind(':');  // a name may contain colons, too
    if (colon == line.npos) {
      return Fail(Malformed(file_.path(), "'" + std::string(line) + "' names no device"));
    }
    const auto name = Trim(line.substr(0, colon));
    auto& device = devices_.Next(name, [this](std::string_view of) {
      return Device{wanted_.Accepts(of),
                    ProcFile(devices_folder_ / of / "statistics/rx_nohandler")};
    });
    if (!device.wanted) return Ok();
    Fields fields(line.substr(colon + 1));
    for (std::size_t i = 0; i < kColumns; ++i) {
      const auto field = fields.Next();
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(file_.path(), field));
      batch.Add(kMetrics[i], {{"device", name}}, static_cast<double>(*value));
    }
    return AddNoHandler(name, device.no_handler, batch);
  }

  static Status AddNoHandler(std::string_view name, ProcFile& file, Batch& batch) {
    const auto text = file.ReadIfPresent();
    if (!text) return Fail(text.error());
    if (!*text) return Ok();  // Linux < 4.6, no /sys, or the device has just gone
    const auto value = ParseNumber(Trim(**text));
    if (!value) return Fail(NotANumber(file.path(), Trim(**text)));
    batch.Add(kNoHandler, {{"device", name}}, static_cast<double>(*value));
    return Ok();
  }

  ProcFile file_;
  const std::filesystem::path devices_folder_;
  const NameFilter wanted_;
  LineCache<Device> devices_;
};

}  // namespace

std::unique_ptr<Collector> MakeNetdev(const Paths& paths, config::MapReader& options) {
  return std::make_unique<NetdevCollector>(paths, options);
}

}  // namespace vigia::collectors::host
