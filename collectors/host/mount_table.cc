#include "collectors/host/mount_table.h"

#include <optional>

#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

// Index of the table in the older format, without mount ids.
constexpr std::size_t kMounts = 2;

bool IsReadOnly(std::string_view options) {
  return options == "ro" || options.starts_with("ro,");  // always the first option
}

// "36 35 98:0 / /data rw,noatime master:1 - ext3 /dev/root rw,errors=continue": ids, device
// number, root within the file system, mount point, options, optional fields up to "-".
std::optional<Mount> ParseMountInfo(std::string_view line) {
  Fields fields(line);
  for (int skipped = 0; skipped < 4; ++skipped) fields.Next();
  Mount mount;
  mount.mount_point = UnescapeOctal(fields.Next());
  mount.read_only = IsReadOnly(fields.Next());
  for (auto optional = fields.Next(); optional != "-"; optional = fields.Next()) {
    if (optional.empty()) return std::nullopt;
  }
  mount.fs_type = fields.Next();
  mount.device = UnescapeOctal(fields.Next());
  mount.read_only = mount.read_only || IsReadOnly(fields.Next());
  return mount;
}

// "/dev/root / ext3 rw,errors=continue 0 0"
std::optional<Mount> ParseMounts(std::string_view line) {
  Fields fields(line);
  Mount mount;
  mount.device = UnescapeOctal(fields.Next());
  mount.mount_point = UnescapeOctal(fields.Next());
  mount.fs_type = fields.Next();
  mount.read_only = IsReadOnly(fields.Next());
  return mount;
}

}  // namespace

std::string UnescapeOctal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (const auto code = ParseNumber<unsigned char>(text.substr(i + 1, 3), 8)) {
        out += static_cast<char>(*code);
        i += 3;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

MountTable::MountTable(const std::filesystem::path& procfs)
    : files_{ProcFile(procfs / "1/mountinfo"), ProcFile(procfs / "self/mountinfo"),
             ProcFile(procfs / "self/mounts")} {}

Result<bool> MountTable::Refresh() {
  std::string_view text;
  const auto file = Read(text);
  if (!file) return Fail(file.error());
  if (*file == file_ && text == text_) return false;
  if (auto status = Parse(text, *file); !status) return Fail(status.error());
  file_ = *file;
  text_ = text;
  return true;
}

// The first table that can be read; its error is the one to tell if none can.
Result<std::size_t> MountTable::Read(std::string_view& text) {
  std::optional<Error> error;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto content = files_[i].Read();
    if (content) {
      text = *content;
      return i;
    }
    if (!error) error = content.error();
  }
  return Fail(std::move(*error));
}

Status MountTable::Parse(std::string_view text, std::size_t file) {
  std::vector<Mount> mounts;
  Lines lines(text);
  while (const auto line = lines.Next()) {
    auto mount = file == kMounts ? ParseMounts(*line) : ParseMountInfo(*line);
    if (!mount || mount->mount_point.empty() || mount->fs_type.empty()) {
      return Fail(
          Malformed(files_[file].path(), "'" + std::string(*line) + "' describes no mount"));
    }
    mounts.push_back(std::move(*mount));
  }
  mounts_ = std::move(mounts);
  return Ok();
}

}  // namespace vigia::collectors::host
