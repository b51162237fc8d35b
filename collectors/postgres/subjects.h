// Every subject that is read from a server, by the file that implements it.

#pragma once

#include <memory>
#include <vector>

#include "collectors/postgres/subject.h"
#include "core/duration.h"

namespace vigia::collectors::postgres {

using Subjects = std::vector<std::unique_ptr<Subject>>;

struct StatementOptions {
  bool enabled = false;
  std::int64_t max = 100;
  bool text = false;  // also a series that says what each query id stands for
  std::int64_t text_length = 120;
};

void AddActivity(Subjects& subjects);  // sessions, transactions, connections
void AddBlocking(Subjects& subjects);  // who waits for whom
void AddDatabase(Subjects& subjects, Milliseconds size_interval);
void AddLocks(Subjects& subjects);
void AddReplication(Subjects& subjects);  // primary, standby, slots
void AddRoles(Subjects& subjects);
void AddSettings(Subjects& subjects);
void AddStatements(Subjects& subjects, const StatementOptions& options);
void AddWriters(Subjects& subjects);  // background writer, checkpointer, archiver, WAL

}  // namespace vigia::collectors::postgres
