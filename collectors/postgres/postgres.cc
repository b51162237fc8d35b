// The PostgreSQL kind: one entry is one server, read as two collectors that share its
// connections. `postgres` is what the whole server says of itself; `postgres.tables` is what each
// database has to be asked for. A database that does not answer makes the second stale, not the
// first.

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "collectors/kind.h"
#include "collectors/postgres/server.h"
#include "collectors/postgres/subjects.h"
#include "collectors/postgres/tables.h"

namespace vigia::collectors {
namespace postgres {
namespace {

struct Options {
  ConnectOptions connect;
  StatementOptions statements;
  TableOptions tables;
  std::vector<std::string> include{"*"};
  std::vector<std::string> exclude;
  std::int64_t max_databases = 50;
  bool settings = true;
};

constexpr Metric kUp{"pg_up", "Whether the server could be reached."};
constexpr Metric kStatic{"pg_static", "The server's version, as labels; always 1.",
                         MetricType::kUnknown};
constexpr Metric kSuccess{"pg_scrape_collector_success",
                          "Whether the subject could be read; 0: skipped, see "
                          "vigia_postgres_skipped_info."};
constexpr Metric kDuration{"pg_scrape_collector_duration_seconds",
                           "How long reading the subject took.", MetricType::kGauge, "seconds"};
constexpr Metric kSkipped{"vigia_postgres_skipped_info",
                          "Why a subject is skipped, until it can be read; always 1."};
constexpr Metric kDatabaseUp{"vigia_postgres_database_up",
                             "Whether the tables of the database could be read; 0: the role may "
                             "not connect to it, or it is beyond databases.max."};

// A statement that was refused is not sent again for a while: the server logs each refusal.
constexpr auto kSkipTime = 10min;

// "15.18 (Debian ...)" is 15.18.0: as a semantic version, which has three numbers.
std::string ShortVersion(int version) {
  return std::to_string(version / 10000) + '.' + std::to_string(version % 10000) + ".0";
}

// One subject, and since when it is skipped for what reason.
struct Skippable {
  std::unique_ptr<Subject> subject;
  std::vector<Metric> metrics;
  Instant skip_until = Instant::min();
  std::string reason;
};

class ServerCollector final : public Collector {
 public:
  ServerCollector(std::shared_ptr<Server> server, const Options& options)
      : server_(std::move(server)) {
    Subjects subjects;
    AddReplication(subjects);
    AddDatabase(subjects, options.tables.size_interval);
    AddActivity(subjects);
    AddLocks(subjects);
    AddBlocking(subjects);
    AddWriters(subjects);
    AddRoles(subjects);
    if (options.settings) AddSettings(subjects);
    AddStatements(subjects, options.statements);
    metrics_ = {kUp, kStatic, kSuccess, kDuration, kSkipped};
    for (auto& subject : subjects) {
      std::vector<Metric> own;
      subject->Describe(own);
      metrics_.insert(metrics_.end(), own.begin(), own.end());
      subjects_.push_back({std::move(subject), std::move(own), Instant::min(), {}});
    }
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto claim = server_->Claim(deadline);
    if (!claim) return Fail(claim.error());
    auto status = ReadOnce(deadline, batch);
    // A connection that was kept open may have died long ago (a restart): that is noticed at its
    // first use only, so it is worth a second attempt.
    if (!status && status.error().code() == ErrorCode::kUnavailable && connection_ &&
        !server_->fresh()) {
      server_->DropAll();
      batch.Discard();
      status = ReadOnce(deadline, batch);
    }
    if (status) return status;
    // A statement that only took too long leaves the connection in order.
    batch.OnFailure().Add(kUp, connection_ && connection_->alive() ? 1 : 0);
    server_->DropDead(status.error(), deadline);
    return status;
  }

 private:
  Status ReadOnce(Deadline deadline, Batch& batch) {
    connection_ = nullptr;
    const auto connection = server_->Main(deadline);
    if (!connection) return Fail(connection.error());
    connection_ = *connection;
    if (connection_->server_version() < kOldestVersion) {
      return Fail(ErrorCode::kInvalid,
                  "PostgreSQL " + ShortVersion(connection_->server_version()) +
                      " is too old: 13 is the oldest version that can be read");
    }
    batch.Add(kUp, 1);
    batch.Add(kStatic,
              {{"short_version", ShortVersion(connection_->server_version())},
               {"version", connection_->version_text()}},
              1);
    if (auto status = AskAhead(deadline); !status) return status;
    for (auto& entry : subjects_) {
      if (auto status = ReadSubject(entry, deadline, batch); !status) return status;
    }
    return Ok();
  }

  Status AskAhead(Deadline deadline) {
    const Instant now = deadline.clock().Now();
    std::vector<std::string> names;
    for (const auto& entry : subjects_) {
      const auto name = entry.subject->FirstStatement(connection_->server_version());
      if (!name.empty() && now >= entry.skip_until) names.emplace_back(name);
    }
    return connection_->Ahead(names, deadline);
  }

  Status ReadSubject(Skippable& entry, Deadline deadline, Batch& batch) {
    const Clock& clock = deadline.clock();
    const Instant begin = clock.Now();
    const LabelView name{"collector", entry.subject->name()};
    if (server_->fresh()) entry.skip_until = Instant::min();
    if (begin >= entry.skip_until) {
      const auto mark = batch.Here();
      auto status = entry.subject->Read(*connection_, deadline, batch);
      if (!status) {
        const auto code = status.error().code();
        if (code != ErrorCode::kInvalid && code != ErrorCode::kCorrupt) {
          return Fail(status.error().In(entry.subject->name()));
        }
        batch.Rewind(mark);  // whole or not at all
        entry.skip_until = begin + kSkipTime;
        entry.reason = status.error().message();
      }
    }
    const bool read = begin >= entry.skip_until;
    const Duration ahead = connection_->TakeTimeAhead();
    batch.Add(kSuccess, {name}, read ? 1 : 0);
    if (read) {
      const std::chrono::duration<double> took = clock.Now() - begin + ahead;
      batch.Add(kDuration, {name}, took.count());
    } else {
      batch.Add(kSkipped, {name, {"reason", entry.reason}}, 1);
      for (const auto& metric : entry.metrics) batch.Withhold(metric);
    }
    return Ok();
  }

  const std::shared_ptr<Server> server_;
  std::vector<Skippable> subjects_;
  std::vector<Metric> metrics_;
  Connection* connection_ = nullptr;  // of the reading in progress
};

// Databases that could be read in principle, in a stable order.
constexpr const char* kDatabasesSql = R"(
SELECT datname FROM pg_database
WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2
ORDER BY datname <> current_database(), datname)";

class TablesCollector final : public Collector {
 public:
  TablesCollector(std::shared_ptr<Server> server, Options options)
      : server_(std::move(server)), options_(std::move(options)) {
    metrics_ = {kDatabaseUp, kSkipped};
    DatabaseTables::Describe(of_database_);
    metrics_.insert(metrics_.end(), of_database_.begin(), of_database_.end());
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto claim = server_->Claim(deadline);
    if (!claim) return Fail(claim.error());
    auto status = ReadOnce(deadline, batch);
    // As in ServerCollector: connections that died while they were idle.
    if (!status && status.error().code() == ErrorCode::kUnavailable && stale_) {
      server_->DropAll();
      batch.Discard();
      status = ReadOnce(deadline, batch);
    }
    if (!status) server_->DropDead(status.error(), deadline);
    return status;
  }

 private:
  struct Refused {
    Instant until;
    std::string reason;
  };

  Status ReadOnce(Deadline deadline, Batch& batch) {
    stale_ = false;
    const auto main = server_->Main(deadline);
    if (!main) return Fail(main.error());
    stale_ = !server_->fresh();
    const auto names = Discover(**main, deadline);
    if (!names) return Fail(names.error().In("databases"));
    const std::set<std::string> present(names->begin(), names->end());
    server_->Retain(present);
    const auto absent = [&](const auto& entry) { return !present.contains(entry.first); };
    std::erase_if(databases_, absent);
    std::erase_if(refused_, absent);
    for (const auto& name : *names) {
      auto status = ReadDatabase(name, deadline, batch);
      if (!status) return Fail(status.error().In(name));
    }
    return Ok();
  }

  Result<std::vector<std::string>> Discover(Connection& connection, Deadline deadline) {
    const auto rows = connection.Query("databases", kDatabasesSql, deadline);
    if (!rows) return Fail(rows.error());
    std::vector<std::string> names;
    auto status = rows->ForEach([&](Row row) {
      std::string name(row[0].text);
      if (Wanted(name)) names.push_back(std::move(name));
      return Ok();
    });
    if (!status) return Fail(status.error());
    return names;
  }

  bool Wanted(const std::string& name) const {
    const auto fits = [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    };
    return std::any_of(options_.include.begin(), options_.include.end(), fits) &&
           std::none_of(options_.exclude.begin(), options_.exclude.end(), fits);
  }

  Status ReadDatabase(const std::string& name, Deadline deadline, Batch& batch) {
    const bool within = databases_.contains(name) ||
                        databases_.size() < static_cast<std::size_t>(options_.max_databases);
    Status status = Fail(ErrorCode::kInvalid, "databases.max is reached");
    const auto refused = refused_.find(name);
    const Instant now = deadline.clock().Now();
    if (refused != refused_.end() && now < refused->second.until) {
      status = Fail(ErrorCode::kInvalid, refused->second.reason);
    } else if (within) {
      const auto mark = batch.Here();
      status = ReadTables(name, deadline, batch);
      // A database that refuses us (no right, dropped since it was listed) concerns itself alone.
      if (!status && status.error().code() != ErrorCode::kInvalid) return status;
      if (!status) {
        batch.Rewind(mark);
        refused_[name] = {now + kSkipTime, status.error().message()};
      }
    }
    if (status) refused_.erase(name);
    batch.Add(kDatabaseUp, {{"datname", name}}, status ? 1 : 0);
    if (!status) {
      batch.Add(kSkipped,
                {{"collector", "tables"}, {"datname", name}, {"reason", status.error().message()}},
                1);
      if (databases_.contains(name)) {  // only what was read once can be unknown
        for (const auto& metric : of_database_) batch.Withhold(metric, {"datname", name});
      }
    }
    return Ok();
  }

  Status ReadTables(const std::string& name, Deadline deadline, Batch& batch) {
    stale_ = false;
    const auto connection = server_->To(name, deadline);
    if (!connection) return Fail(connection.error());
    stale_ = !server_->fresh();
    auto& database = databases_[name];
    if (!database) database = std::make_unique<DatabaseTables>(options_.tables);
    return database->Read(**connection, deadline, batch);
  }

  const std::shared_ptr<Server> server_;
  const Options options_;
  std::vector<Metric> metrics_;
  std::vector<Metric> of_database_;  // those with the label `datname`
  std::map<std::string, std::unique_ptr<DatabaseTables>> databases_;
  std::map<std::string, Refused> refused_;
  bool stale_ = false;  // the connection last used was kept from an earlier reading
};

void ReadDatabaseOptions(const config::Node& node, config::MapReader& parent, Options& options) {
  config::MapReader reader(node, parent.diagnostics(), parent.context() + ".databases");
  reader.Read("include", options.include);
  reader.Read("exclude", options.exclude);
  reader.Read("max", options.max_databases, 1, 10'000);
  reader.Finish();
}

void ReadTableOptions(const config::Node& node, config::MapReader& parent, TableOptions& options) {
  config::MapReader reader(node, parent.diagnostics(), parent.context() + ".tables");
  std::int64_t max = static_cast<std::int64_t>(options.max);
  std::int64_t max_indexes = static_cast<std::int64_t>(options.max_indexes);
  reader.Read("max", max, 0, 1'000'000);
  reader.Read("indexes", max_indexes, 0, 1'000'000);
  reader.Read("hints", options.hints);
  reader.Finish();
  options.max = static_cast<std::size_t>(max);
  options.max_indexes = static_cast<std::size_t>(max_indexes);
}

void ReadStatementOptions(const config::Node& node, config::MapReader& parent,
                          StatementOptions& options) {
  config::MapReader reader(node, parent.diagnostics(), parent.context() + ".statements");
  options.enabled = true;
  reader.Read("max", options.max, 1, 10'000);
  reader.Read("text", options.text);
  reader.Read("text_length", options.text_length, 1, 10'000);
  reader.Finish();
}

// Under the names of both generations, and its text.
constexpr std::size_t kSeriesPerStatement = 30;

Options ReadOptions(config::MapReader& reader) {
  Options options;
  if (reader.Read("dsn", options.connect.dsn)) {
    if (auto valid = CheckDsn(options.connect.dsn); !valid) {
      reader.Fault("dsn", valid.error().message());
    }
  }
  reader.ReadSecret("password", options.connect.password);
  reader.Read("statement_timeout", options.connect.statement_timeout);
  reader.Read("lock_timeout", options.connect.lock_timeout);
  reader.Read("size_interval", options.tables.size_interval);
  reader.Read("settings", options.settings);
  if (const auto* node = reader.Child("databases")) ReadDatabaseOptions(*node, reader, options);
  if (const auto* node = reader.Child("tables")) ReadTableOptions(*node, reader, options.tables);
  if (const auto* node = reader.Child("statements")) {
    ReadStatementOptions(*node, reader, options.statements);
  }
  return options;
}

}  // namespace
}  // namespace postgres

std::vector<Part> MakePostgresCollectors(config::MapReader& reader) {
  using namespace postgres;
  auto options = ReadOptions(reader);
  const auto server = std::make_shared<Server>(options.connect);
  // One worker, as no server is asked two things at once; Server::Claim() keeps it so when one
  // hangs.
  std::vector<Part> parts;
  parts.push_back({"postgres", "server", std::make_unique<ServerCollector>(server, options)});
  if (options.statements.enabled) {
    parts.back().max_series +=
        kSeriesPerStatement * static_cast<std::size_t>(options.statements.max);
  }
  parts.push_back(
      {"postgres.tables", "server", std::make_unique<TablesCollector>(server, options)});
  parts.back().max_series =
      std::max<std::size_t>(50'000, DatabaseTables::SeriesCount(options.tables) + 1'000);
  return parts;
}

}  // namespace vigia::collectors
