// A host subject over a /proc and a /sys that a test writes, run as often as the test likes.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "core/batch.h"
#include "core/clock.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

class HostSubject {
 public:
  // `name` without "host."; `options` are the subject's own.
  explicit HostSubject(const std::string& name, std::map<std::string, std::string> options = {});

  void WriteProc(const std::string& name, std::string_view content) const {
    dir_.Write("proc/" + name, content);
  }
  void WriteSys(const std::string& name, std::string_view content) const {
    dir_.Write("sys/" + name, content);
  }
  void WriteRoot(const std::string& name, std::string_view content) const {
    dir_.Write(name, content);
  }
  // Where they are, for expected messages.
  std::string Proc(const std::string& name) const { return Path("proc/" + name); }
  std::string Sys(const std::string& name) const { return Path("sys/" + name); }
  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }

  // Runs once; the lines as ReadingText gives them, or "error: " and the message.
  std::string Run();
  ManualClock& clock() { return clock_; }

 private:
  TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<collectors::Collector> collector_;
  Batch batch_;
};

}  // namespace vigia::test
