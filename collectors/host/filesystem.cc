// Size and free space of the mounted file systems, from the mount table and statfs(2).
//
// Options: mount_points_include or mount_points_exclude, fs_types_include or fs_types_exclude
// (regular expressions), mount_timeout.

#include "collectors/host/filesystem.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "collectors/host/mount_table.h"
#include "collectors/host/name_filter.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_filesystem_size_bytes", "Size of the file system.", MetricType::kGauge, "bytes"},
    Metric{"node_filesystem_free_bytes", "Free space of the file system.", MetricType::kGauge,
           "bytes"},
    Metric{"node_filesystem_avail_bytes", "Free space that is open to users other than root.",
           MetricType::kGauge, "bytes"},
    Metric{"node_filesystem_files", "Inodes of the file system."},
    Metric{"node_filesystem_files_free", "Free inodes of the file system."},
    Metric{"node_filesystem_readonly", "Whether the file system is mounted read-only."},
    Metric{"node_filesystem_device_error",
           "1 if the file system failed to tell its usage, or has not answered in time."},
};
constexpr const Metric& kDeviceError = kMetrics.back();

// As in node_exporter.
constexpr std::string_view kExcludedMountPoints =
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
constexpr std::string_view kExcludedFsTypes =
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|"
    "mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|"
    "tracefs)$";

// Whether the kernel knows how full such a file system is without asking a server, a user's
// program or a disk.
bool IsLocal(std::string_view fs_type) {
  constexpr std::array<std::string_view, 9> kLocal{"ext2",  "ext3",  "ext4", "xfs",  "f2fs",
                                                   "tmpfs", "ramfs", "vfat", "exfat"};
  return std::find(kLocal.begin(), kLocal.end(), fs_type) != kLocal.end();
}

StatfsProbe::Options ReadProbeOptions(config::MapReader& options) {
  Milliseconds patience = 1s;
  options.Read("mount_timeout", patience);
  return {.patience = patience};
}

class FilesystemCollector final : public Collector {
 public:
  FilesystemCollector(StatfsFunction statfs, Clock& clock, const Paths& paths,
                      config::MapReader& options)
      : rootfs_(paths.rootfs == "/" ? "" : paths.rootfs.string()),
        table_(paths.procfs),
        mount_points_(NameFilter::Read(options, "mount_points", kExcludedMountPoints)),
        fs_types_(NameFilter::Read(options, "fs_types", kExcludedFsTypes)),
        probe_(std::move(statfs), clock, ReadProbeOptions(options)) {
    while (rootfs_.ends_with('/')) rootfs_.pop_back();
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto changed = table_.Refresh();
    if (!changed) return Fail(changed.error());
    if (*changed) Choose();
    // A quarter of the time is left for whoever waits for this run.
    probe_.Run(deadline.at() - deadline.Left() / 4);
    for (std::size_t i = 0; i < mounts_.size(); ++i) AddMount(mounts_[i], probe_.usage(i), batch);
    return Ok();
  }

 private:
  // The filters run here only: their results hold as long as the mount table does not change.
  void Choose() {
    mounts_.clear();
    std::vector<StatfsProbe::Path> paths;
    for (auto mount : table_.mounts()) {
      mount.mount_point = WithoutRoot(mount.mount_point);
      if (!mount_points_.Accepts(mount.mount_point) || !fs_types_.Accepts(mount.fs_type)) continue;
      const auto same = std::find_if(mounts_.begin(), mounts_.end(), [&](const Mount& other) {
        return other.mount_point == mount.mount_point && other.device == mount.device &&
               other.fs_type == mount.fs_type;
      });
      if (same != mounts_.end()) continue;  // mounted over itself
      paths.push_back({rootfs_ + mount.mount_point, IsLocal(mount.fs_type)});
      mounts_.push_back(std::move(mount));
    }
    probe_.SetPaths(paths);
  }

  // Where the host sees what we see below rootfs.
  std::string WithoutRoot(const std::string& path) const {
    if (rootfs_.empty() || !path.starts_with(rootfs_)) return path;
    if (path.size() == rootfs_.size()) return "/";
    return path[rootfs_.size()] == '/' ? path.substr(rootfs_.size()) : path;
  }

  static void AddMount(const Mount& mount, const FilesystemUsage* usage, Batch& batch) {
    const std::array<LabelView, 3> labels{LabelView{"device", mount.device},
                                          LabelView{"fstype", mount.fs_type},
                                          LabelView{"mountpoint", mount.mount_point}};
    batch.Add(kDeviceError, labels, usage ? 0 : 1);
    if (!usage) return;
    const std::array values{usage->size_bytes, usage->free_bytes, usage->available_bytes,
                            usage->files,      usage->files_free, mount.read_only ? 1.0 : 0.0};
    for (std::size_t i = 0; i < values.size(); ++i) batch.Add(kMetrics[i], labels, values[i]);
  }

  std::string rootfs_;  // without a slash at its end; empty for "/"
  MountTable table_;
  const NameFilter mount_points_;
  const NameFilter fs_types_;
  StatfsProbe probe_;
  std::vector<Mount> mounts_;  // those that are wanted, in the order of the probe's paths
};

}  // namespace

std::unique_ptr<Collector> MakeFilesystemWith(StatfsFunction statfs, Clock& clock,
                                              const Paths& paths, config::MapReader& options) {
  return std::make_unique<FilesystemCollector>(std::move(statfs), clock, paths, options);
}

std::unique_ptr<Collector> MakeFilesystem(const Paths& paths, config::MapReader& options) {
  return MakeFilesystemWith(Statfs, SystemClock(), paths, options);
}

}  // namespace vigia::collectors::host
