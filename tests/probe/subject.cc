#include "tests/probe/subject.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "collectors/kind.h"
#include "core/config/yaml.h"
#include "tests/support/collect.h"

namespace vigia::collectors {
std::vector<Part> MakeProbeCollector(config::MapReader& options);
}

namespace vigia::test {
namespace {

std::unique_ptr<collectors::Collector> Make(const std::string& yaml, std::string& faults) {
  config::Diagnostics diagnostics("vigia.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  config::MapReader reader(node, diagnostics, "collectors.probe");
  for (const auto* key : {"name", "interval", "timeout", "labels"}) reader.Child(key);
  auto impl = std::move(collectors::MakeProbeCollector(reader)[0].impl);
  reader.Finish();
  faults = diagnostics.ToString();
  return impl;
}

}  // namespace

ProbeSubject::ProbeSubject(const std::string& yaml) {
  std::string faults;
  impl_ = Make(yaml, faults);
  REQUIRE(faults == "");
}

std::string ProbeSubject::Run(Duration timeout) {
  const auto status = impl_->Collect(Deadline::After(SystemClock(), timeout), batch_);
  REQUIRE(status.has_value());
  const auto reading = batch_.Finish(0);
  REQUIRE(batch_.duplicates() == 0);
  return ReadingText(*reading);
}

std::string ProbeTarget(const std::string& target, Duration timeout) {
  return ProbeSubject("targets: [ " + target + " ]").Run(timeout);
}

std::string ProbeFaults(const std::string& yaml) {
  std::string faults;
  static_cast<void>(Make(yaml, faults));
  return faults;
}

bool HasLine(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

double ValueOf(const std::string& page, const std::string& series) {
  const std::string text = "\n" + page;
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? std::nan("") : std::stod(text.substr(at + series.size() + 2));
}

}  // namespace vigia::test
