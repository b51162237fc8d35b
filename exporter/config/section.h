// What a section's function is given.

#pragma once

#include <filesystem>

#include "core/config/reader.h"
#include "exporter/config/config.h"

namespace vigia::exporter {

struct SectionInput {
  config::MapReader& file;       // the whole of vigia.yml
  std::filesystem::path folder;  // where vigia.yml stands

  // `collectors: {}`: what comes with vigia to judge sources has nothing to judge.
  bool WatchesNothing() const {
    const config::Node* const collectors = file.Child("collectors");
    return collectors && collectors->IsMap() && collectors->entries.empty();
  }

  // A path as the file means it: from its own folder.
  std::filesystem::path Resolve(const std::filesystem::path& path) const {
    return path.empty() || path.is_absolute() ? path : folder / path;
  }
};

}  // namespace vigia::exporter
