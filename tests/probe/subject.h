// A probe collector made from YAML options, with its batch.

#pragma once

#include <memory>
#include <string>

#include "collectors/collector.h"
#include "core/batch.h"
#include "core/clock.h"

namespace vigia::test {

class ProbeSubject {
 public:
  explicit ProbeSubject(const std::string& yaml);

  // The page of one run.
  std::string Run(Duration timeout = 20s);

 private:
  std::unique_ptr<collectors::Collector> impl_;
  Batch batch_;
};

// One run of one target, such as "{ http: ..., expect: { status: [200] } }".
std::string ProbeTarget(const std::string& target, Duration timeout = 20s);
// The faults of such options.
std::string ProbeFaults(const std::string& yaml);

// Whether a page has such a line.
bool HasLine(const std::string& page, const std::string& line);
// The value of a series; NaN if it is not there.
double ValueOf(const std::string& page, const std::string& series);

}  // namespace vigia::test
