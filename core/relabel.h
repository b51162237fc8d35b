// Relabelling: rules in the format of Prometheus' relabel_configs that change the labels of
// series, or drop them.
//
// Regular expressions are RE2, anchored at both ends, and '.' matches newlines, as in
// Prometheus 3. Lower and upper case are those of ASCII. Immutable: any thread may use it.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/labels.h"

namespace vigia {

class Relabeling {
 public:
  // No rules.
  Relabeling() = default;

  // Reads a list of rules; faults go to `diagnostics`, and `context` says whose they are.
  static Relabeling Read(const config::Node& node, std::string_view context,
                         config::Diagnostics& diagnostics);

  bool empty() const { return rules_.empty(); }

  // Applies the rules in order; false if one of them drops the series.
  bool Apply(LabelsBuilder& labels) const;

 private:
  class Rule;
  std::vector<std::shared_ptr<const Rule>> rules_;
};

}  // namespace vigia
