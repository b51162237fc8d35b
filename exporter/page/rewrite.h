// How families are called and written on a page of a given style.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/family.h"
#include "core/hash.h"
#include "exporter/page/negotiate.h"

namespace vigia::exporter {

using NameSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

// `name` with every character beyond [a-zA-Z0-9_:] replaced by '_'.
std::string EscapeName(std::string_view name);

// A family as a page calls it.
struct ShownFamily {
  std::string name;         // in HELP, TYPE and UNIT lines
  std::string sample_name;  // what takes the place of the family's own name in its samples' names
  MetricType type = MetricType::kUnknown;
};

// The lines of a family as its page writes them, where that differs from Family::lines().
struct RewrittenLines {
  std::string sample_name;  // the family's, as shown
  std::string lines;
  std::vector<std::uint32_t> ends;
};

// `names` are the families' own names, escaped as `style` says. OpenMetrics' "_total" and
// "_info" are taken off the family's name; a family that lacks its suffix, or whose name would
// then clash with another of `names`, keeps it and is of unknown type: samples have the same
// names in every format.
ShownFamily Show(const FamilyHead& head, PageStyle style, const NameSet& names);

// The lines of `family` where they differ from its own, else null. With `drop_target` the label
// "target" is left out.
std::shared_ptr<const RewrittenLines> Rewrite(const Family& family, const ShownFamily& shown,
                                              PageStyle style, bool drop_target);

// HELP, TYPE and UNIT lines.
std::string Header(const ShownFamily& shown, const FamilyHead& head, PageStyle style);

}  // namespace vigia::exporter
