// What a disk is, as udev found out (/run/udev/data), or sysfs where there is no udev.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/metric.h"

namespace vigia::collectors::host {

struct DiskProperties {
  std::string path, wwn, model, serial, revision;
  // Of the file system that is directly on the disk, if there is one.
  std::string fs_type, fs_usage, fs_uuid, fs_version;
  // Of a device mapper's device (LVM, dm-crypt).
  std::string dm_name, dm_uuid, dm_vg_name, dm_lv_name, dm_lv_layer;
  std::vector<std::string> backing_devices;
  // Of an ATA disk; empty where unknown.
  std::string ata_write_cache, ata_write_cache_enabled, ata_rotation_rate;
};

// Where the files are.
struct DiskFolders {
  std::filesystem::path udev;   // /run/udev/data
  std::filesystem::path block;  // /sys/block
};

// What is not known stays empty; nothing of it is an error.
DiskProperties ReadDiskProperties(const DiskFolders& folders, std::string_view device,
                                  std::string_view major, std::string_view minor);

std::span<const Metric> DiskPropertyMetrics();
void AddDiskProperties(const DiskProperties& disk, std::string_view device, std::string_view major,
                       std::string_view minor, Batch& batch);

}  // namespace vigia::collectors::host
