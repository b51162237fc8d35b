// A disk that gets full under the real daemon: it goes on, says so, keeps its promises, and
// recovers when there is room again.

#include <signal.h>
#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "tests/api/message.h"
#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using vigia::Timestamp;

namespace {

// A disk of a few MB, if this process may mount one.
class SmallDisk {
 public:
  SmallDisk() : mounted_(::mount("none", path().c_str(), "tmpfs", 0, "size=6m") == 0) {
    if (!mounted_) WARN("SKIPPED: cannot mount a tmpfs: " << std::strerror(errno));
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }

  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return dir_.path(); }

  // Leaves no byte free.
  void Fill() const {
    std::ofstream file(path() / "filler", std::ios::app);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void MakeRoom() const { std::filesystem::remove(path() / "filler"); }

 private:
  TempDir dir_;
  bool mounted_ = false;
};

// Pushes one sample at a time, and counts what was acknowledged.
class Client {
 public:
  // Whether the next sample was acknowledged. What was not is pushed again by the next call.
  bool Push(int port) {
    Message message;
    message.Series({{"__name__", "pushed"}}, {{begin_ + acknowledged_, value()}});
    const int status = Ask(port, {.method = "POST",
                                  .path = "/api/v1/write",
                                  .headers = {{"Content-Encoding", "snappy"},
                                              {"Content-Type", "application/x-protobuf"}},
                                  .body = message.Packed()})
                           .status;
    REQUIRE((status == 204 || status == 500));
    if (status == 204) ++acknowledged_;
    return status == 204;
  }
  double value() const { return static_cast<double>(acknowledged_); }

 private:
  const Timestamp begin_ = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  int acknowledged_ = 0;
};

template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds limit = 40s) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

bool Stored(int port, const Client& client, int more = 0) {
  const auto body = Get(port, "/api/v1/query?query=count_over_time(pushed[10m])").body;
  return body.find("\"" + std::to_string(static_cast<int>(client.value()) + more) + "\"") !=
         std::string::npos;
}

std::string Silence(const std::string& comment) {
  return R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"createdBy":"test","comment":")" +
         comment + R"(","startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-02T00:00:00Z"})";
}

int PostSilence(int port, const std::string& comment) {
  return Ask(port, {.method = "POST",
                    .path = "/api/v2/silences",
                    .headers = {{"Content-Type", "application/json"}},
                    .body = Silence(comment)})
      .status;
}

const std::string kConfig =
    "collectors:\n  host: { interval: 200ms }\nrules: []\nremote_write_receiver: true\n";

}  // namespace

TEST_CASE("a full disk stops nothing, is told, and takes nothing that was promised", "[e2e]") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const std::string data_dir = (disk.path() / "data").string();
  const auto start = [&] {
    return std::make_unique<Vigia>(Vigia::Options{.config = kConfig, .data_dir = data_dir});
  };
  auto vigia = start();
  Client client;
  for (int i = 0; i < 20; ++i) REQUIRE(client.Push(vigia->port()));
  REQUIRE(vigia->Value("vigia_history_at_risk") == "0");

  disk.Fill();
  REQUIRE(Eventually([&] { return !client.Push(vigia->port()); }));
  REQUIRE(vigia->process().AwaitOutput("msg=\"history cannot write its journal\""));
  REQUIRE(vigia->AwaitValue("vigia_history_at_risk", "1"));
  REQUIRE(vigia->Value("vigia_history_write_errors_total") != "0");
  // It answers with all that it was sent, also with what it could not promise to keep.
  REQUIRE(Stored(vigia->port(), client, 1));
  // Alerting too goes on, in memory.
  REQUIRE(PostSilence(vigia->port(), "on a full disk" + std::string(50'000, '.')) == 200);
  REQUIRE(vigia->process().AwaitOutput("msg=\"state file cannot be written\""));
  REQUIRE(vigia->AwaitValue("vigia_routing_state_at_risk", "1"));
  REQUIRE(vigia->Get("/-/healthy").status == 200);

  bool silenced = false;
  SECTION("there is room again") {
    disk.MakeRoom();
    REQUIRE(vigia->process().AwaitOutput("msg=\"history writes its journal again\""));
    REQUIRE(vigia->process().AwaitOutput("msg=\"state file is written again\""));
    REQUIRE(vigia->AwaitValue("vigia_history_at_risk", "0"));
    REQUIRE(vigia->AwaitValue("vigia_routing_state_at_risk", "0"));
    REQUIRE(client.Push(vigia->port()));
    REQUIRE(PostSilence(vigia->port(), "with room") == 200);
    silenced = true;
  }
  SECTION("killed while the disk is full") {}

  vigia->process().Signal(SIGKILL);
  vigia.reset();
  disk.MakeRoom();
  vigia = start();
  // All that was acknowledged; at most one more, which was not.
  REQUIRE((Stored(vigia->port(), client) || Stored(vigia->port(), client, 1)));
  REQUIRE(client.Push(vigia->port()));
  if (!silenced) return;
  const auto silences = vigia->Get("/api/v2/silences").body;
  REQUIRE(silences.find("on a full disk") != std::string::npos);
  REQUIRE(silences.find("with room") != std::string::npos);
}
