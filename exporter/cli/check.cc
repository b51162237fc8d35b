#include "exporter/cli/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>

#include "core/config/yaml.h"
#include "exporter/cli/exit.h"
#include "exporter/config/config.h"
#include "exporter/http/web_config.h"

namespace vigia::exporter::cli {
namespace {

void CheckConfig(const std::string& file, config::Diagnostics& diagnostics) {
  LoadConfig(file, diagnostics);
}

void CheckWebConfig(const std::string& file, config::Diagnostics& diagnostics) {
  http::LoadWebConfig(file, diagnostics);
}

struct FileKind {
  std::span<const std::string_view> keys;  // top-level ones that tell it from the others
  void (*check)(const std::string& file, config::Diagnostics& diagnostics);
};

constexpr std::array<std::string_view, 3> kWebKeys{"tls_server_config", "http_server_config",
                                                   "basic_auth_users"};

// The first is what a file is taken for that looks like none.
std::span<const FileKind> Kinds() {
  static const std::array kKinds{
      FileKind{SectionKeys(), CheckConfig},
      FileKind{kWebKeys, CheckWebConfig},
  };
  return kKinds;
}

const FileKind& Recognise(const config::Node& root) {
  const auto score = [&](const FileKind& kind) {
    return std::count_if(kind.keys.begin(), kind.keys.end(),
                         [&](std::string_view key) { return root.Find(key) != nullptr; });
  };
  const auto kinds = Kinds();
  return *std::max_element(kinds.begin(), kinds.end(),
                           [&](const auto& a, const auto& b) { return score(a) < score(b); });
}

}  // namespace

config::Diagnostics CheckFile(const std::string& file) {
  config::Diagnostics unread(file);
  const auto root = config::LoadYaml(file, {}, unread);
  // Where the syntax is wrong there is nothing to recognise.
  if (!unread.ok() && root.IsNull()) return unread;
  config::Diagnostics diagnostics(file);
  Recognise(root).check(file, diagnostics);
  return diagnostics;
}

int Check(const std::vector<std::string>& files) {
  int code = kExitFine;
  for (const auto& file : files) {
    const auto diagnostics = CheckFile(file);
    if (diagnostics.ok()) {
      std::printf("%s: ok\n", file.c_str());
    } else {
      std::fputs(diagnostics.ToString().c_str(), stdout);
      code = kExitError;
    }
  }
  return code;
}

}  // namespace vigia::exporter::cli
