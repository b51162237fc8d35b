// Labels as a JSON object, which is how the state file holds them.

#pragma once

#include <string>
#include <string_view>

#include "core/labels.h"

namespace vigia::alerting::state {

std::string LabelsToJson(const Labels& labels);

// None if `text` is not an object; members that are not strings are left out.
Labels LabelsFromJson(std::string_view text);

}  // namespace vigia::alerting::state
