// The baselines that come with vigia.

#pragma once

#include <string_view>

namespace vigia::exporter {

// A list as `baselines:` of vigia.yml has it.
extern const std::string_view kBundledBaselines;

}  // namespace vigia::exporter
