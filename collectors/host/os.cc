// The distribution, from /etc/os-release or /usr/lib/os-release; read again when it changes.

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "collectors/host/file_stamp.h"
#include "collectors/host/part.h"
#include "collectors/host/text.h"
#include "core/file.h"
#include "core/number.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_os_info", "Name and version of the operating system; always 1."},
    Metric{"node_os_version", "Version of the operating system, as far as it is major.minor."},
    Metric{"node_os_support_end_timestamp_seconds",
           "When support for the operating system ends, as Unix time.", MetricType::kGauge,
           "seconds"},
};

// The labels of node_os_info, and the keys they come from.
struct Field {
  std::string_view label;
  std::string_view key;
};
constexpr std::array kFields{
    Field{"build_id", "BUILD_ID"},
    Field{"id", "ID"},
    Field{"id_like", "ID_LIKE"},
    Field{"image_id", "IMAGE_ID"},
    Field{"image_version", "IMAGE_VERSION"},
    Field{"name", "NAME"},
    Field{"pretty_name", "PRETTY_NAME"},
    Field{"variant", "VARIANT"},
    Field{"variant_id", "VARIANT_ID"},
    Field{"version", "VERSION"},
    Field{"version_codename", "VERSION_CODENAME"},
    Field{"version_id", "VERSION_ID"},
};
constexpr std::size_t kId = 1;
constexpr std::size_t kIdLike = 2;
constexpr std::size_t kName = 5;
constexpr std::size_t kVersionId = 11;

struct Release {
  std::array<std::string, kFields.size()> values;
  std::string support_end;
  double version = 0;  // 0: none
  std::optional<double> support_end_seconds;
};

// What a shell makes of the right side of an assignment: os-release(5) allows quotes and, within
// double ones, backslashes.
std::string Unquote(std::string_view text) {
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i < text.size() && text[i] != quote; ++i) {
    if (text[i] == '\\' && quote == '"' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// "12.4 (bookworm)" gives 12.4, "rolling" nothing.
double LeadingVersion(std::string_view text) {
  std::size_t end = 0;
  bool dot = false;
  while (end < text.size()) {
    if (text[end] == '.' && !dot && end > 0) {
      dot = true;
    } else if (text[end] < '0' || text[end] > '9') {
      break;
    }
    ++end;
  }
  const auto version = ParseDouble(text.substr(0, end));
  return version ? *version : 0;
}

// "2028-06-30", at midnight UTC.
std::optional<double> DateSeconds(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = ParseNumber<int>(text.substr(0, 4));
  const auto month = ParseNumber<unsigned>(text.substr(5, 2));
  const auto day = ParseNumber<unsigned>(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const std::chrono::seconds since = std::chrono::sys_days(date).time_since_epoch();
  return static_cast<double>(since.count());
}

Result<Release> ParseRelease(const std::filesystem::path& path, std::string_view text) {
  Release release;
  Lines lines(text);
  while (const auto raw = lines.Next()) {
    const auto line = Trim(*raw);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == line.npos) {
      return Fail(Malformed(path, "'" + std::string(line) + "' is no assignment"));
    }
    const auto key = line.substr(0, equals);
    auto value = Unquote(line.substr(equals + 1));
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      if (kFields[i].key == key) release.values[i] = value;
    }
    if (key == "SUPPORT_END") release.support_end = value;
  }
  release.version = LeadingVersion(release.values[kVersionId]);
  if (!release.support_end.empty()) {
    release.support_end_seconds = DateSeconds(release.support_end);
    if (!release.support_end_seconds) {
      return Fail(Malformed(path, "'" + release.support_end + "' is not a date"));
    }
  }
  return release;
}

class OsCollector final : public Collector {
 public:
  explicit OsCollector(const Paths& paths)
      : paths_{paths.rootfs / "etc/os-release", paths.rootfs / "usr/lib/os-release"} {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto found = Refresh();
    if (!found) return Fail(found.error());
    if (!*found) return Ok();  // a container need not have one
    std::array<LabelView, kFields.size()> labels;
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      labels[i] = {kFields[i].label, release_.values[i]};
    }
    batch.Add(kMetrics[0], labels, 1);
    if (release_.version > 0) {
      batch.Add(kMetrics[1], {labels[kId], labels[kIdLike], labels[kName]}, release_.version);
    }
    if (release_.support_end_seconds) batch.Add(kMetrics[2], *release_.support_end_seconds);
    return Ok();
  }

 private:
  Result<bool> Refresh() {
    for (const auto& path : paths_) {
      const auto stamp = FileStamp::Of(path);
      if (!stamp) return Fail(stamp.error());
      if (!*stamp) continue;
      if (stamp_ == *stamp) return true;
      stamp_.reset();
      if (auto read = Read(path); !read) return Fail(read.error());
      stamp_ = *stamp;
      return true;
    }
    stamp_.reset();
    return false;
  }

  Status Read(const std::filesystem::path& path) {
    constexpr std::size_t kLimit = 64 * 1024;
    const auto text = ReadFile(path, kLimit);
    if (!text) return Fail(text.error());
    auto release = ParseRelease(path, *text);
    if (!release) return Fail(release.error());
    release_ = std::move(*release);
    return Ok();
  }

  const std::array<std::filesystem::path, 2> paths_;
  std::optional<FileStamp> stamp_;  // of the file that release_ was read from
  Release release_;
};

}  // namespace

std::unique_ptr<Collector> MakeOs(const Paths& paths, config::MapReader&) {
  return std::make_unique<OsCollector>(paths);
}

}  // namespace vigia::collectors::host
