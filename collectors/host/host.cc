// The host kind: makes the collectors of all subjects that are switched on.

#include <algorithm>
#include <array>

#include "collectors/host/part.h"
#include "collectors/kind.h"

namespace vigia::collectors {
namespace host {

#define PART(name, node_exporter, worker, on, function) \
  std::unique_ptr<Collector> function(const Paths& paths, config::MapReader& options);
#include "collectors/host/host.def"
#undef PART

namespace {

constexpr std::array kParts{
#define PART(name, node_exporter, worker, on, function) \
  PartInfo{#name, node_exporter, worker, on, function},
#include "collectors/host/host.def"
#undef PART
};

}  // namespace

std::span<const PartInfo> Parts() { return kParts; }

}  // namespace host

// collectors.host: `procfs`, `sysfs`, `rootfs`; `<subject>: false` switches one off,
// `<subject>: true` or a map of its options switches it on.
std::vector<Part> MakeHostCollectors(config::MapReader& options) {
  host::Paths paths;
  options.Read("procfs", paths.procfs);
  options.Read("sysfs", paths.sysfs);
  options.Read("rootfs", paths.rootfs);

  // Elsewhere there may be anything, a fifo even.
  const bool is_kernel = paths.procfs == "/proc" && paths.sysfs == "/sys";
  std::vector<Part> parts;
  for (const auto& part : host::Parts()) {
    const std::string name(part.name);
    const config::Node* node = options.Child(name);
    bool on = part.on;
    const config::Node* map = nullptr;
    if (node && node->IsScalar()) {
      options.Read(name, on);
    } else if (node) {
      on = true;
      map = node;
    }
    const config::Node none;
    config::MapReader own(map ? *map : none, options.diagnostics(), "collectors.host." + name);
    auto impl = part.make(paths, own);
    own.Finish();
    parts.push_back({.collector = "host." + name,
                     .worker = std::string(part.worker),
                     .impl = std::move(impl),
                     .brief = is_kernel && part.worker == host::kShared,
                     .on = on});
  }
  return parts;
}

}  // namespace vigia::collectors
