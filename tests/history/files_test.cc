// Files that are damaged, full disks, processes that are killed.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

#include "query/history/block_writer.h"
#include "query/history/columns.h"
#include "tests/history/support.h"

namespace vigia::history {
namespace {

// Every sample of `part` is in `whole`.
void CheckSubset(const Content& part, const Content& whole) {
  for (const auto& [name, samples] : part) {
    const auto found = whole.find(name);
    REQUIRE(found != whole.end());
    REQUIRE(
        std::includes(found->second.begin(), found->second.end(), samples.begin(), samples.end()));
  }
}

std::size_t CountSamples(const Content& content) {
  std::size_t count = 0;
  for (const auto& [name, samples] : content) count += samples.size();
  return count;
}

// Files that can get no larger, in place of a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit before_{};
  void (*old_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a block that is cut or has a wrong byte costs at most itself", "[history]") {
  Fixture fixture;
  fixture.Fill(20, 30);
  REQUIRE(fixture->Seal());
  const auto first = fixture.ReadAll();
  fixture.Fill(20, 30);
  REQUIRE(fixture->Seal());
  fixture.Fill(20, 3);
  const auto all = fixture.ReadAll();
  fixture.Close();
  const auto path = "history/block-00000001";
  const auto whole = fixture.dir.Read(path);

  std::mt19937_64 random(4);
  for (int i = 0; i < 250; ++i) {
    auto broken = whole;
    const std::size_t at =
        i < 90 ? whole.size() - 1 - static_cast<std::size_t>(i) : random() % whole.size();
    if (i % 5 == 4) {
      broken.resize(at);
    } else {
      broken[at] = static_cast<char>(broken[at] ^ (1 << random() % 8));
    }
    fixture.dir.Write(path, broken);
    fixture.Reopen();
    const auto read = fixture.ReadAll();
    CheckSubset(read, all);
    // All that is elsewhere is there.
    REQUIRE(CountSamples(read) >= CountSamples(all) - CountSamples(first));
    fixture->Maintain();
    const auto stats = fixture->stats();
    if (read != all) {
      // Set aside, and named; what could be read of it is in a new file.
      REQUIRE(stats.files_corrupt == 1);
      REQUIRE(fixture.problems.size() == 1);
      REQUIRE(fixture.problems[0].find("block-00000001.corrupt") != std::string::npos);
      REQUIRE(fixture.dir.Read(std::string(path) + ".corrupt") == broken);
    }
    REQUIRE(fixture.ReadAll() == read);
    fixture.Reopen();
    REQUIRE(fixture.ReadAll() == read);
    fixture.Close();
    fixture.problems.clear();
    for (const auto& entry : std::filesystem::directory_iterator(fixture.options.folder)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("block-") && name != "block-00000002") {
        std::filesystem::remove(entry.path());
      }
    }
  }
}

TEST_CASE("what a killed writer left is removed", "[history]") {
  Fixture fixture;
  const auto content = fixture.Fill(2, 10);
  fixture.dir.Write("history/block-00000009.tmp", "half a file");
  fixture.dir.Write("history/notes.txt", "not ours");
  fixture.Reopen();
  REQUIRE(fixture.ReadAll() == content);
  REQUIRE_FALSE(std::filesystem::exists(fixture.options.folder / "block-00000009.tmp"));
  REQUIRE(std::filesystem::exists(fixture.options.folder / "notes.txt"));
}

TEST_CASE("a file that was set aside keeps its number", "[history]") {
  Fixture fixture;
  fixture.Fill(2, 10);
  fixture.Close();
  fixture.dir.Write("history/block-00000007.corrupt", "x");
  fixture.Reopen();
  REQUIRE(fixture->Seal());
  REQUIRE(std::filesystem::exists(fixture.options.folder / "block-00000008"));
}

TEST_CASE("a folder is used by one history at a time", "[history]") {
  Fixture fixture;
  const auto second = History::Open(fixture.options, fixture.clock);
  REQUIRE_FALSE(second);
  REQUIRE(second.error().code() == ErrorCode::kUnavailable);
  REQUIRE(second.error().message() ==
          "history: " + fixture.options.folder.string() + ": in use by another process");
}

TEST_CASE("a full disk is counted and nothing is lost when there is room again", "[history]") {
  Fixture fixture;
  Content content = fixture.Fill(30, 20);
  REQUIRE(fixture->Sync());
  REQUIRE(fixture->Seal());
  {
    const FileSizeLimit full(64);
    content = fixture.Fill(30, 50);
    REQUIRE_FALSE(fixture->Sync());
    fixture->Maintain();  // sealing fails too
    fixture.clock.Advance(20min);
    fixture->Maintain();
    REQUIRE(fixture->stats().write_errors >= 2);
    REQUIRE(fixture->stats().at_risk == 1);
    REQUIRE(fixture.problems.size() == 2);
    REQUIRE(fixture.problems[0].starts_with("history cannot write its journal: history: "));
    REQUIRE(fixture.problems[1].starts_with("history cannot write a file: history: "));
    REQUIRE(fixture.recoveries.empty());
    REQUIRE(fixture.ReadAll() == content);
  }
  content = fixture.Fill(30, 5);
  fixture.clock.Advance(1min);
  fixture->Maintain();
  REQUIRE(fixture->Sync());
  REQUIRE(fixture->stats().at_risk == 0);
  fixture->Maintain();
  REQUIRE(fixture.recoveries == std::vector<std::string>{"history writes files again",
                                                         "history writes its journal again"});
  REQUIRE(fixture.ReadAll() == content);
  fixture.Reopen();
  REQUIRE(fixture.ReadAll() == content);
}

TEST_CASE("what the disk refused is not said to be stored when it comes again", "[history]") {
  Fixture fixture;
  const Labels labels{{"__name__", "m"}};
  fixture.Append(labels, fixture.start, 1);
  REQUIRE(fixture->Sync());
  {
    const FileSizeLimit full(64);
    fixture.Append(labels, fixture.start + 1000, 2);
    REQUIRE_FALSE(fixture->Sync());
    REQUIRE_FALSE(fixture->Seal());  // ends the segment: the journal gives up what is waiting
    REQUIRE(fixture->stats().samples_lost == 1);
    // The client was told of the failure, and sends again what memory has by now.
    REQUIRE(fixture.Append(labels, fixture.start + 1000, 2).duplicate == 1);
    REQUIRE_FALSE(fixture->Sync());
  }
  // There is room, but only memory has the sample; a new one does not change that.
  fixture.Append(labels, fixture.start + 2000, 3);
  const auto status = fixture->Sync();
  REQUIRE_FALSE(status);
  REQUIRE(status.error().message().find("only memory has") != std::string::npos);
  fixture.clock.Advance(11s);
  fixture->Maintain();  // writes a file although none is due
  REQUIRE(fixture->stats().blocks_written == 1);
  REQUIRE(fixture->Sync());
  const auto content = fixture.ReadAll();
  fixture.Reopen();
  REQUIRE(fixture.ReadAll() == content);
}

TEST_CASE("what was synced survives kill -9 at any moment", "[history]") {
  test::TempDir dir;
  SeriesSink::Outcome unused;
  std::size_t acknowledged_total = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      ManualClock clock(1'700'000'000'000 + round * 1'000'000);
      auto history = History::Open({.folder = dir.path() / "history", .block_length = 2min}, clock);
      if (!history) ::_exit(1);
      for (std::int64_t i = 0;; ++i) {
        std::vector<SeriesSink::Entry> entries;
        for (int j = 0; j < 20; ++j) {
          entries.push_back({Labels{{"__name__", "m"}, {"j", std::to_string(j)}},
                             {clock.Wall(), static_cast<double>(i)}});
        }
        clock.Advance(1s);
        if (!(*history)->Append(entries) || !(*history)->Sync()) ::_exit(2);
        const Timestamp time = entries[0].sample.time;
        if (::write(pipe_ends[1], &time, sizeof time) != sizeof time) ::_exit(3);
        if (i % 40 == 0) (*history)->Maintain();
      }
    }
    ::close(pipe_ends[1]);
    Timestamp last = 0;
    // The child is killed wherever it happens to be after so many answers.
    for (int i = 0; i < 100 + round * 67; ++i) {
      REQUIRE(::read(pipe_ends[0], &last, sizeof last) == sizeof last);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &last, sizeof last) == sizeof last) {
    }
    ::close(pipe_ends[0]);

    ManualClock clock(last);
    auto history = History::Open({.folder = dir.path() / "history"}, clock);
    REQUIRE(history);
    const auto content = ReadEverything(**history);
    REQUIRE(content.size() == 20);
    const auto stored =
        static_cast<std::size_t>((last - (1'700'000'000'000 + round * 1'000'000)) / 1000 + 1);
    acknowledged_total += stored;
    for (const auto& [name, samples] : content) {
      REQUIRE(samples.size() >= acknowledged_total);
      // One more may have been written but not acknowledged, in each round.
      REQUIRE(samples.size() <= acknowledged_total + static_cast<std::size_t>(round) + 1);
      for (std::size_t i = 1; i < samples.size(); ++i) {
        REQUIRE(samples[i].first > samples[i - 1].first);
      }
    }
  }
}

}  // namespace vigia::history
