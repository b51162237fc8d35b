#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "collectors/host/filesystem.h"
#include "collectors/host/mount_table.h"
#include "tests/support/collect.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::test;
using collectors::host::FilesystemUsage;

namespace {

// File systems that answer, fail, or hang until they are released.
class FakeFilesystems {
 public:
  ~FakeFilesystems() { ReleaseAll(); }

  Result<FilesystemUsage> Statfs(const std::string& path) {
    std::unique_lock lock(mutex_);
    asked_.push_back(path);
    if (hanging_.contains(path)) {
      ++hung_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !hanging_.contains(path); });
      --hung_;
    }
    if (broken_.contains(path)) return Fail(ErrorCode::kUnavailable, path + ": Input/output error");
    return FilesystemUsage{.size_bytes = 1000,
                           .free_bytes = 300,
                           .available_bytes = 200,
                           .files = 50,
                           .files_free = 40};
  }

  void Hang(const std::string& path) {
    const std::lock_guard lock(mutex_);
    hanging_.insert(path);
  }
  void Break(const std::string& path) {
    const std::lock_guard lock(mutex_);
    broken_.insert(path);
  }
  void ReleaseAll() {
    const std::lock_guard lock(mutex_);
    hanging_.clear();
    changed_.notify_all();
  }
  void AwaitHung(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return hung_ >= count; });
  }
  std::vector<std::string> TakeAsked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> hanging_;
  std::set<std::string> broken_;
  std::size_t hung_ = 0;
  std::vector<std::string> asked_;
};

// The subject over a mount table that the test writes.
class Host {
 public:
  explicit Host(const std::string& mountinfo, const std::string& rootfs = "/") {
    WriteMounts(mountinfo);
    collectors::host::Paths paths;
    paths.procfs = dir_.path();
    paths.rootfs = rootfs;
    config::Diagnostics diagnostics("options");
    const config::Node none;
    config::MapReader options(none, diagnostics);
    // A parked call outlives the subject.
    auto filesystems = filesystems_;
    collector_ = collectors::host::MakeFilesystemWith(
        [filesystems](const std::string& path) { return filesystems->Statfs(path); }, clock_, paths,
        options);
  }
  ~Host() { filesystems_->ReleaseAll(); }

  void WriteMounts(const std::string& mountinfo) const { dir_.Write("1/mountinfo", mountinfo); }

  std::string Run() {
    const auto status = collector_->Collect(Deadline::After(clock_, 10s), batch_);
    if (status) return ReadingText(*batch_.Finish(clock_.Wall()));
    batch_.Discard();
    return "error: " + status.error().message();
  }

  // A run in which `count` calls hang for good, one after another.
  std::string RunHanging(std::size_t count) {
    auto run = std::async(std::launch::async, [this] { return Run(); });
    for (std::size_t i = 1; i <= count; ++i) {
      filesystems_->AwaitHung(hung_ + i);
      clock_.AwaitWaiters(1);
      clock_.Advance(1s);
    }
    hung_ += count;
    return run.get();
  }

  FakeFilesystems& filesystems() { return *filesystems_; }

 private:
  TempDir dir_;
  ManualClock clock_;
  std::shared_ptr<FakeFilesystems> filesystems_ = std::make_shared<FakeFilesystems>();
  std::unique_ptr<collectors::Collector> collector_;
  Batch batch_;
  std::size_t hung_ = 0;
};

std::size_t ThreadCount() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

constexpr char kRoot[] = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n";
constexpr char kData[] = "28 27 0:50 / /data rw - nfs4 server:/data rw\n";
constexpr char kMore[] = "29 27 0:51 / /more rw - nfs4 server:/more rw\n";

// A healthy one that depends on a server, too.
constexpr char kHome[] = "30 27 0:52 / /home rw - nfs4 server:/home rw\n";

std::string MountLabels(std::string_view device, std::string_view type,
                        std::string_view mount_point) {
  return "{device=\"" + std::string(device) + "\",fstype=\"" + std::string(type) +
         "\",mountpoint=\"" + std::string(mount_point) + "\"} ";
}

const std::string kRootLabels = MountLabels("/dev/vda", "ext4", "/");
const std::string kDataLabels = MountLabels("server:/data", "nfs4", "/data");
const std::string kHomeLabels = MountLabels("server:/home", "nfs4", "/home");

}  // namespace

TEST_CASE("filesystem collector reports size and free space", "[collectors]") {
  Host host(kRoot);
  REQUIRE(host.Run() == "node_filesystem_device_error" + kRootLabels + "0\n" +       //
                            "node_filesystem_size_bytes" + kRootLabels + "1000\n" +  //
                            "node_filesystem_free_bytes" + kRootLabels + "300\n" +
                            "node_filesystem_avail_bytes" + kRootLabels + "200\n" +
                            "node_filesystem_files" + kRootLabels + "50\n" +
                            "node_filesystem_files_free" + kRootLabels + "40\n" +
                            "node_filesystem_readonly" + kRootLabels + "0\n");
}

TEST_CASE("filesystem collector leaves out what is no storage and follows the mount table",
          "[collectors]") {
  Host host(std::string(kRoot) + "22 27 0:21 / /proc rw - proc proc rw\n" +
            "23 27 0:22 / /sys/fs rw - tmpfs tmpfs rw\n" +
            "24 27 0:23 / /var/lib/docker/overlay2/x rw - xfs /dev/vdb rw\n" +
            "25 27 0:24 / /procedures rw - ext4 /dev/vdc rw\n" + kRoot);
  host.Run();
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/", "/procedures"});

  host.WriteMounts(std::string(kRoot) + kData);
  host.Run();
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/", "/data"});
}

TEST_CASE("filesystem collector decodes mount points and sees every read-only mount",
          "[collectors]") {
  Host host(
      "28 27 0:50 / /my\\040data\\134x ro,relatime master:1 propagate_from:2 - ext4 /dev/a rw\n"
      "29 27 0:51 / /b rw,relatime - ext4 /dev/b ro,errors=remount-ro\n"
      "30 27 0:52 / /c rw,relatime - ext4 /dev/c rw,rollback\n");
  const auto text = host.Run();
  REQUIRE(text.find("node_filesystem_readonly" + MountLabels("/dev/a", "ext4", "/my data\\\\x") +
                    "1\n" + "node_filesystem_readonly" + MountLabels("/dev/b", "ext4", "/b") +
                    "1\n" + "node_filesystem_readonly" + MountLabels("/dev/c", "ext4", "/c") +
                    "0\n") != std::string::npos);
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/my data\\x", "/b", "/c"});
}

TEST_CASE("octal escapes are decoded only where they are whole", "[collectors]") {
  using collectors::host::UnescapeOctal;
  REQUIRE(UnescapeOctal("/a\\040b\\011c\\012d\\134") == "/a b\tc\nd\\");
  REQUIRE(UnescapeOctal("/a\\04") == "/a\\04");
  REQUIRE(UnescapeOctal("/a\\09x\\777") == "/a\\09x\\777");
}

TEST_CASE("filesystem collector asks below rootfs and names mounts as the host does",
          "[collectors]") {
  SECTION("the table is that of the host") {
    Host host(std::string(kRoot) + kData, "/host");
    REQUIRE(host.Run().find("node_filesystem_device_error" + kRootLabels + "0\n" +
                            "node_filesystem_device_error" + kDataLabels + "0\n") == 0);
    REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/host/", "/host/data"});
  }
  SECTION("the table is that of a container in which the host is mounted") {
    Host host(
        "27 1 254:0 / /host rw - ext4 /dev/vda rw\n"
        "28 27 0:50 / /host/data rw - nfs4 server:/data rw\n"
        "29 27 0:51 / /hostile rw - ext4 /dev/vdb rw\n",
        "/host/");
    REQUIRE(host.Run().find("node_filesystem_device_error" + kRootLabels + "0\n" +
                            "node_filesystem_device_error" + kDataLabels + "0\n" +
                            "node_filesystem_device_error" +
                            MountLabels("/dev/vdb", "ext4", "/hostile") + "0\n") == 0);
  }
}

TEST_CASE("filesystem collector reports a failing file system without failing itself",
          "[collectors]") {
  Host host(std::string(kRoot) + kData);
  host.filesystems().Break("/data");
  const auto text = host.Run();
  REQUIRE(text.find("node_filesystem_device_error" + kDataLabels + "1\n") != std::string::npos);
  REQUIRE(text.find("size_bytes" + kRootLabels) != std::string::npos);
  REQUIRE(text.find("size_bytes" + kDataLabels) == std::string::npos);
}

TEST_CASE("a mount that hangs is parked and asked again only when its call has come back",
          "[collectors]") {
  Host host(std::string(kData) + kHome);
  host.filesystems().Hang("/data");
  const auto text = host.RunHanging(1);
  REQUIRE(text.find("node_filesystem_device_error" + kDataLabels + "1\n") == 0);
  REQUIRE(text.find("size_bytes" + kHomeLabels + "1000\n") != std::string::npos);
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/data", "/home"});

  const auto threads = ThreadCount();
  for (int i = 0; i < 50; ++i) REQUIRE(host.Run() == text);
  REQUIRE(ThreadCount() == threads);
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>(50, "/home"));

  host.filesystems().ReleaseAll();
  std::string after;
  for (int i = 0; i < 1'000'000 && after.find("size_bytes" + kDataLabels) == after.npos; ++i) {
    std::this_thread::yield();  // until its thread has noticed
    after = host.Run();
  }
  REQUIRE(after.find("node_filesystem_device_error" + kDataLabels + "0\n") == 0);
  REQUIRE(after.find("size_bytes" + kDataLabels + "1000\n") != std::string::npos);
}

TEST_CASE("several mounts that hang cost one thread each and do not hide the healthy ones",
          "[collectors]") {
  Host host(std::string(kData) + kMore + kHome);
  host.Run();
  host.filesystems().TakeAsked();
  const auto threads = ThreadCount();

  host.filesystems().Hang("/data");
  host.filesystems().Hang("/more");
  const auto text = host.RunHanging(2);
  REQUIRE(text.find("node_filesystem_device_error" + kDataLabels + "1\n") == 0);
  REQUIRE(text.find("size_bytes" + kHomeLabels + "1000\n") != std::string::npos);
  REQUIRE(ThreadCount() == threads + 2);
  REQUIRE(host.Run() == text);
  REQUIRE(ThreadCount() == threads + 2);
}

TEST_CASE("a local file system is asked without a helper, before one that may hang",
          "[collectors]") {
  Host host(std::string(kRoot) + "28 27 0:50 / /tmp rw - tmpfs tmpfs rw\n");
  const auto threads = ThreadCount();
  const auto text = host.Run();
  REQUIRE(text.find("size_bytes" + kRootLabels + "1000\n") != std::string::npos);
  REQUIRE(ThreadCount() == threads);

  host.WriteMounts(std::string(kData) + kRoot);
  host.filesystems().TakeAsked();
  host.filesystems().Hang("/data");
  REQUIRE(host.RunHanging(1).find("size_bytes" + kRootLabels + "1000\n") != std::string::npos);
  REQUIRE(host.filesystems().TakeAsked() == std::vector<std::string>{"/", "/data"});
}

TEST_CASE("parked threads are bounded", "[collectors]") {
  std::string mounts;
  for (int i = 0; i < 30; ++i) {
    mounts += "28 27 0:50 / /m" + std::to_string(i) + " rw - nfs4 server:/m rw\n";
  }
  Host host(mounts);
  auto& filesystems = host.filesystems();
  for (int i = 0; i < 30; ++i) filesystems.Hang("/m" + std::to_string(i));
  // Each run gives up after three quarters of its 10 s: 7 or 8 calls.
  for (int run = 0; run < 2; ++run) host.RunHanging(8);
  REQUIRE(filesystems.TakeAsked().size() == 16);
  const auto threads = ThreadCount();
  host.Run();
  REQUIRE(filesystems.TakeAsked().empty());
  REQUIRE(ThreadCount() == threads);
}

TEST_CASE("filesystem collector names the file when a line describes no mount", "[collectors]") {
  TempDir proc;
  proc.Write("1/mountinfo", "27 1 254:0 / / rw,relatime ext4 /dev/vda rw\n");
  REQUIRE(CollectText("host.filesystem", {{"procfs", proc.path()}}) ==
          "error: " + (proc.path() / "1/mountinfo").string() +
              ": '27 1 254:0 / / rw,relatime ext4 /dev/vda rw' describes no mount");
}

TEST_CASE("filesystem collector falls back to its own mounts", "[collectors]") {
  TempDir proc;
  REQUIRE(CollectText("host.filesystem", {{"procfs", proc.path()}}) ==
          "error: " + (proc.path() / "1/mountinfo").string() + ": No such file or directory");
  TempDir folder;
  proc.Write("self/mounts", "/dev/vda " + folder.path().string() + " ext4 ro,relatime 0 0\n");
  const auto text = CollectText("host.filesystem", {{"procfs", proc.path()}});
  REQUIRE(text.find("node_filesystem_readonly" +
                    MountLabels("/dev/vda", "ext4", folder.path().string()) + "1\n") !=
          std::string::npos);
}

TEST_CASE("filesystem collector refuses an expression that is none", "[collectors]") {
  REQUIRE(CollectText("host.filesystem", {{"fs_types_exclude", "("}}).find("fs_types_exclude") !=
          std::string::npos);
}
