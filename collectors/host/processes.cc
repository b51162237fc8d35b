// Processes and threads by state, from /proc/<pid>. Off by default: it reads a file of every
// process in each run.

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_processes_threads", "Threads of all processes."},
    Metric{"node_processes_max_threads", "Threads that the kernel allows."},
    Metric{"node_processes_state", "Processes in each state."},
    Metric{"node_processes_threads_state", "Threads in each state."},
    Metric{"node_processes_pids", "Processes."},
    Metric{"node_processes_max_processes", "Process ids that the kernel gives out."},
};

// Counts by the letter of the state.
using States = std::array<std::uint32_t, 128>;

struct TaskStat {
  char state;
  std::uint64_t threads;
};

// "7 (a) b) S 1 7 ...": the name in parentheses may hold anything; the state follows the last
// one, the number of threads is the 17th field after that.
std::optional<TaskStat> ParseStat(std::string_view text) {
  const std::size_t end = text.rfind(')');
  if (end == text.npos) return std::nullopt;
  Fields fields(text.substr(end + 1));
  const auto state = fields.Next();
  for (int skipped = 0; skipped < 16; ++skipped) fields.Next();
  const auto threads = ParseNumber(fields.Next());
  if (state.size() != 1 || state[0] < 'A' || !threads) return std::nullopt;
  return TaskStat{state[0], *threads};
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// Calls `visit` with each entry that is a number.
template <typename Visit>
void ForEachNumber(DIR* folder, Visit visit) {
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && !visit(entry->d_name)) return;
  }
}

class ProcessesCollector final : public Collector {
 public:
  explicit ProcessesCollector(const Paths& paths)
      : procfs_(paths.procfs),
        max_threads_(paths.procfs / "sys/kernel/threads-max"),
        max_processes_(paths.procfs / "sys/kernel/pid_max") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    processes_.fill(0);
    threads_.fill(0);
    pids_ = 0;
    thread_count_ = 0;
    const Folder folder(::opendir(procfs_.c_str()));
    if (!folder) return Fail(SystemError(procfs_.string(), errno));
    bool in_time = true;
    Status status = Ok();
    ForEachNumber(folder.get(), [&](const char* pid) {
      in_time = !deadline.Passed();
      if (in_time) status = CountProcess(::dirfd(folder.get()), pid);
      return in_time && status;
    });
    if (!status) return status;
    if (!in_time) return Fail(ErrorCode::kTimeout, procfs_.string() + ": not read in time");
    return Add(batch);
  }

 private:
  // A process may end at any moment: what cannot be read is not there.
  Status CountProcess(int procfs, const char* pid) {
    auto name = std::string(pid) + "/stat";
    const auto text = ReadAt(procfs, name.c_str());
    if (!text) return Ok();
    const auto stat = ParseStat(*text);
    if (!stat) return Fail(Malformed(procfs_ / name, "is not the status of a process"));
    ++pids_;
    ++processes_[static_cast<unsigned char>(stat->state) % processes_.size()];
    thread_count_ += stat->threads;
    if (stat->threads <= 1) {
      ++threads_[static_cast<unsigned char>(stat->state) % threads_.size()];
    } else {
      name = std::string(pid) + "/task";
      CountThreads(::openat(procfs, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    return Ok();
  }

  void CountThreads(int descriptor) {
    if (descriptor < 0) return;
    const Folder folder(::fdopendir(descriptor));
    if (!folder) {
      ::close(descriptor);
      return;
    }
    ForEachNumber(folder.get(), [&](const char* tid) {
      const auto text = ReadAt(::dirfd(folder.get()), (std::string(tid) + "/stat").c_str());
      const auto stat = text ? ParseStat(*text) : std::nullopt;
      if (stat) ++threads_[static_cast<unsigned char>(stat->state) % threads_.size()];
      return true;
    });
  }

  std::optional<std::string_view> ReadAt(int folder, const char* name) {
    const int descriptor = ::openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    const ssize_t size = ::read(descriptor, buffer_.data(), buffer_.size());
    ::close(descriptor);
    if (size <= 0) return std::nullopt;
    return std::string_view(buffer_.data(), static_cast<std::size_t>(size));
  }

  Status Add(Batch& batch) {
    batch.Add(kMetrics[0], static_cast<double>(thread_count_));
    if (auto status = AddLimit(kMetrics[1], max_threads_, batch); !status) return status;
    AddStates(kMetrics[2], "state", processes_, batch);
    AddStates(kMetrics[3], "thread_state", threads_, batch);
    batch.Add(kMetrics[4], static_cast<double>(pids_));
    return AddLimit(kMetrics[5], max_processes_, batch);
  }

  static Status AddLimit(const Metric& metric, ProcFile& file, Batch& batch) {
    const auto text = file.Read();
    if (!text) return Fail(text.error());
    const auto value = ParseNumber(Trim(*text));
    if (!value) return Fail(NotANumber(file.path(), Trim(*text)));
    batch.Add(metric, static_cast<double>(*value));
    return Ok();
  }

  static void AddStates(const Metric& metric, std::string_view label, const States& states,
                        Batch& batch) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      const char letter = static_cast<char>(i);
      if (states[i] > 0) batch.Add(metric, {{label, {&letter, 1}}}, states[i]);
    }
  }

  const std::filesystem::path procfs_;
  ProcFile max_threads_;
  ProcFile max_processes_;
  // Of this run.
  SysBuffer buffer_;
  States processes_{};
  States threads_{};
  std::uint64_t pids_ = 0;
  std::uint64_t thread_count_ = 0;
};

}  // namespace

std::unique_ptr<Collector> MakeProcesses(const Paths& paths, config::MapReader&) {
  return std::make_unique<ProcessesCollector>(paths);
}

}  // namespace vigia::collectors::host
