// Space and commits of the Btrfs file systems, from /sys/fs/btrfs/<uuid>.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_btrfs_info", "Label of the file system; always 1."},
    Metric{"node_btrfs_global_rsv_size_bytes", "Size of the global reserve.", kGauge, "bytes"},
    Metric{"node_btrfs_reserved_bytes", "Space reserved for a kind of data.", kGauge, "bytes"},
    Metric{"node_btrfs_used_bytes", "Space used by a kind of data.", kGauge, "bytes"},
    Metric{"node_btrfs_size_bytes", "Space set aside for a kind of data.", kGauge, "bytes"},
    Metric{"node_btrfs_allocation_ratio", "Raw space that each byte of the data takes."},
    Metric{"node_btrfs_device_size_bytes", "Size of a device of the file system.", kGauge, "bytes"},
    Metric{"node_btrfs_commits_total", "Commits.", kCounter},
    Metric{"node_btrfs_last_commit_seconds", "How long the last commit took.", kGauge, "seconds"},
    Metric{"node_btrfs_max_commit_seconds", "How long the slowest commit took.", kGauge, "seconds"},
    Metric{"node_btrfs_commit_seconds_total", "How long all commits took.", kCounter, "seconds"},
};

constexpr std::array<std::string_view, 3> kGroups{"data", "metadata", "system"};

// Lines of commit_stats, for kMetrics from 7 on.
constexpr std::array<std::string_view, 4> kCommitLines{"commits", "last_commit_ms", "max_commit_ms",
                                                       "total_commit_ms"};
constexpr std::size_t kFirstCommitMetric = 7;

constexpr double kSectorBytes = 512;

// A file and the series that its number becomes.
struct Value {
  const Metric* metric;
  std::string group;
  std::string mode;
  std::string device;
  double factor;
  SysFile file;
};

struct FileSystem {
  std::string uuid;
  std::string label;
  double devices = 0;
  std::vector<Value> values;
  struct Ratio {
    std::string group;
    std::string mode;
  };
  std::vector<Ratio> ratios;
  ProcFile commits;
};

// Copies, or stripes with parity, by the RAID level.
double AllocationRatio(std::string_view mode, double devices) {
  if (mode == "single" || mode == "raid0") return 1;
  if (mode == "dup" || mode == "raid1" || mode == "raid10") return 2;
  if (mode == "raid1c3") return 3;
  if (mode == "raid1c4") return 4;
  if (mode == "raid5") return devices / (devices - 1);
  if (mode == "raid6") return devices / (devices - 2);
  return 0;
}

class BtrfsCollector final : public Collector {
 public:
  explicit BtrfsCollector(const Paths& paths) : file_systems_(paths.sysfs / "fs/btrfs") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& file_system : file_systems_.Refresh(Open)) {
      if (auto status = Add(file_system, batch); !status) return status;
    }
    return Ok();
  }

 private:
  // Beside the file systems stands "features".
  static std::optional<FileSystem> Open(const std::string& name,
                                        const std::filesystem::path& folder) {
    if (name.find('-') == name.npos) return std::nullopt;
    SysBuffer buffer;
    const auto read = [&](const char* file) {
      return std::string(SysFile(folder / file).Read(buffer).value_or(""));
    };
    FileSystem file_system{
        read("metadata_uuid"), read("label"), 0, {}, {}, ProcFile(folder / "commit_stats")};
    if (file_system.uuid.empty()) file_system.uuid = name;
    const auto add = [&](std::size_t metric, std::string_view group, const std::string& mode,
                         const std::string& device, double factor,
                         const std::filesystem::path& file) {
      file_system.values.push_back(
          {&kMetrics[metric], std::string(group), mode, device, factor, SysFile(file)});
    };
    add(1, "", "", "", 1, folder / "allocation/global_rsv_size");
    SysFolder devices(folder / "devices");
    devices.Refresh();
    file_system.devices = static_cast<double>(devices.entries().size());
    for (const auto& device : devices.entries()) {
      add(6, "", "", device.name, kSectorBytes, folder / "devices" / device.name / "size");
    }
    for (const auto group : kGroups) {
      const auto allocation = folder / "allocation" / group;
      add(2, group, "", "", 1, allocation / "bytes_reserved");
      SysFolder modes(allocation);
      modes.Refresh();
      for (const auto& mode : modes.entries()) {
        if (mode.is_file) continue;
        add(3, group, mode.name, "", 1, allocation / mode.name / "used_bytes");
        add(4, group, mode.name, "", 1, allocation / mode.name / "total_bytes");
        file_system.ratios.push_back({std::string(group), mode.name});
      }
    }
    return file_system;
  }

  static Status Add(FileSystem& file_system, Batch& batch) {
    batch.Add(kMetrics[0], {{"label", file_system.label}, {"uuid", file_system.uuid}}, 1);
    for (auto& value : file_system.values) {
      const auto number = value.file.ReadNumber();
      if (!number) return Fail(number.error());
      if (!*number) continue;
      batch.Add(*value.metric,
                {{"block_group_type", value.group},
                 {"device", value.device},
                 {"mode", value.mode},
                 {"uuid", file_system.uuid}},
                static_cast<double>(**number) * value.factor);
    }
    for (const auto& [group, mode] : file_system.ratios) {
      batch.Add(kMetrics[5],
                {{"block_group_type", group}, {"mode", mode}, {"uuid", file_system.uuid}},
                AllocationRatio(mode, file_system.devices));
    }
    return AddCommits(file_system, batch);
  }

  // "commits 258051" and so on, since Linux 6.1.
  static Status AddCommits(FileSystem& file_system, Batch& batch) {
    const auto text = file_system.commits.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto name = fields.Next();
      for (std::size_t i = 0; i < kCommitLines.size(); ++i) {
        if (kCommitLines[i] != name) continue;
        const auto field = fields.Next();
        const auto value = ParseNumber(field);
        if (!value) return Fail(NotANumber(file_system.commits.path(), field));
        batch.Add(kMetrics[kFirstCommitMetric + i], {{"uuid", file_system.uuid}},
                  static_cast<double>(*value) / (i == 0 ? 1 : 1000));
      }
    }
    return Ok();
  }

  SysDevices<FileSystem> file_systems_;
};

}  // namespace

std::unique_ptr<Collector> MakeBtrfs(const Paths& paths, config::MapReader&) {
  return std::make_unique<BtrfsCollector>(paths);
}

}  // namespace vigia::collectors::host
