// Connections and traffic of the IP virtual server, from /proc/net/ip_vs_stats and /proc/net/ip_vs.

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_ipvs_connections_total", "Connections made.", kCounter},
    Metric{"node_ipvs_incoming_packets_total", "Packets received.", kCounter},
    Metric{"node_ipvs_outgoing_packets_total", "Packets sent.", kCounter},
    Metric{"node_ipvs_incoming_bytes_total", "Bytes received.", kCounter, "bytes"},
    Metric{"node_ipvs_outgoing_bytes_total", "Bytes sent.", kCounter, "bytes"},
    Metric{"node_ipvs_backend_weight", "Weight of the real server."},
    Metric{"node_ipvs_backend_connections_active", "Active connections to the real server."},
    Metric{"node_ipvs_backend_connections_inactive", "Inactive connections to the real server."},
};
constexpr std::size_t kTotals = 5;
constexpr std::size_t kBackendMetrics = 3;

// A service, or a real server behind one.
struct Endpoint {
  std::string address;
  std::string port;
};

// "0A0000C8:0CEA", or "[2001:0DB8:...:0001]:0050"; numbers are hexadecimal.
std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = ParseNumber<std::uint16_t>(text.substr(colon + 1), 16);
  auto host = text.substr(0, colon);
  if (!port) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> address{};
  if (host.starts_with('[') && host.ends_with(']')) {
    in6_addr raw{};
    const std::string bare(host.substr(1, host.size() - 2));
    if (::inet_pton(AF_INET6, bare.c_str(), &raw) != 1) return std::nullopt;
    ::inet_ntop(AF_INET6, &raw, address.data(), address.size());
  } else {
    const auto number = ParseNumber<std::uint32_t>(host, 16);
    if (!number || host.size() != 8) return std::nullopt;
    const in_addr raw{htonl(*number)};
    ::inet_ntop(AF_INET, &raw, address.data(), address.size());
  }
  return Endpoint{address.data(), std::to_string(*port)};
}

struct Service {
  Endpoint local;
  std::string protocol;
  std::string mark;
};

using BackendValues = std::array<double, kBackendMetrics>;

class IpvsCollector final : public Collector {
 public:
  explicit IpvsCollector(const Paths& paths)
      : totals_(paths.procfs / "net/ip_vs_stats"), services_(paths.procfs / "net/ip_vs") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = totals_.ReadIfPresent();
    if (!text) return Fail(text.error());
    if (!*text) return Ok();
    Lines lines(**text);
    lines.Next();  // two lines of headings
    lines.Next();
    Fields fields(lines.Next().value_or(""));
    for (std::size_t i = 0; i < kTotals; ++i) {
      const auto field = fields.Next();
      const auto value = ParseNumber(field, 16);
      if (!value) return Fail(NotANumber(totals_.path(), field));
      batch.Add(kMetrics[i], static_cast<double>(*value));
    }
    return AddBackends(batch);
  }

 private:
  // "TCP  0A0000C8:0CEA wlc" and "FWM  10001000 rr" begin a service, whose real servers follow:
  // "  -> 0A000015:0CEA      Tunnel  100    248        2".
  Status AddBackends(Batch& batch) {
    const auto text = services_.Read();
    if (!text) return Fail(text.error());
    Service service;
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto first = fields.Next();
      const auto second = fields.Next();
      if (first == "FWM") {
        service = {{"", "0"}, std::string(first), std::string(second)};
      } else if (first == "TCP" || first == "UDP" || first == "SCTP") {
        auto local = ParseEndpoint(second);
        if (!local) return Wrong(*line);
        service = {std::move(*local), std::string(first), ""};
      } else if (first == "->" && second != "RemoteAddress:Port") {
        const auto remote = ParseEndpoint(second);
        fields.Next();  // how packets are forwarded
        BackendValues values{};
        for (auto& value : values) {
          const auto number = ParseNumber(fields.Next());
          if (!number) return Wrong(*line);
          value = static_cast<double>(*number);
        }
        if (!remote) return Wrong(*line);
        AddBackend(service, *remote, values, batch);
      }
    }
    return Ok();
  }

  static void AddBackend(const Service& service, const Endpoint& remote,
                         const BackendValues& values, Batch& batch) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      batch.Add(kMetrics[kTotals + i],
                {{"local_address", service.local.address},
                 {"local_mark", service.mark},
                 {"local_port", service.local.port},
                 {"proto", service.protocol},
                 {"remote_address", remote.address},
                 {"remote_port", remote.port}},
                values[i]);
    }
  }

  tl::unexpected<Error> Wrong(std::string_view line) const {
    return Fail(Malformed(services_.path(), "'" + std::string(Trim(line)) + "' is no server"));
  }

  ProcFile totals_;
  ProcFile services_;
};

}  // namespace

std::unique_ptr<Collector> MakeIpvs(const Paths& paths, config::MapReader&) {
  return std::make_unique<IpvsCollector>(paths);
}

}  // namespace vigia::collectors::host
