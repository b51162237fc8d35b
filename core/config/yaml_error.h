// What yaml-cpp's messages mean to somebody who has to mend a file.

#pragma once

#include <string>
#include <string_view>

namespace vigia::config {

inline constexpr std::string_view kTabFault = "a tab in the indentation; indent with spaces";

// What is wrong and what would be right, for a message of yaml-cpp.
std::string ExplainYamlError(std::string_view message);

}  // namespace vigia::config
