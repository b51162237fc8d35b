// What the disks did, from /proc/diskstats, and what they are.

#include <array>
#include <optional>
#include <vector>

#include "collectors/host/disk_properties.h"
#include "collectors/host/line_cache.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

enum class Unit { kNone, kSectors, kMilliseconds };

struct Column {
  Metric metric;
  Unit unit = Unit::kNone;
};

// In bytes or seconds, where the column is not a mere count.
double InBaseUnit(std::uint64_t value, Unit unit) {
  const auto number = static_cast<double>(value);
  switch (unit) {
    case Unit::kNone:
      break;
    case Unit::kSectors:
      return number * 512;  // in these statistics, whatever the disk has
    case Unit::kMilliseconds:
      return number / 1000;
  }
  return number;
}

constexpr auto kCounter = MetricType::kCounter;

// After major, minor and name (Documentation/admin-guide/iostats.rst). Linux 4.18 added the
// discards, 5.5 the flushes.
constexpr std::array kColumns{
    Column{{"node_disk_reads_completed_total", "Reads that were completed.", kCounter}},
    Column{{"node_disk_reads_merged_total", "Reads that were merged into others.", kCounter}},
    Column{{"node_disk_read_bytes_total", "Bytes read.", kCounter}, Unit::kSectors},
    Column{{"node_disk_read_time_seconds_total", "Seconds that all reads took together.", kCounter},
           Unit::kMilliseconds},
    Column{{"node_disk_writes_completed_total", "Writes that were completed.", kCounter}},
    Column{{"node_disk_writes_merged_total", "Writes that were merged into others.", kCounter}},
    Column{{"node_disk_written_bytes_total", "Bytes written.", kCounter}, Unit::kSectors},
    Column{
        {"node_disk_write_time_seconds_total", "Seconds that all writes took together.", kCounter},
        Unit::kMilliseconds},
    Column{{"node_disk_io_now", "Requests in progress."}},
    Column{{"node_disk_io_time_seconds_total", "Seconds in which the disk was busy.", kCounter},
           Unit::kMilliseconds},
    Column{{"node_disk_io_time_weighted_seconds_total",
            "Seconds in which the disk was busy, times the requests in progress.", kCounter},
           Unit::kMilliseconds},
    Column{{"node_disk_discards_completed_total", "Discards that were completed.", kCounter}},
    Column{{"node_disk_discards_merged_total", "Discards that were merged into others.", kCounter}},
    Column{{"node_disk_discarded_sectors_total", "Sectors of 512 bytes discarded.", kCounter}},
    Column{{"node_disk_discard_time_seconds_total", "Seconds that all discards took together.",
            kCounter},
           Unit::kMilliseconds},
    Column{{"node_disk_flush_requests_total", "Flushes that were completed.", kCounter}},
    Column{{"node_disk_flush_requests_time_seconds_total",
            "Seconds that all flushes took together.", kCounter},
           Unit::kMilliseconds},
};
constexpr std::size_t kLeastColumns = 11;

class DiskstatsCollector final : public Collector {
 public:
  DiskstatsCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "diskstats"),
        folders_{paths.rootfs / "run/udev/data", paths.sysfs / "block"},
        wanted_(NameFilter::Read(options, "device",
                                 R"(^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)")) {
    options.Read("udev_data", folders_.udev);
    for (const auto& column : kColumns) metrics_.push_back(column.metric);
    const auto more = DiskPropertyMetrics();
    metrics_.insert(metrics_.end(), more.begin(), more.end());
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    now_ = deadline.clock().Now();
    disks_.Start();
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      if (auto status = AddDisk(*line, batch); !status) return status;
    }
    disks_.Finish();
    return Ok();
  }

 private:
  struct Disk {
    bool wanted;
    std::optional<DiskProperties> properties;
    Instant read_at{};
  };

  // " 254       0 vda 40151 10577 5004954 ...".
  Status AddDisk(std::string_view line, Batch& batch) {
    Fields fields(line);
    const auto major = fields.Next();
    const auto minor = fields.Next();
    const auto name = fields.Next();
    auto& disk = disks_.Next(name, [this](std::string_view of) {
      return Disk{wanted_.Accepts(of), {}, {}};
    });
    if (!disk.wanted) return Ok();

    std::size_t count = 0;
    for (; count < kColumns.size(); ++count) {
      const auto field = fields.Next();
      if (field.empty()) break;
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(file_.path(), field));
      batch.Add(metrics_[count], {{"device", name}}, InBaseUnit(*value, kColumns[count].unit));
    }
    if (count < kLeastColumns) {
      return Fail(Malformed(file_.path(), "too few columns for '" + std::string(name) + "'"));
    }
    // udev learns about a new disk after the kernel shows it, and disks are re-formatted.
    if (!disk.properties || now_ - disk.read_at >= 1min) {
      disk.properties = ReadDiskProperties(folders_, name, major, minor);
      disk.read_at = now_;
    }
    AddDiskProperties(*disk.properties, name, major, minor, batch);
    return Ok();
  }

  ProcFile file_;
  DiskFolders folders_;
  const NameFilter wanted_;
  std::vector<Metric> metrics_;
  LineCache<Disk> disks_;
  Instant now_{};  // of this run
};

}  // namespace

std::unique_ptr<Collector> MakeDiskstats(const Paths& paths, config::MapReader& options) {
  return std::make_unique<DiskstatsCollector>(paths, options);
}

}  // namespace vigia::collectors::host
