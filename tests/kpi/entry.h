// One entry of the kpi kind with files of its own, and a clock that the test moves.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/kind.h"
#include "core/clock.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

class Entry {
 public:
  // `options`: the entry as YAML flow, without braces; `files` by name, beside vigia.yml.
  Entry(const std::map<std::string, std::string>& files, const std::string& options);

  // What is wrong with the configuration, without the folder; empty if nothing.
  const std::string& faults() const { return faults_; }

  // Runs the runner, then all views. Returns what the runner did.
  Status Run();
  Status RunQueries();
  void Show();

  // "name{a="b"}" -> value, of the last Show().
  std::optional<double> operator[](const std::string& series) const;
  // "name{a="b"} value" lines without those of vigia_kpi_*, sorted.
  std::string Values() const;
  // The errors of the views that failed in the last Show(), by collector.
  const std::map<std::string, std::string>& withdrawn() const { return withdrawn_; }
  const std::vector<collectors::Instance>& instances() const { return instances_; }
  Timestamp TimeOf(const std::string& series) const { return times_.at(series); }

  ManualClock clock;

 private:
  void Keep(const Reading& reading);

  TempDir folder_;
  std::string faults_;
  std::vector<collectors::Instance> instances_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::map<std::string, double> series_;
  std::map<std::string, Timestamp> times_;
  std::map<std::string, std::string> withdrawn_;
};

}  // namespace vigia::test
