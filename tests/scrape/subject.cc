#include "tests/scrape/subject.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "collectors/kind.h"
#include "core/config/yaml.h"
#include "tests/support/collect.h"

namespace vigia::collectors {
std::vector<Part> MakeScrapeCollector(config::MapReader& options);
}

namespace vigia::test {
namespace {

// Options that every kind has, which the kind leaves to others.
const std::vector<std::string> kCommon{"name", "labels"};

std::unique_ptr<collectors::Collector> Make(const std::string& yaml, std::string& faults) {
  config::Diagnostics diagnostics("vigia.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  config::MapReader reader(node, diagnostics, "collectors.scrape");
  for (const auto& key : kCommon) reader.Child(key);
  auto impl = std::move(collectors::MakeScrapeCollector(reader)[0].impl);
  reader.Finish();
  faults = diagnostics.ToString();
  return impl;
}

std::string Without(const std::string& text, const std::vector<std::string>& prefixes) {
  std::istringstream lines(text);
  std::string line;
  std::string out;
  while (std::getline(lines, line)) {
    bool left_out = false;
    for (const auto& prefix : prefixes) left_out = left_out || line.starts_with(prefix);
    if (!left_out) out += line + "\n";
  }
  return out;
}

}  // namespace

ScrapeSubject::ScrapeSubject(const std::string& yaml) {
  std::string faults;
  impl_ = Make(yaml, faults);
  REQUIRE(faults == "");
}

std::string ScrapeSubject::Run(Duration timeout) {
  const auto status = impl_->Collect(Deadline::After(SystemClock(), timeout), batch_);
  std::string text;
  if (status) {
    reading_ = batch_.Finish(0);
    text = ReadingText(*reading_);
  } else {
    code_ = status.error().code();
    reading_ = batch_.FinishFailure(0);
    REQUIRE(reading_);
    text = "error: " + status.error().message() + "\n" + ReadingText(*reading_);
  }
  return Without(text, {"scrape_duration_seconds"});
}

std::string ScrapeSubject::RunSeries() {
  return Without(Run(), {"up{", "scrape_", "vigia_scrape_"});
}

std::string ScrapeFaults(const std::string& yaml) {
  std::string faults;
  Make(yaml, faults);
  return faults;
}

}  // namespace vigia::test
