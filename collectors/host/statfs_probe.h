// Asks file systems how full they are, and never waits for a dead one twice.
//
// statfs(2) on a mount whose server is gone does not return, and cannot be interrupted. So one
// helper thread asks for all mounts that depend on somebody else; when a call takes too long, its
// thread is parked (left alone in the call) and another helper goes on with the rest. A parked
// mount is not asked again until its call comes back, upon which its thread ends. Healthy mounts
// cost one hand-over to the helper and back per run; local ones, whose numbers are in the kernel's
// memory, are asked directly.
//
// Used by one thread at a time.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vigia::collectors::host {

struct FilesystemUsage {
  double size_bytes = 0;
  double free_bytes = 0;
  double available_bytes = 0;  // to those who are not root
  double files = 0;
  double files_free = 0;
};

using StatfsFunction = std::function<Result<FilesystemUsage>(const std::string& path)>;

// statfs(2).
Result<FilesystemUsage> Statfs(const std::string& path);

class StatfsProbe {
 public:
  struct Options {
    Duration patience = 1s;       // before a call is parked
    std::size_t max_parked = 16;  // beyond it new mounts are not asked until a call comes back
  };

  // `statfs` is called from other threads and may still be in a call when the probe is gone.
  StatfsProbe(StatfsFunction statfs, Clock& clock, Options options);
  // Leaves parked threads to themselves.
  ~StatfsProbe();
  StatfsProbe(const StatfsProbe&) = delete;
  StatfsProbe& operator=(const StatfsProbe&) = delete;

  struct Path {
    std::string path;
    bool local = false;  // its file system answers from memory
  };

  // Chooses the paths that Run() asks for.
  void SetPaths(std::span<const Path> paths);
  // Asks for every path that is not parked; returns when all have answered, at `until` at the
  // latest.
  void Run(Instant until);
  // What the last Run() learnt of path `i`; nullptr if the call failed or has not come back.
  const FilesystemUsage* usage(std::size_t i) const;

 private:
  struct Target;
  struct Shared;

  static void Work(std::shared_ptr<Shared> shared, std::uint64_t worker);
  std::size_t Enqueue();
  void AskLocal();
  void AskRemote(Instant until);
  bool EnsureWorker();
  void Park();

  const Options options_;
  Clock& clock_;
  const std::shared_ptr<Shared> shared_;
  std::unordered_map<std::string, std::shared_ptr<Target>> by_path_;
  std::vector<std::shared_ptr<Target>> targets_;  // of SetPaths, one per path
};

}  // namespace vigia::collectors::host
