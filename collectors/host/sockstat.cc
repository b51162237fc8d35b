// Sockets in use and the memory they hold, from /proc/net/sockstat and sockstat6.

#include <unistd.h>

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_sockstat_<protocol>_<field>", "A field of /proc/net/sockstat or sockstat6."},
    Metric{"node_sockstat_<protocol>_mem_bytes", "Memory that the protocol's sockets hold."},
};

class SockstatCollector final : public Collector {
 public:
  explicit SockstatCollector(const Paths& paths)
      : files_{ProcFile(paths.procfs / "net/sockstat"), ProcFile(paths.procfs / "net/sockstat6")} {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    fields_.Start();
    for (auto& file : files_) {
      const auto text = file.ReadIfPresent();  // IPv4 or IPv6 may be missing
      if (!text) return Fail(text.error());
      Lines lines(text->value_or(""));
      while (const auto line = lines.Next()) {
        if (auto status = AddLine(*line, file, batch); !status) return status;
      }
    }
    fields_.Finish();
    return Ok();
  }

 private:
  struct Field {
    const Metric* metric;
    const Metric* bytes;  // for a field that counts pages, else null
  };

  // "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 90".
  Status AddLine(std::string_view line, ProcFile& file, Batch& batch) {
    Fields words(line);
    auto protocol = words.Next();
    if (!protocol.ends_with(':')) {
      return Fail(Malformed(file.path(), "'" + std::string(line) + "' names no protocol"));
    }
    protocol.remove_suffix(1);
    for (auto key = words.Next(); !key.empty(); key = words.Next()) {
      const auto number = words.Next();
      const auto value = ParseNumber<std::int64_t>(number);
      if (!value) return Fail(NotANumber(file.path(), number));
      name_ = protocol;
      name_ += '_';
      name_ += key;
      const auto& field =
          fields_.Next(name_, [&](std::string_view name) { return MakeField(name, key); });
      const auto count = static_cast<double>(*value);
      batch.Add(*field.metric, count);
      if (field.bytes) batch.Add(*field.bytes, count * page_size_);
    }
    return Ok();
  }

  Field MakeField(std::string_view name, std::string_view key) {
    const auto metric = "node_sockstat_" + MetricNamePart(name);
    const auto help = "Field " + std::string(name) + " of /proc/net/sockstat or sockstat6.";
    const auto in_bytes = help + " In bytes; the kernel counts pages.";
    return {
        &metrics_.Get(metric, help, MetricType::kGauge),
        key == "mem" ? &metrics_.Get(metric + "_bytes", in_bytes, MetricType::kGauge) : nullptr};
  }

  const double page_size_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::array<ProcFile, 2> files_;
  MetricTable metrics_;
  LineCache<Field> fields_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Collector> MakeSockstat(const Paths& paths, config::MapReader&) {
  return std::make_unique<SockstatCollector>(paths);
}

}  // namespace vigia::collectors::host
