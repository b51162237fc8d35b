// The content of a folder of /proc or /sys.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace vigia::collectors::host {

// The names in `folder`, sorted. Errors name the folder.
Result<std::vector<std::string>> ListFolder(const std::filesystem::path& folder);

}  // namespace vigia::collectors::host
