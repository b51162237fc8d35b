#include "collectors/kpi/files.h"

#include <glob.h>

#include <algorithm>

namespace vigia::collectors::kpi {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 200;
// From the folder of the program up: bin, its prefix, and what a build tree has in between.
constexpr int kLevels = 4;

bool IsBareWord(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
}

}  // namespace

Result<fs::path> FindPack(const std::string& name, const fs::path& program) {
  fs::path folder = program.parent_path();
  for (int level = 0; level < kLevels && !folder.empty(); ++level) {
    auto pack = folder / "share/vigia/packs" / (name + ".yml");
    std::error_code error;
    if (fs::is_regular_file(pack, error)) return pack;
    folder = folder == folder.parent_path() ? fs::path() : folder.parent_path();
  }
  return Fail(ErrorCode::kInvalid, "there is no bundled pack '" + name +
                                       "'; a file is named with its ending, as in '" + name +
                                       ".yml'");
}

Result<std::vector<fs::path>> FindFiles(const std::string& name, const fs::path& base) {
  if (IsBareWord(name)) {
    std::error_code error;
    auto pack = FindPack(name, fs::read_symlink("/proc/self/exe", error));
    if (!pack) return Fail(pack.error());
    return std::vector{*std::move(pack)};
  }
  const fs::path pattern = fs::path(name).is_absolute() ? fs::path(name) : base / name;
  std::vector<fs::path> files;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_ERR, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  if (files.empty()) return Fail(ErrorCode::kInvalid, "no file fits '" + pattern.string() + "'");
  if (files.size() > kMostFiles) {
    return Fail(ErrorCode::kInvalid, "'" + pattern.string() + "' fits more than " +
                                         std::to_string(kMostFiles) + " files");
  }
  return files;
}

}  // namespace vigia::collectors::kpi
