#include "core/log_writer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace vigia::log {

using std::chrono::steady_clock;

DescriptorWriter::DescriptorWriter(int descriptor) : descriptor_(descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return;
  if (S_ISREG(status.st_mode)) kind_ = Kind::kFile;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::kSocket;
}

bool DescriptorWriter::AwaitRoom(steady_clock::time_point until) const {
  if (kind_ == Kind::kFile) return true;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd wanted{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (ready > 0) return (wanted.revents & POLLOUT) != 0;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool DescriptorWriter::WriteAll(std::string_view text, steady_clock::time_point until) {
  while (!text.empty()) {
    if (!AwaitRoom(until)) return false;
    // Where poll() sees room in a pipe there is room for PIPE_BUF bytes; more might block.
    const auto part = kind_ == Kind::kStream ? text.substr(0, PIPE_BUF) : text;
    const ssize_t n = kind_ == Kind::kSocket ? ::send(descriptor_, part.data(), part.size(),
                                                      MSG_DONTWAIT | MSG_NOSIGNAL)
                                             : ::write(descriptor_, part.data(), part.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      cut_ = !text.empty();
    } else if (errno != EINTR && errno != EAGAIN) {
      return false;
    } else if (errno == EAGAIN && steady_clock::now() >= until) {
      return false;
    }
  }
  return true;
}

bool DescriptorWriter::Write(std::string_view line) {
  const auto now = steady_clock::now();
  const auto until = stalled_ ? now : now + kPatience;
  stalled_ = !((!cut_ || WriteAll("\n", until)) && WriteAll(line, until));
  return !stalled_;
}

}  // namespace vigia::log
