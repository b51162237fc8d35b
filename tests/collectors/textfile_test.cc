#include <catch2/catch.hpp>
#include <filesystem>

#include "core/clock.h"
#include "tests/support/collect.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::test;
namespace fs = std::filesystem;

namespace {

// Files that were written at 1'700'000'000, which is when the clock starts.
class Textfile {
 public:
  explicit Textfile(std::map<std::string, std::string> options = {}) {
    if (!options.contains("directory")) options["directory"] = dir_.path();
    std::string fault;
    collector_ = MakeHostCollector("host.textfile", options, fault);
    if (!collector_) throw std::runtime_error(fault);
  }

  void Write(const std::string& name, std::string_view content) const {
    dir_.Write(name, content);
    using Files = fs::file_time_type::clock;
    const std::chrono::sys_seconds written{std::chrono::seconds(clock_.Wall() / 1000)};
    fs::last_write_time(dir_.path() / name, Files::from_sys(written));
  }
  void Remove(const std::string& name) const { fs::remove(dir_.path() / name); }
  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }
  std::string File(const std::string& name) const { return "{file=\"" + Path(name) + "\"} "; }

  std::string Run() {
    const auto status = collector_->Collect(Deadline::After(clock_, 10s), batch_);
    if (!status) return "error: " + status.error().message();
    reading_ = batch_.Finish(clock_.Wall());
    return ReadingText(*reading_);
  }
  const Reading& reading() const { return *reading_; }
  ManualClock& clock() { return clock_; }

 private:
  TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<collectors::Collector> collector_;
  Batch batch_;
  std::shared_ptr<const Reading> reading_;
};

}  // namespace

TEST_CASE("textfile collector without a folder reports no error", "[collectors]") {
  REQUIRE(CollectText("host.textfile", {}) == "node_textfile_scrape_error 0\n");
}

TEST_CASE("textfile collector reads the metrics of every prom file", "[collectors]") {
  Textfile textfile;
  textfile.Write("a.prom",
                 "# HELP backup_size_bytes Size of the last backup.\n"
                 "# TYPE backup_size_bytes gauge\n"
                 "backup_size_bytes{db=\"app\"} 1024\n"
                 "plain 7\n");
  textfile.Write("b.prom",
                 "# HELP backup_size_bytes Something else.\n"
                 "# TYPE backup_size_bytes gauge\n"
                 "backup_size_bytes{db=\"x\\\"y\"} 2048\n"
                 "# TYPE took histogram\n"
                 "took_bucket{le=\"1\"} 2\n"
                 "took_bucket{le=\"+Inf\"} 3\n"
                 "took_sum 4.5\n"
                 "took_count 3\n");
  textfile.Write("c.prom.tmp", "half");
  REQUIRE(textfile.Run() ==
          "backup_size_bytes{db=\"app\"} 1024\n"
          "backup_size_bytes{db=\"x\\\"y\"} 2048\n"
          "plain 7\n"
          "node_textfile_mtime_seconds" +
              textfile.File("a.prom") + "1700000000\n" +  //
              "node_textfile_mtime_seconds" + textfile.File("b.prom") + "1700000000\n" +
              "took_bucket{le=\"1\"} 2\n"
              "took_bucket{le=\"+Inf\"} 3\n"
              "took_sum 4.5\n"
              "took_count 3\n"
              "node_textfile_scrape_error 0\n");
  const auto& families = textfile.reading().families;
  REQUIRE(families[0].family->head().help == "Size of the last backup.");
  REQUIRE(families[0].family->head().type == MetricType::kGauge);
  REQUIRE(families[1].family->head().help == "Metric read from " + textfile.Path("a.prom"));
  REQUIRE(families[1].family->head().type == MetricType::kUnknown);
}

TEST_CASE("textfile collector follows files that change and go", "[collectors]") {
  Textfile textfile;
  textfile.Write("a.prom", "a 1\n");
  textfile.Write("b.prom", "b 1\n");
  textfile.Run();
  textfile.clock().Advance(60s);
  textfile.Write("a.prom", "# TYPE a counter\na 2\n");
  textfile.Remove("b.prom");
  REQUIRE(textfile.Run() == "node_textfile_mtime_seconds" + textfile.File("a.prom") +
                                "1700000060\nnode_textfile_scrape_error 0\na 2\n");
  REQUIRE(textfile.reading().families.back().family->head().type == MetricType::kCounter);
}

TEST_CASE("textfile collector names the files that it cannot use and keeps the others",
          "[collectors]") {
  Textfile textfile;
  textfile.Write("bad.prom", "a{ 1\n");
  textfile.Write("cut.prom", "b 1\nb2 12");
  textfile.Write("good.prom", "c 1\n");
  textfile.Write("timed.prom", "d 1 1395066363000\n");
  textfile.Write("type.prom", "# TYPE c counter\nc{x=\"y\"} 1\n");
  fs::create_directory(textfile.Path("folder.prom"));
  fs::create_symlink("nowhere", textfile.Path("link.prom"));
  REQUIRE(textfile.Run() == "vigia_textfile_error" + textfile.File("bad.prom") + "1\n" +         //
                                "vigia_textfile_error" + textfile.File("cut.prom") + "1\n" +     //
                                "vigia_textfile_error" + textfile.File("folder.prom") + "1\n" +  //
                                "vigia_textfile_error" + textfile.File("link.prom") + "1\n" +    //
                                "vigia_textfile_error" + textfile.File("timed.prom") + "1\n" +   //
                                "vigia_textfile_error" + textfile.File("type.prom") + "1\n" +    //
                                "c 1\n" +                                                        //
                                "node_textfile_mtime_seconds" + textfile.File("good.prom") +
                                "1700000000\n"
                                "node_textfile_scrape_error 1\n");
}

TEST_CASE("textfile collector withdraws the series of a stale file and names it", "[collectors]") {
  Textfile textfile(std::map<std::string, std::string>{{"max_age", "1h"}});
  textfile.Write("a.prom", "a 1\n");
  const std::string modified =
      "node_textfile_mtime_seconds" + textfile.File("a.prom") + "1700000000\n";
  const std::string stale = "vigia_textfile_stale" + textfile.File("a.prom");
  textfile.clock().Advance(1h);
  REQUIRE(textfile.Run() == "a 1\n" + modified + stale + "0\nnode_textfile_scrape_error 0\n");
  textfile.clock().Advance(1s);
  REQUIRE(textfile.Run() == modified + stale + "1\nnode_textfile_scrape_error 0\n");
}

TEST_CASE("textfile collector takes several folders and wildcards", "[collectors]") {
  TempDir dir;
  dir.Write("one/a.prom", "a 1\n");
  dir.Write("two/b.prom", "b 1\n");
  dir.Write("other/c.prom", "c 1\n");
  const std::string path = dir.path().string();
  const auto text =
      CollectText("host.textfile", {{"options", "directory: ['" + path + "/[to]*o*', '" + path +
                                                    "/other', '" + path + "/none']\n"}});
  REQUIRE(text.find("a 1\n") == std::string::npos);
  REQUIRE(text.find("b 1\n") != std::string::npos);
  REQUIRE(text.find("c 1\n") != std::string::npos);
  REQUIRE(text.find("node_textfile_scrape_error 1\n") != std::string::npos);
}
