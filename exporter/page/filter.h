// Which part of a snapshot a page shows: /metrics?collect[]=cpu&target=main.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/reading.h"

namespace vigia::exporter {

struct PageFilter {
  // Collectors, by MatchesCollector; `collect` empty means all.
  std::vector<std::string> collect;
  std::vector<std::string> exclude;
  // One instance by its name, whose series are then shown without the label `target`; empty
  // means all.
  std::string target;
  // Families by name; empty means all.
  std::vector<std::string> names;

  bool empty() const {
    return collect.empty() && exclude.empty() && target.empty() && names.empty();
  }
  bool Shows(const InstanceId& instance) const;
  bool ShowsFamily(std::string_view name) const;
};

// Whether `wanted` means `collector`: by its own name ("postgres", "host.load"), the name of a
// group ("host"), the last part of its name ("load"), or what node_exporter calls it
// ("loadavg").
bool MatchesCollector(std::string_view wanted, std::string_view collector);

}  // namespace vigia::exporter
