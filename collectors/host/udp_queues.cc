// Bytes that wait in the queues of UDP sockets, from /proc/net/udp and udp6.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/queues.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_udp_queues", "Bytes that wait in the queues of all UDP sockets."},
};

class UdpQueuesCollector final : public Collector {
 public:
  explicit UdpQueuesCollector(const Paths& paths)
      : v4_(paths.procfs / "net/udp"), v6_(paths.procfs / "net/udp6") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    if (auto status = AddQueues(v4_, "v4", batch); !status) return status;
    return AddQueues(v6_, "v6", batch);
  }

 private:
  static Status AddQueues(ProcFile& file, std::string_view ip, Batch& batch) {
    const auto text = file.ReadIfPresent();  // IPv4 or IPv6 may be missing
    if (!text) return Fail(text.error());
    if (!*text) return Ok();
    QueueLengths sum;
    Lines lines(**text);
    lines.Next();  // headings
    while (const auto line = lines.Next()) {
      // "  12: 00000000:0044 00000000:0000 07 0000000A:0000001F ...".
      Fields fields(*line);
      for (int i = 0; i < 4; ++i) fields.Next();
      const auto field = fields.Next();
      const auto queues = ParseQueues(field);
      if (!queues) {
        return Fail(Malformed(file.path(), "'" + std::string(field) + "' is not two lengths"));
      }
      sum.sent += queues->sent;
      sum.received += queues->received;
    }
    batch.Add(kMetrics[0], {{"queue", "tx"}, {"ip", ip}}, static_cast<double>(sum.sent));
    batch.Add(kMetrics[0], {{"queue", "rx"}, {"ip", ip}}, static_cast<double>(sum.received));
    return Ok();
  }

  ProcFile v4_;
  ProcFile v6_;
};

}  // namespace

std::unique_ptr<Collector> MakeUdpQueues(const Paths& paths, config::MapReader&) {
  return std::make_unique<UdpQueuesCollector>(paths);
}

}  // namespace vigia::collectors::host
