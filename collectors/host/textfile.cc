// Metrics that scripts leave in files: every *.prom of the given folders.
//
// Options: directory (one or a list, with wildcards), max_age (a file that was not written for
// that long is reported as stale, and its series are withdrawn).

#include <glob.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/host/file_stamp.h"
#include "collectors/host/part.h"
#include "collectors/host/prom_file.h"
#include "core/file.h"
#include "core/log.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_textfile_scrape_error", "1 if a folder or file could not be read, or is wrong."},
    Metric{"node_textfile_mtime_seconds", "When the file was written last, as Unix time.",
           MetricType::kGauge, "seconds"},
    Metric{"vigia_textfile_error", "1 for a file whose metrics cannot be used; the log says why."},
    Metric{"vigia_textfile_stale",
           "1 for a file that is older than max_age, so that its metrics are left out."},
    Metric{"<name>", "What the files contain."},
};
constexpr const Metric& kScrapeError = kMetrics[0];
constexpr const Metric& kModified = kMetrics[1];
constexpr const Metric& kFileError = kMetrics[2];
constexpr const Metric& kStale = kMetrics[3];

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxFiles = 1000;

// A file that was just written may be written again without a change of its stamp.
constexpr std::int64_t kSettledMs = 2000;

// One file, as it was read last.
struct TextFile {
  std::optional<FileStamp> stamp;
  bool settled = false;
  std::optional<PromFile> content;
  std::string fault;     // of reading it
  std::string conflict;  // with a file before it
  std::string logged;

  const std::string& problem() const { return fault.empty() ? conflict : fault; }
};

class TextfileCollector final : public Collector {
 public:
  explicit TextfileCollector(config::MapReader& options) {
    options.Read("directory", folders_);
    Milliseconds max_age{};
    if (options.Read("max_age", max_age)) max_age_ = max_age;
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const Timestamp now = deadline.clock().Wall();
    bool failed = false;
    const auto paths = List(failed);
    bool changed =
        std::erase_if(files_, [&](const auto& file) { return !paths.contains(file.first); }) > 0;
    for (const auto& path : paths) {
      if (deadline.Passed()) return Fail(ErrorCode::kTimeout, path + ": not read in time");
      changed = Update(path, now) || changed;
    }
    if (changed) FindConflicts();
    for (auto& [path, file] : files_) {
      Log(path, file);
      failed = failed || !file.problem().empty();
      Add(path, file, now, batch);
    }
    batch.Add(kScrapeError, failed ? 1 : 0);
    return Ok();
  }

 private:
  // The *.prom files of all folders.
  std::set<std::string> List(bool& failed) {
    std::set<std::string> paths;
    for (const auto& pattern : folders_) {
      for (const auto& folder : Expand(pattern)) {
        std::error_code error;
        std::filesystem::directory_iterator at(folder, error);
        for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
          if (at->path().extension() != ".prom") continue;
          if (paths.size() < kMaxFiles) {
            paths.insert(at->path().string());
          } else {
            failed = true;
          }
        }
        LogFolder(folder, error);
        failed = failed || error;
      }
    }
    return paths;
  }

  // A pattern that matches nothing stands for itself, so that a missing folder is told.
  static std::vector<std::string> Expand(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> folders;
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      folders.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    if (folders.empty()) folders.push_back(pattern);
    return folders;
  }

  // Reads the file again if it changed, and returns whether it did.
  bool Update(const std::string& path, Timestamp now) {
    auto& file = files_[path];
    const auto stamp = FileStamp::Of(path);
    if (stamp && *stamp && file.stamp == *stamp && file.settled) return false;
    file.content.reset();
    file.fault.clear();
    file.stamp = stamp ? *stamp : std::nullopt;
    file.settled = file.stamp && file.stamp->modified() + kSettledMs < now;
    auto content = stamp ? Read(path, file.stamp) : Result<PromFile>(Fail(stamp.error()));
    if (content) {
      file.content = std::move(*content);
    } else {
      file.fault = content.error().message();
    }
    return true;
  }

  Result<PromFile> Read(const std::string& path, const std::optional<FileStamp>& stamp) {
    if (!stamp) return Fail(ErrorCode::kUnavailable, path + ": links to nothing");
    if (!stamp->regular) return Fail(ErrorCode::kInvalid, path + ": is not a plain file");
    const auto text = ReadFile(path, kMaxFileBytes);
    if (!text) return Fail(text.error());
    return PromFile::Parse(path, *text, metrics_);
  }

  // A name has one type on a page: the first file that uses it decides.
  void FindConflicts() {
    std::map<std::string_view, const Metric*> by_name;
    for (auto& [path, file] : files_) {
      file.conflict.clear();
      if (!file.content) continue;
      for (const auto* metric : file.content->metrics()) {
        const auto* const first = by_name.emplace(metric->name, metric).first->second;
        if (first == metric) continue;
        file.conflict = path + ": " + std::string(metric->name) + " is of type " +
                        std::string(TypeNameInText(metric->type)) + " here and of type " +
                        std::string(TypeNameInText(first->type)) + " before";
      }
    }
  }

  void Add(const std::string& path, const TextFile& file, Timestamp now, Batch& batch) const {
    if (!file.problem().empty()) {
      batch.Add(kFileError, {{"file", path}}, 1);
      return;
    }
    const bool stale = max_age_ && now - file.stamp->modified() > max_age_->count();
    for (const auto& sample : file.content->samples()) {
      if (stale) break;
      batch.AddSample(*sample.metric, sample.name, sample.labels, sample.value);
    }
    batch.Add(kModified, {{"file", path}}, static_cast<double>(file.stamp->modified_seconds));
    if (max_age_) batch.Add(kStale, {{"file", path}}, stale ? 1 : 0);
  }

  // A problem is logged once, when it begins or changes.
  static void Log(const std::string& path, TextFile& file) {
    if (file.logged == file.problem()) return;
    file.logged = file.problem();
    if (file.logged.empty()) {
      log::Info("text file is fine again", {{"file", path}});
    } else {
      log::Warn("text file cannot be used", {{"file", path}, {"error", file.logged}});
    }
  }

  void LogFolder(const std::string& folder, std::error_code error) {
    if (!error) {
      unreadable_.erase(folder);
    } else if (unreadable_.insert(folder).second) {
      log::Warn("folder of text files cannot be read",
                {{"folder", folder}, {"error", error.message()}});
    }
  }

  std::vector<std::string> folders_;
  std::optional<Milliseconds> max_age_;
  TypedMetricTable metrics_;
  std::map<std::string, TextFile> files_;  // by path
  std::set<std::string> unreadable_;       // folders
};

}  // namespace

std::unique_ptr<Collector> MakeTextfile(const Paths&, config::MapReader& options) {
  return std::make_unique<TextfileCollector>(options);
}

}  // namespace vigia::collectors::host
