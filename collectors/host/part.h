// The host's subjects: each is one file in this folder and one line in host.def.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "core/config/reader.h"

namespace vigia::collectors::host {

// Where the operating system shows itself; tests and containers point these elsewhere.
struct Paths {
  std::filesystem::path procfs = "/proc";
  std::filesystem::path sysfs = "/sys";
  std::filesystem::path rootfs = "/";
};

// Makes one subject's collector. `options` is the subject's own map (collectors.host.<subject>).
using PartFactory = std::unique_ptr<Collector> (*)(const Paths& paths, config::MapReader& options);

struct PartInfo {
  std::string_view name;           // "cpu": key of its options, and collector="host.cpu"
  std::string_view node_exporter;  // what node_exporter calls it in node_scrape_collector_*
  std::string_view worker;         // kShared, kSlow, or a name for one that takes long
  bool on;                         // by default
  PartFactory make;
};

// The worker of all subjects that read nothing but the kernel's memory, and that of those for
// which it may take locks or ask a device: sensors, mounts, network drivers. A subject that hangs
// leaves the others of its worker to a new thread (scheduler_core.cc).
inline constexpr std::string_view kShared = "host";
inline constexpr std::string_view kSlow = "slow";

std::span<const PartInfo> Parts();

}  // namespace vigia::collectors::host
