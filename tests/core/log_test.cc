#include "core/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <vector>

#include "core/log_writer.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using vigia::test::TempDir;

namespace {

constexpr std::int64_t kTime = 1'700'000'000'042;

std::string Logfmt(std::string_view value) {
  const auto line =
      log::FormatLine(log::Format::kLogfmt, kTime, log::Level::kInfo, "m", {{"k", value}});
  constexpr std::string_view kPrefix = "ts=2023-11-14T22:13:20.042Z level=info msg=m k=";
  REQUIRE(line.starts_with(kPrefix));
  return line.substr(kPrefix.size());
}

// Collects lines while it lives, then gives the log back to standard error.
class Capture {
 public:
  explicit Capture(log::Options options = {}) {
    options.sink = [this](std::string_view line) { lines.emplace_back(line); };
    REQUIRE(log::Configure(options));
  }
  ~Capture() { static_cast<void>(log::Configure({})); }

  std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("a line in logfmt", "[log]") {
  REQUIRE(log::FormatLine(log::Format::kLogfmt, kTime, log::Level::kWarn, "collector failed",
                          {{"collector", "postgres"}, {"error", "no route to host"}}) ==
          "ts=2023-11-14T22:13:20.042Z level=warn msg=\"collector failed\" collector=postgres "
          "error=\"no route to host\"");
}

TEST_CASE("a line in JSON", "[log]") {
  REQUIRE(log::FormatLine(log::Format::kJson, kTime, log::Level::kError, "collector failed",
                          {{"collector", "postgres"}, {"error", "line \"1\"\n\x01"}}) ==
          "{\"ts\":\"2023-11-14T22:13:20.042Z\",\"level\":\"error\",\"msg\":\"collector failed\","
          "\"collector\":\"postgres\",\"error\":\"line \\\"1\\\"\\n\\u0001\"}");
}

TEST_CASE("values in logfmt are quoted where they have to be", "[log]") {
  REQUIRE(Logfmt("plain-1/2:3,ñ") == "plain-1/2:3,ñ");
  REQUIRE(Logfmt("") == "\"\"");
  REQUIRE(Logfmt("a b") == "\"a b\"");
  REQUIRE(Logfmt("a=b") == "\"a=b\"");
  REQUIRE(Logfmt("say \"x\"") == "\"say \\\"x\\\"\"");
  REQUIRE(Logfmt("a\\b") == "\"a\\\\b\"");
  REQUIRE(Logfmt("a\nb\tc\r\x1b[0m\x7f") == "\"a\\nb\\tc\\r\\u001b[0m\\u007f\"");
  REQUIRE(Logfmt("a\xff"
                 "b") ==
          "a\xEF\xBF\xBD"
          "b");
}

TEST_CASE("secrets never reach the log", "[log]") {
  REQUIRE(Logfmt("redis://:pw@h") == "redis://:***@h");
  REQUIRE(log::FormatLine(log::Format::kLogfmt, 0, log::Level::kInfo, "m", {{"api_key", "abc"}}) ==
          "ts=1970-01-01T00:00:00.000Z level=info msg=m api_key=***");
  const std::string long_url = std::string(8180, 'x') + " a://u:password-that-is-cut@h";
  REQUIRE(Logfmt(long_url).find("pass") == std::string::npos);
}

TEST_CASE("long values are cut", "[log]") {
  REQUIRE(Logfmt(std::string(8192, 'x')) == std::string(8192, 'x'));
  REQUIRE(Logfmt(std::string(1'000'000, 'x')) == std::string(8192, 'x') + "...");
}

TEST_CASE("whatever is logged is one line of valid JSON", "[log]") {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string value(random() % 40, '\0');
    for (char& c : value) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 64));
    const auto line =
        log::FormatLine(log::Format::kJson, kTime, log::Level::kInfo, value, {{"value", value}});
    REQUIRE(line.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    REQUIRE(json.is_object());
    REQUIRE(json.size() == 4);
  }
}

TEST_CASE("lines below the level are not written and the level can change", "[log]") {
  {
    Capture capture({.level = log::Level::kWarn});
    log::Info("not this");
    log::Warn("this");
    REQUIRE(log::Enabled(log::Level::kError));
    REQUIRE_FALSE(log::Enabled(log::Level::kInfo));
    REQUIRE(capture.lines.size() == 1);
    REQUIRE(capture.lines[0].ends_with(" level=warn msg=this\n"));
  }
  Capture capture({.level = log::Level::kOff});
  log::Error("not this");
  REQUIRE(capture.lines.empty());
}

TEST_CASE("lines of several threads do not mix", "[log]") {
  Capture capture;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) log::Info("tick", {{"text", std::string(100, 'x')}});
      });
    }
  }
  REQUIRE(capture.lines.size() == 800);
  for (const auto& line : capture.lines) {
    REQUIRE(line.ends_with(" level=info msg=tick text=" + std::string(100, 'x') + "\n"));
  }
}

TEST_CASE("a log file is renamed when it is full and so many are kept", "[log]") {
  TempDir dir;
  const auto file = dir.path() / "vigia.log";
  REQUIRE(log::Configure({.file = file, .max_size = 200, .keep = 2}));
  for (int i = 0; i < 20; ++i) log::Info("line", {{"number", std::to_string(i)}});
  REQUIRE(log::Configure({}));

  REQUIRE(dir.Read("vigia.log").ends_with("msg=line number=19\n"));
  REQUIRE(dir.Read("vigia.log").size() <= 200);
  REQUIRE(std::filesystem::exists(dir.path() / "vigia.1.log"));
  REQUIRE(std::filesystem::exists(dir.path() / "vigia.2.log"));
  REQUIRE_FALSE(std::filesystem::exists(dir.path() / "vigia.3.log"));
}

TEST_CASE("a log file goes on where it ended and others cannot read it", "[log]") {
  TempDir dir;
  const auto file = dir.path() / "vigia.log";
  REQUIRE(log::Configure({.file = file}));
  log::Info("first");
  REQUIRE(log::Configure({.file = file}));
  log::Info("second");
  REQUIRE(log::Configure({}));
  const auto text = dir.Read("vigia.log");
  REQUIRE(text.find("msg=first\n") < text.find("msg=second\n"));
  REQUIRE((std::filesystem::status(file).permissions() & std::filesystem::perms::others_all) ==
          std::filesystem::perms::none);
}

TEST_CASE("a log file that cannot be opened leaves the log as it was", "[log]") {
  Capture capture;
  const auto status = log::Configure({.file = "/nonexistent/vigia.log"});
  REQUIRE_FALSE(status);
  REQUIRE(status.error().message() == "/nonexistent/vigia.log: No such file or directory");
  log::Info("still here");
  REQUIRE(capture.lines.size() == 1);
}

TEST_CASE("a full disk drops lines and counts them and says so later", "[log]") {
  const auto before = log::DroppedLines();
  REQUIRE(log::Configure({.file = "/dev/full"}));
  log::Info("lost", {{"text", std::string(8000, 'x')}});
  log::Info("lost", {{"text", std::string(8000, 'x')}});
  REQUIRE(log::DroppedLines() == before + 2);

  Capture capture;
  log::Info("there is room again");
  REQUIRE(capture.lines.size() == 2);
  REQUIRE(capture.lines[1].ends_with(" level=warn msg=\"log lines were dropped\" count=2\n"));
}

TEST_CASE("a reader that has stopped cannot stop the writer", "[log]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  log::DescriptorWriter writer(ends[1]);
  const std::string line = std::string(999, 'x') + "\n";
  int written = 0;
  while (written < 10'000 && writer.Write(line)) ++written;
  REQUIRE(written > 0);
  REQUIRE(written < 10'000);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(writer.Write(line));
  REQUIRE(std::chrono::steady_clock::now() - start < 60 * log::DescriptorWriter::kPatience);

  // The reader comes back and reads all of it.
  std::string seen(2'000'000, '\0');
  REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  const auto drain = [&] {
    std::size_t size = 0;
    for (ssize_t n; (n = ::read(ends[0], seen.data() + size, seen.size() - size)) > 0;) {
      size += static_cast<std::size_t>(n);
    }
    return seen.substr(0, size);
  };
  drain();
  REQUIRE(writer.Write("back\n"));
  REQUIRE(drain().ends_with("back\n"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a line that follows half a line begins on its own", "[log]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  log::DescriptorWriter writer(ends[1]);
  REQUIRE_FALSE(writer.Write(std::string(1'000'000, 'x') + "\n"));
  std::string seen(1'000'000, '\0');
  REQUIRE(::read(ends[0], seen.data(), seen.size()) > 0);
  REQUIRE(writer.Write("back\n"));
  const ssize_t n = ::read(ends[0], seen.data(), seen.size());
  REQUIRE(seen.substr(0, static_cast<std::size_t>(n)) == "\nback\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a writer to a closed descriptor drops", "[log]") {
  log::DescriptorWriter writer(-1);
  REQUIRE_FALSE(writer.Write("x\n"));
}
