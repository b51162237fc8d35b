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

std::unique_ptr<collectors::Collector> MakeHostCollector(
    std::string_view collector, const std::map<std::string, std::string>& options,
    std::string& fault) {
  using namespace collectors::host;
  Paths paths;
  config::Diagnostics diagnostics("options");
  config::Node node;
  for (const auto& [key, value] : options) {
    if (key == "options") node = config::ParseYaml(value, {}, diagnostics);
  }
  for (const auto& [key, value] : options) {
    if (key == "procfs") {
      paths.procfs = value;
    } else if (key == "sysfs") {
      paths.sysfs = value;
    } else if (key == "rootfs") {
      paths.rootfs = value;
    } else if (key != "options") {
      node.kind = config::Node::Kind::kMap;
      config::Node scalar;
      scalar.kind = config::Node::Kind::kScalar;
      scalar.text = value;
      node.entries.push_back({{key, {}}, scalar});
    }
  }
  for (const auto& part : Parts()) {
    if ("host." + std::string(part.name) != collector) continue;
    config::MapReader reader(node, diagnostics, std::string(collector));
    auto impl = part.make(paths, reader);
    reader.Finish();
    if (diagnostics.ok()) return impl;
    fault = diagnostics.ToString();
    return nullptr;
  }
  fault = "no such collector: " + std::string(collector);
  return nullptr;
}

std::string CollectText(std::string_view collector,
                        const std::map<std::string, std::string>& options) {
  std::string fault;
  const auto impl = MakeHostCollector(collector, options, fault);
  if (!impl) return fault;
  Batch batch;
  const auto reading = CollectOnce(*impl, batch);
  return reading ? ReadingText(**reading) : "error: " + reading.error().message();
}

}  // namespace vigia::test
