// A scrape collector made from YAML options, with its batch.

#pragma once

#include <memory>
#include <string>

#include "collectors/collector.h"
#include "core/batch.h"
#include "core/clock.h"
#include "core/reading.h"

namespace vigia::test {

class ScrapeSubject {
 public:
  explicit ScrapeSubject(const std::string& yaml);

  // The page of one run, or "error: ..." and the last words; without the lines of
  // scrape_duration_seconds.
  std::string Run(Duration timeout = 60s);
  // The same without what is told of the scrape: the target's own series.
  std::string RunSeries();
  ErrorCode code() const { return code_; }
  // What the last run published.
  const Reading& reading() const { return *reading_; }

 private:
  std::unique_ptr<collectors::Collector> impl_;
  Batch batch_;
  ErrorCode code_{};
  std::shared_ptr<const Reading> reading_;
};

// The faults of such options.
std::string ScrapeFaults(const std::string& yaml);

}  // namespace vigia::test
