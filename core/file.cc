#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vigia {
namespace {

// Reads from position 0 to the end, or to `limit` bytes, into `buffer`; returns the size, or
// an errno value as a negative number.
ssize_t ReadAll(int descriptor, std::string& buffer, std::size_t limit) {
  if (buffer.size() < 4096) buffer.resize(4096);
  std::size_t size = 0;
  while (true) {
    if (size == buffer.size()) buffer.resize(2 * size);
    const ssize_t n =
        ::pread(descriptor, buffer.data() + size, buffer.size() - size, static_cast<off_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    // /proc and /sys files end with a short read, but only an empty one is certain.
    if (n == 0) return static_cast<ssize_t>(size);
    size += static_cast<std::size_t>(n);
    if (size > limit) return -EFBIG;
  }
}

}  // namespace

Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Fail(SystemError(path.string(), errno));
  std::string content;
  const ssize_t size = ReadAll(descriptor, content, limit);
  ::close(descriptor);
  if (size == -EFBIG) {
    return Fail(ErrorCode::kCorrupt,
                path.string() + ": larger than " + std::to_string(limit) + " bytes");
  }
  if (size == -ESPIPE) {
    // It would be empty the next time: a reload, a second look.
    return Fail(ErrorCode::kInvalid,
                path.string() + ": a pipe, which reads only once; name a file");
  }
  if (size < 0) return Fail(SystemError(path.string(), static_cast<int>(-size)));
  content.resize(static_cast<std::size_t>(size));
  return content;
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                           unsigned mode) {
  const std::string temporary = path.string() + ".tmp";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) return Fail(SystemError(temporary, errno));
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n >= 0) {
      content.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(descriptor) != 0) error = errno;
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return Fail(SystemError(path.string(), error));
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);  // best effort: some file systems refuse it
    ::close(directory);
  }
  return Ok();
}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      absent_(other.absent_) {}

KeptFile& KeptFile::operator=(KeptFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(absent_, other.absent_);
  return *this;
}

KeptFile::~KeptFile() { Close(); }

void KeptFile::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Error KeptFile::Failure(int error_number) {
  absent_ = error_number == ENOENT || error_number == ENOTDIR || error_number == ENODEV ||
            error_number == EOPNOTSUPP;
  return SystemError(path_.string(), error_number);
}

Result<std::string_view> KeptFile::Read(std::string& buffer) {
  constexpr std::size_t kLimit = 16 * 1024 * 1024;
  absent_ = false;
  const bool kept = descriptor_ >= 0;
  if (!kept) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) return Fail(Failure(errno));
  }
  const ssize_t size = ReadAll(descriptor_, buffer, kLimit);
  if (size >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(size));
  Close();
  if (kept) return Read(buffer);  // once more, on a fresh descriptor
  return Fail(Failure(static_cast<int>(-size)));
}

}  // namespace vigia
