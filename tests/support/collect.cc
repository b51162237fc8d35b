#include "tests/support/collect.h"

#include "collectors/host/part.h"
#include "core/config/yaml.h"
#include "core/number.h"

namespace vigia::test {

std::string ReadingText(const Reading& reading) {
  std::string out;
  for (const auto& family : reading.families) {
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      out += family.family->line(i);
      AppendDouble(out, family.values[i]);
      out += '\n';
    }
  }
  return out;
}

Result<std::shared_ptr<const Reading>> CollectOnce(collectors::Collector& collector, Batch& batch) {
  auto status = collector.Collect(Deadline::After(SystemClock(), 10s), batch);
  if (!status) {
    batch.Discard();
    return Fail(status.error());
  }
  return batch.Finish(1'700'000'000'000);
}

std::string CollectText(std::string_view collector,
                        const std::map<std::string, std::string>& options) {
  using namespace collectors::host;
  Paths paths;
  config::Diagnostics diagnostics("options");
  config::Node node;
  for (const auto& [key, value] : options) {
    if (key == "procfs") paths.procfs = value;
    if (key == "sysfs") paths.sysfs = value;
    if (key == "rootfs") paths.rootfs = value;
    if (key == "options") node = config::ParseYaml(value, {}, diagnostics);
  }
  for (const auto& part : Parts()) {
    if ("host." + std::string(part.name) != collector) continue;
    config::MapReader reader(node, diagnostics, std::string(collector));
    const auto impl = part.make(paths, reader);
    reader.Finish();
    if (!diagnostics.ok()) return diagnostics.ToString();
    Batch batch;
    const auto reading = CollectOnce(*impl, batch);
    return reading ? ReadingText(**reading) : "error: " + reading.error().message();
  }
  return "no such collector: " + std::string(collector);
}

}  // namespace vigia::test
