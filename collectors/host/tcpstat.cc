// TCP connections by state, from /proc/net/tcp and tcp6. Off by default: the kernel walks its
// whole table of connections for it (1 ms on an idle machine, more with many connections).

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/queues.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_tcp_connection_states",
           "TCP connections by state; rx_queued_bytes and tx_queued_bytes are what all of them "
           "have queued."},
};

// From 1 on, as in include/net/tcp_states.h.
constexpr std::array<std::string_view, 12> kStates{
    "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2", "time_wait",
    "close",       "close_wait", "last_ack", "listen",    "closing",   "new_syn_recv"};

class TcpstatCollector final : public Collector {
 public:
  explicit TcpstatCollector(const Paths& paths)
      : tcp_(paths.procfs / "net/tcp"), tcp6_(paths.procfs / "net/tcp6") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    Sums sums;
    const auto tcp = tcp_.Read();
    if (!tcp) return Fail(tcp.error());
    if (auto status = AddTable(tcp_, *tcp, sums); !status) return status;
    const auto tcp6 = tcp6_.ReadIfPresent();
    if (!tcp6) return Fail(tcp6.error());
    if (auto status = AddTable(tcp6_, tcp6->value_or(""), sums); !status) return status;

    for (std::size_t i = 0; i < kStates.size(); ++i) {
      batch.Add(kMetrics[0], {{"state", kStates[i]}}, static_cast<double>(sums.states[i]));
    }
    batch.Add(kMetrics[0], {{"state", "rx_queued_bytes"}},
              static_cast<double>(sums.queues.received));
    batch.Add(kMetrics[0], {{"state", "tx_queued_bytes"}}, static_cast<double>(sums.queues.sent));
    return Ok();
  }

 private:
  struct Sums {
    std::array<std::uint64_t, kStates.size()> states{};
    QueueLengths queues;
  };

  // "   0: 0100007F:0019 00000000:0000 0A 00000000:00000001 ...": state, then the queues out and
  // in.
  static Status AddTable(const ProcFile& file, std::string_view text, Sums& sums) {
    Lines lines(text);
    lines.Next();  // headings
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      for (int i = 0; i < 3; ++i) fields.Next();
      const auto state = ParseNumber(fields.Next(), 16);
      const auto queues = ParseQueues(fields.Next());
      if (!state || *state < 1 || *state > kStates.size() || !queues) {
        return Fail(Malformed(file.path(), "'" + std::string(*line) + "' is not a connection"));
      }
      ++sums.states[*state - 1];
      sums.queues.sent += queues->sent;
      sums.queues.received += queues->received;
    }
    return Ok();
  }

  ProcFile tcp_;
  ProcFile tcp6_;
};

}  // namespace

std::unique_ptr<Collector> MakeTcpstat(const Paths& paths, config::MapReader&) {
  return std::make_unique<TcpstatCollector>(paths);
}

}  // namespace vigia::collectors::host
