// Which collector files an entry means.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace vigia::collectors::kpi {

// The files that `name` stands for, sorted: a bare word is a bundled pack ("django"), anything else
// a path or a pattern of paths (*, ?, [abc]), relative to `base`. kInvalid if there is none.
Result<std::vector<std::filesystem::path>> FindFiles(const std::string& name,
                                                     const std::filesystem::path& base);

// Packs stand in share/vigia/packs of the tree that the program itself stands in: `program` is
// /usr/bin/vigia, or somewhere in a build tree.
Result<std::filesystem::path> FindPack(const std::string& name,
                                       const std::filesystem::path& program);

}  // namespace vigia::collectors::kpi
