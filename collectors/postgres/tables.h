// What has to be read in each database by itself: its tables, their sizes, its indexes, and the
// VACUUMs at work in it.

#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/postgres/fold.h"
#include "collectors/postgres/subject.h"

namespace vigia::collectors::postgres {

struct TableOptions {
  std::size_t max = 500;        // tables listed by name, per database; 0: none at all
  std::size_t max_indexes = 0;  // indexes listed by name, per database
  bool hints = true;            // unused and missing indexes
  Milliseconds size_interval{60'000};
};

// The state kept for one database between readings.
class DatabaseTables {
 public:
  explicit DatabaseTables(const TableOptions& options);

  static void Describe(std::vector<Metric>& metrics);
  // At most so many series of tables and indexes.
  static std::size_t SeriesCount(const TableOptions& options);
  // Errors as Subject::Read; kInvalid: nothing of this database can be read.
  Status Read(Connection& connection, Deadline deadline, Batch& batch);

 private:
  struct Sizes {
    double table = 0;
    double indexes = 0;
  };
  struct Unused {
    std::string schema, table, index;
    double bytes = 0;
  };

  Status ReadSizes(Connection& connection, Deadline deadline);
  Status ReadUnused(Connection& connection, Deadline deadline);
  Status ReadTables(Connection& connection, Deadline deadline, Batch& batch);
  Status ReadIndexes(Connection& connection, Deadline deadline, Batch& batch);
  Status ReadVacuums(Connection& connection, Deadline deadline, Batch& batch);
  void AddHints(std::string_view database, Batch& batch) const;

  const TableOptions options_;
  FoldedTable tables_;
  FoldedTable indexes_;
  Cadence size_cadence_;
  std::unordered_map<std::uint32_t, Sizes> sizes_;  // by oid of the table
  std::vector<Unused> unused_;
};

}  // namespace vigia::collectors::postgres
