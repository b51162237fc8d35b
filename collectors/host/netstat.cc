// Counters of the network protocols, from /proc/net/netstat, snmp and snmp6.

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_netstat_<protocol>_<field>",
           "A field of /proc/net/netstat, /proc/net/snmp or /proc/net/snmp6.",
           MetricType::kUnknown},
};

constexpr std::string_view kDefaultFields =
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
    "|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
    "|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
    "|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$";

class NetstatCollector final : public Collector {
 public:
  NetstatCollector(const Paths& paths, config::MapReader& options)
      : netstat_(paths.procfs / "net/netstat"),
        snmp_(paths.procfs / "net/snmp"),
        snmp6_(paths.procfs / "net/snmp6"),
        wanted_(NameFilter::ReadInclude(options, "fields", kDefaultFields)) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    sections_.Start();
    for (auto* file : {&netstat_, &snmp_}) {
      if (auto status = AddTable(*file, batch); !status) return status;
    }
    sections_.Finish();
    return AddList(batch);
  }

 private:
  // Two lines of a table, "Udp: InDatagrams NoPorts" and "Udp: 29 0".
  struct Section {
    std::vector<const Metric*> columns;  // null where nobody wants the field
  };

  Status AddTable(ProcFile& file, Batch& batch) {
    const auto text = file.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    while (const auto names = lines.Next()) {
      const auto numbers = lines.Next();
      const auto protocol = names->substr(0, names->find(' '));
      if (!numbers || numbers->substr(0, numbers->find(' ')) != protocol) {
        return Fail(Malformed(file.path(), "no values follow " + std::string(protocol)));
      }
      const auto& section =
          sections_.Next(*names, [this](std::string_view header) { return MakeSection(header); });
      if (auto status = AddSection(section, *numbers, file, batch); !status) return status;
    }
    return Ok();
  }

  Section MakeSection(std::string_view header) {
    Fields names(header);
    auto protocol = names.Next();
    if (protocol.ends_with(':')) protocol.remove_suffix(1);
    Section section;
    for (auto name = names.Next(); !name.empty(); name = names.Next()) {
      section.columns.push_back(MetricOf(protocol, name));
    }
    return section;
  }

  Status AddSection(const Section& section, std::string_view line, ProcFile& file, Batch& batch) {
    Fields numbers(line);
    const auto protocol = numbers.Next();
    auto number = numbers.Next();
    for (const Metric* metric : section.columns) {
      if (number.empty()) return Fail(Malformed(file.path(), UnequalMessage(protocol)));
      if (metric) {
        if (auto status = Add(*metric, number, file, batch); !status) return status;
      }
      number = numbers.Next();
    }
    if (!number.empty()) return Fail(Malformed(file.path(), UnequalMessage(protocol)));
    return Ok();
  }

  static std::string UnequalMessage(std::string_view protocol) {
    return std::string(protocol) + " has not as many values as names";
  }

  // Lines such as "Udp6InDatagrams   0"; there is no file without IPv6.
  Status AddList(Batch& batch) {
    const auto text = snmp6_.ReadIfPresent();
    if (!text) return Fail(text.error());
    fields_.Start();
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const Metric* metric = fields_.Next(fields.Next(), [this](std::string_view name) {
        const auto six = name.find('6');
        return six == name.npos ? nullptr : MetricOf(name.substr(0, six + 1), name.substr(six + 1));
      });
      if (!metric) continue;
      if (auto status = Add(*metric, fields.Next(), snmp6_, batch); !status) return status;
    }
    fields_.Finish();
    return Ok();
  }

  static Status Add(const Metric& metric, std::string_view number, ProcFile& file, Batch& batch) {
    // Some are signed: Tcp MaxConn is -1 where there is no limit.
    if (const auto value = ParseNumber(number)) {
      batch.Add(metric, static_cast<double>(*value));
    } else if (const auto negative = ParseNumber<std::int64_t>(number)) {
      batch.Add(metric, static_cast<double>(*negative));
    } else {
      return Fail(NotANumber(file.path(), number));
    }
    return Ok();
  }

  const Metric* MetricOf(std::string_view protocol, std::string_view field) {
    std::string name(protocol);
    name += '_';
    name += field;
    if (!wanted_.Accepts(name)) return nullptr;
    const auto help = "Field " + std::string(field) + " of protocol " + std::string(protocol) + ".";
    return &metrics_.Get("node_netstat_" + MetricNamePart(name), help, MetricType::kUnknown);
  }

  ProcFile netstat_;
  ProcFile snmp_;
  ProcFile snmp6_;
  const NameFilter wanted_;
  MetricTable metrics_;
  LineCache<Section> sections_;
  LineCache<const Metric*> fields_;
};

}  // namespace

std::unique_ptr<Collector> MakeNetstat(const Paths& paths, config::MapReader& options) {
  return std::make_unique<NetstatCollector>(paths, options);
}

}  // namespace vigia::collectors::host
