// How far an endpoint has come in the journal, kept in a small file.

#pragma once

#include <filesystem>

#include "core/result.h"
#include "query/history/journal_reader.h"

namespace vigia::remote_write {

using history::JournalPosition;

// What lies before `done` was delivered. What lies between the two was under way when this was
// written: it is sent again in the same requests, so that a receiver that has some of them
// refuses or ignores those, and only those.
struct Progress {
  JournalPosition done;
  JournalPosition until;

  friend bool operator==(const Progress&, const Progress&) = default;
};

// From the begin of the journal if there is no file; kCorrupt if it is not one of ours.
Result<Progress> LoadProgress(const std::filesystem::path& path);
Status SaveProgress(const std::filesystem::path& path, const Progress& progress);

}  // namespace vigia::remote_write
