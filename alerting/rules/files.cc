#include "alerting/rules/files.h"

#include <glob.h>

#include <iterator>
#include <set>

namespace vigia::alerting::rules {

std::vector<std::filesystem::path> FindFiles(const std::string& pattern,
                                             const std::filesystem::path& folder) {
  std::filesystem::path path(pattern);
  if (path.is_relative()) path = folder / path;
  std::vector<std::filesystem::path> out;
  glob_t found{};
  if (::glob(path.c_str(), 0, nullptr, &found) == 0) {
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return out;
}

LoadedFiles LoadRuleFiles(std::span<const std::string> patterns,
                          const std::filesystem::path& folder) {
  LoadedFiles out;
  std::set<std::filesystem::path> seen;
  for (const auto& pattern : patterns) {
    const auto files = FindFiles(pattern, folder);
    if (files.empty()) out.unmatched.push_back(pattern);
    for (const auto& file : files) {
      if (!seen.insert(file).second) continue;
      config::Diagnostics diagnostics(file.string());
      auto groups = LoadRuleFile(file, diagnostics);
      for (auto& line : diagnostics.Lines()) out.faults.push_back(std::move(line));
      out.groups.insert(out.groups.end(), std::make_move_iterator(groups.begin()),
                        std::make_move_iterator(groups.end()));
    }
  }
  return out;
}

}  // namespace vigia::alerting::rules
