#include "collectors/host/disk_properties.h"

#include <algorithm>
#include <array>

#include "collectors/host/folder.h"
#include "collectors/host/text.h"
#include "core/file.h"
#include "core/number.h"

namespace vigia::collectors::host {
namespace {

enum { kInfo, kFilesystem, kMapper, kBacking, kWriteCache, kWriteCacheEnabled, kRotation };
constexpr std::array kMetrics{
    Metric{"node_disk_info", "What each disk is, in its labels; always 1."},
    Metric{"node_disk_filesystem_info", "The file system on a whole disk; always 1."},
    Metric{"node_disk_device_mapper_info", "What a device mapper's device is; always 1."},
    Metric{"node_disk_device_mapper_backing_device_info",
           "The devices below a device mapper's device; always 1."},
    Metric{"node_disk_ata_write_cache", "Whether the ATA disk has a write cache."},
    Metric{"node_disk_ata_write_cache_enabled", "Whether that write cache is on."},
    Metric{"node_disk_ata_rotation_rate_rpm", "Turns per minute; 0 for a disk without platters."},
};

// Lines "E:ID_MODEL=QEMU_HARDDISK" of udev's data base.
void ReadUdev(std::string_view text, DiskProperties& disk) {
  struct Slot {
    std::string_view key;
    std::string DiskProperties::*member;
  };
  static constexpr Slot kSlots[] = {
      {"ID_PATH", &DiskProperties::path},
      {"ID_WWN", &DiskProperties::wwn},
      {"ID_MODEL", &DiskProperties::model},
      {"ID_REVISION", &DiskProperties::revision},
      {"ID_FS_TYPE", &DiskProperties::fs_type},
      {"ID_FS_USAGE", &DiskProperties::fs_usage},
      {"ID_FS_UUID", &DiskProperties::fs_uuid},
      {"ID_FS_VERSION", &DiskProperties::fs_version},
      {"DM_NAME", &DiskProperties::dm_name},
      {"DM_UUID", &DiskProperties::dm_uuid},
      {"DM_VG_NAME", &DiskProperties::dm_vg_name},
      {"DM_LV_NAME", &DiskProperties::dm_lv_name},
      {"DM_LV_LAYER", &DiskProperties::dm_lv_layer},
      {"ID_ATA_WRITE_CACHE", &DiskProperties::ata_write_cache},
      {"ID_ATA_WRITE_CACHE_ENABLED", &DiskProperties::ata_write_cache_enabled},
      {"ID_ATA_ROTATION_RATE_RPM", &DiskProperties::ata_rotation_rate},
  };
  // The serial number that is printed on the disk goes first.
  constexpr std::array<std::string_view, 3> kSerials{"SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT",
                                                     "ID_SERIAL"};
  std::size_t serial = kSerials.size();
  Lines lines(text);
  while (const auto line = lines.Next()) {
    const auto equals = line->find('=');
    if (!line->starts_with("E:") || equals == line->npos) continue;
    const auto key = line->substr(2, equals - 2);
    const auto value = line->substr(equals + 1);
    for (const auto& slot : kSlots) {
      if (slot.key == key) disk.*slot.member = value;
    }
    const auto at = static_cast<std::size_t>(std::find(kSerials.begin(), kSerials.end(), key) -
                                             kSerials.begin());
    if (at < serial && !value.empty()) {
      serial = at;
      disk.serial = value;
    }
  }
}

// The first of `files` that has content, written as udev writes it: "Samsung SSD 970 " becomes
// "Samsung_SSD_970".
std::string ReadFirst(const std::filesystem::path& folder,
                      std::initializer_list<std::string_view> files) {
  for (const auto file : files) {
    const auto text = ReadFile(folder / file, 4096);
    if (!text) continue;
    std::string value;
    Fields words(*text);
    for (auto word = words.Next(); !word.empty(); word = words.Next()) {
      if (!value.empty()) value += '_';
      value += word;
    }
    if (!value.empty()) return value;
  }
  return {};
}

void ReadSysfs(const std::filesystem::path& folder, DiskProperties& disk) {
  disk.model = ReadFirst(folder, {"device/model"});
  disk.revision = ReadFirst(folder, {"device/rev", "device/firmware_rev"});
  disk.serial = ReadFirst(folder, {"device/serial", "serial"});
  disk.wwn = ReadFirst(folder, {"wwid", "device/wwid"});
}

void AddNumber(const Metric& metric, const std::string& text, std::string_view device,
               Batch& batch) {
  if (const auto value = ParseDouble(text)) batch.Add(metric, {{"device", device}}, *value);
}

}  // namespace

DiskProperties ReadDiskProperties(const DiskFolders& folders, std::string_view device,
                                  std::string_view major, std::string_view minor) {
  DiskProperties disk;
  const auto name = "b" + std::string(major) + ":" + std::string(minor);
  // A slash in a device's name is an exclamation mark in sysfs: cciss/c0d0.
  std::string folder(device);
  std::replace(folder.begin(), folder.end(), '/', '!');
  if (const auto text = ReadFile(folders.udev / name, 1024 * 1024)) {
    ReadUdev(*text, disk);
  } else {
    ReadSysfs(folders.block / folder, disk);
  }
  if (!disk.dm_name.empty()) {
    disk.backing_devices =
        ListFolder(folders.block / folder / "slaves").value_or(std::vector<std::string>());
  }
  return disk;
}

std::span<const Metric> DiskPropertyMetrics() { return kMetrics; }

void AddDiskProperties(const DiskProperties& disk, std::string_view device, std::string_view major,
                       std::string_view minor, Batch& batch) {
  batch.Add(kMetrics[kInfo],
            {{"device", device},
             {"major", major},
             {"minor", minor},
             {"path", disk.path},
             {"wwn", disk.wwn},
             {"model", disk.model},
             {"serial", disk.serial},
             {"revision", disk.revision}},
            1);
  if (!disk.fs_type.empty()) {
    batch.Add(kMetrics[kFilesystem],
              {{"device", device},
               {"type", disk.fs_type},
               {"usage", disk.fs_usage},
               {"uuid", disk.fs_uuid},
               {"version", disk.fs_version}},
              1);
  }
  if (!disk.dm_name.empty()) {
    batch.Add(kMetrics[kMapper],
              {{"device", device},
               {"name", disk.dm_name},
               {"uuid", disk.dm_uuid},
               {"vg_name", disk.dm_vg_name},
               {"lv_name", disk.dm_lv_name},
               {"lv_layer", disk.dm_lv_layer}},
              1);
  }
  for (const auto& backing : disk.backing_devices) {
    batch.Add(kMetrics[kBacking], {{"device", device}, {"backing_device", backing}}, 1);
  }
  AddNumber(kMetrics[kWriteCache], disk.ata_write_cache, device, batch);
  AddNumber(kMetrics[kWriteCacheEnabled], disk.ata_write_cache_enabled, device, batch);
  AddNumber(kMetrics[kRotation], disk.ata_rotation_rate, device, batch);
}

}  // namespace vigia::collectors::host
