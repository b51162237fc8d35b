// The kernel and the machine, from uname(2).

#include <sys/utsname.h>

#include <array>
#include <cerrno>

#include "collectors/host/part.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_uname_info", "Kernel, architecture and names of the machine; always 1."}};

class UnameCollector final : public Collector {
 public:
  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    utsname names{};
    if (::uname(&names) != 0) return Fail(SystemError("uname", errno));
    batch.Add(kMetrics[0],
              {{"domainname", names.domainname},
               {"machine", names.machine},
               {"nodename", names.nodename},
               {"release", names.release},
               {"sysname", names.sysname},
               {"version", names.version}},
              1);
    return Ok();
  }
};

}  // namespace

std::unique_ptr<Collector> MakeUname(const Paths&, config::MapReader&) {
  return std::make_unique<UnameCollector>();
}

}  // namespace vigia::collectors::host
