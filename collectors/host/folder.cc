#include "collectors/host/folder.h"

#include <algorithm>
#include <system_error>

namespace vigia::collectors::host {

Result<std::vector<std::string>> ListFolder(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (const auto end = std::filesystem::directory_iterator(); !error && entries != end;
       entries.increment(error)) {
    names.push_back(entries->path().filename());
  }
  if (error) return Fail(SystemError(folder.string(), error.value()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace vigia::collectors::host
