#include "collectors/host/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

// Refusals that say nothing against the descriptor.
bool IsRefusal(int error) {
  return error == EINVAL || error == EOPNOTSUPP || error == EAGAIN || error == EIO ||
         error == ENODATA || error == EBUSY;
}

// "cpu2" before "cpu10".
bool NaturalLess(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto end_of_number = [&](std::string_view text, std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
  };
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < common && a[i] == b[i]) ++i;
  while (i > 0 && is_digit(a[i - 1])) --i;
  const auto number_a = a.substr(i, end_of_number(a, i) - i);
  const auto number_b = b.substr(i, end_of_number(b, i) - i);
  if (!number_a.empty() && !number_b.empty() && number_a.size() != number_b.size()) {
    return number_a.size() < number_b.size();
  }
  return a < b;
}

}  // namespace

std::atomic<int> SysFile::open_ = 0;

SysFile::SysFile(SysFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

SysFile& SysFile::operator=(SysFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

SysFile::~SysFile() { Close(); }

void SysFile::Close() {
  if (descriptor_ < 0) return;
  ::close(std::exchange(descriptor_, -1));
  --open_;
}

std::optional<std::string_view> SysFile::Read(std::span<char> buffer) {
  const bool kept = descriptor_ >= 0;
  if (!kept) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) return std::nullopt;
    ++open_;
  }
  ssize_t size = -1;
  do {
    size = ::pread(descriptor_, buffer.data(), buffer.size(), 0);
  } while (size < 0 && errno == EINTR);
  const bool stale = size < 0 && !IsRefusal(errno);
  if (stale || open_ > kMaxOpen) Close();
  if (stale && kept) return Read(buffer);  // once more: the device may be a new one
  if (size < 0) return std::nullopt;
  return Trim({buffer.data(), static_cast<std::size_t>(size)});
}

Result<std::optional<std::int64_t>> SysFile::ReadNumber() {
  std::array<char, 64> buffer;
  const auto text = Read(buffer);
  if (!text || text->empty()) return std::nullopt;
  const bool hexadecimal = text->starts_with("0x");
  const auto value = hexadecimal ? ParseNumber<std::int64_t>(text->substr(2), 16)
                                 : ParseNumber<std::int64_t>(*text);
  if (!value) return Fail(NotANumber(path_, *text));
  return value;
}

SysFolder::SysFolder(SysFolder&& other) noexcept
    : path_(other.path_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      raw_(std::move(other.raw_)),
      entries_(std::move(other.entries_)) {}

SysFolder::~SysFolder() { Close(); }

void SysFolder::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool SysFolder::Refresh() {
  if (!ReadRaw(scratch_)) scratch_.clear();
  if (scratch_ == raw_) return false;
  std::swap(raw_, scratch_);
  Parse(raw_);
  return true;
}

// The kernel's own list of entries, which is the same bytes while nothing changes.
bool SysFolder::ReadRaw(std::string& raw) {
  const bool kept = descriptor_ >= 0;
  if (!kept) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) return false;
  } else if (::lseek(descriptor_, 0, SEEK_SET) != 0) {
    Close();
    return ReadRaw(raw);
  }
  std::size_t size = 0;
  while (true) {
    if (raw.size() < size + 4096) raw.resize(size + 4096);
    const long n = ::syscall(SYS_getdents64, descriptor_, raw.data() + size, raw.size() - size);
    if (n < 0) {
      Close();
      return kept && ReadRaw(raw);
    }
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  raw.resize(size);
  // Only "." and "..": perhaps a folder that was removed, and made anew under its name.
  constexpr std::size_t kOfDots = 48;
  if (size <= kOfDots) Close();
  return true;
}

void SysFolder::Parse(std::string_view raw) {
  entries_.clear();
  std::size_t at = 0;
  while (at < raw.size()) {
    dirent64 entry;
    std::memcpy(&entry, raw.data() + at, offsetof(dirent64, d_name));
    const std::string_view name = raw.data() + at + offsetof(dirent64, d_name);
    if (!name.starts_with('.')) entries_.push_back({std::string(name), entry.d_type == DT_REG});
    at += entry.d_reclen;
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return NaturalLess(a.name, b.name); });
}

}  // namespace vigia::collectors::host
