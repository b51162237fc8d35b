// Reads a PostgreSQL server with the collectors that a configuration makes, and looks series up.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/kind.h"
#include "core/clock.h"
#include "core/config/yaml.h"

namespace vigia::test {

class Reader {
 public:
  // `options`: the entry as YAML flow, without braces: "dsn: '...', tables: {max: 2}".
  explicit Reader(const std::string& options, Duration timeout = 60s);

  // Runs both collectors. On failure the series are those of FinishFailure().
  Status Read();
  // One of them: 0 is `postgres`, 1 `postgres.tables`.
  Status Read(std::size_t i);

  // "name{a="b"}" -> value; empty if there is no such series.
  std::optional<double> operator[](const std::string& series) const;
  // How many series have names that begin so.
  std::size_t Count(const std::string& prefix) const;
  const std::map<std::string, double>& series() const { return series_; }
  // Type by family name.
  const std::map<std::string, MetricType>& types() const { return types_; }
  std::size_t duplicates() const;
  // Of both.
  const std::vector<Withheld>& withheld() const { return withheld_; }
  std::vector<collectors::Instance>& instances() { return instances_; }

  // Time for backoffs and cadences; real time goes on as it likes.
  ManualClock clock;

 private:
  void Keep(const Reading& reading);

  const Duration timeout_;
  std::vector<collectors::Instance> instances_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::map<std::string, double> series_;
  std::map<std::string, MetricType> types_;
  std::vector<Withheld> withheld_;
};

}  // namespace vigia::test
