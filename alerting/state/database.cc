#include "alerting/state/database.h"

#include <mutex>
#include <utility>
#include <vector>

#include "alerting/state/connection.h"
#include "core/log.h"

namespace vigia::alerting::state {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNormal =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
    // Else one large transaction would leave a large log for ever.
    "PRAGMA journal_size_limit = 16777216";
constexpr std::string_view kOwners =
    "CREATE TABLE IF NOT EXISTS vigia_schema (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL)";

// kCorrupt if SQLite finds the file damaged.
Status CheckIntegrity(Connection& connection) {
  std::string verdict;
  const std::function<void(const Row&)> take = [&](const Row& row) {
    if (verdict.empty()) verdict = row.Text(0);
  };
  if (auto status = connection.Query("PRAGMA quick_check(1)", {}, &take); !status) return status;
  if (verdict == "ok") return Ok();
  return Fail(ErrorCode::kCorrupt, verdict);
}

Result<std::unique_ptr<Connection>> OpenChecked(const fs::path& path,
                                                std::chrono::milliseconds busy_timeout) {
  auto connection = Connection::Open(path, busy_timeout);
  if (!connection) return connection;
  if (auto status = (*connection)->Script(kNormal); !status) return Fail(status.error());
  if (auto status = CheckIntegrity(**connection); !status) return Fail(status.error());
  if (auto status = (*connection)->Script(kOwners); !status) return Fail(status.error());
  return connection;
}

// Renames the file and its log, so that a new one can be begun and a person can look at this.
Status SetAside(const fs::path& path, Timestamp now, fs::path& aside) {
  aside = path;
  aside += ".corrupt-" + std::to_string(now / 1000);
  std::error_code error;
  fs::rename(path, aside, error);
  if (error) return Fail(SystemError(path.string() + ": cannot be renamed", error.value()));
  for (const char* const suffix : {"-wal", "-shm"}) {
    fs::rename(path.string() + suffix, aside.string() + suffix, error);  // often there is none
  }
  return Ok();
}

}  // namespace

class Database::Impl {
 public:
  fs::path path;  // constant once opened

  Status OpenFile(const Options& options, Clock& clock) {
    std::error_code error;
    fs::create_directories(options.data_dir, error);
    if (error) return Fail(SystemError(options.data_dir.string(), error.value()));
    const fs::path file = options.data_dir / "vigia.db";
    auto opened = OpenChecked(file, options.open_timeout);
    if (!opened && opened.error().code() == ErrorCode::kCorrupt) {
      opened = BeginAnew(file, opened.error(), options, clock);
    }
    if (!opened) return Fail(opened.error().In(file.string()));
    auto reader = Connection::Open(file, options.busy_timeout);
    if (!reader) return Fail(reader.error().In(file.string()));
    writer_ = *std::move(opened);
    writer_->SetPatience(options.busy_timeout);
    reader_ = *std::move(reader);
    patience_ = options.busy_timeout;
    path = file;
    return Ok();
  }

  // Memory: one connection, as each has a database of its own.
  void OpenMemory(std::string problem) {
    auto connection = Connection::Open({}, std::chrono::milliseconds(0));
    if (connection) {
      writer_ = *std::move(connection);
      (void)writer_->Script(kOwners);
    }
    health_.persistent = false;
    health_.problem = std::move(problem);
  }

  Status Write(const std::function<Status(Session&)>& work, Durability durability) {
    Status status;
    bool changed = false;
    {
      const std::lock_guard lock(write_mutex_);
      if (!writer_) return Fail(ErrorCode::kUnavailable, "SQLite has no memory");
      MakeOwed();
      status = Transact(*writer_, "BEGIN IMMEDIATE", work, durability);
      changed = Count(status);
      if (changed) writer_->SetPatience(status ? patience_ : std::chrono::milliseconds(0));
    }
    if (changed && status) {
      log::Info("state file is written again", {{"file", path.native()}});
    } else if (changed) {
      log::Error("state file cannot be written",
                 {{"file", path.native()}, {"error", status.error().message()}});
    }
    return status;
  }

  Status Migrate(std::string_view owner, std::span<const std::string_view> steps) {
    auto status =
        Write([&](Session& session) { return Steps(session, owner, steps); }, Durability::kProcess);
    if (!status && status.error().code() == ErrorCode::kUnavailable) {
      const std::lock_guard lock(write_mutex_);
      owed_.emplace_back(owner, steps);
    }
    return status;
  }

  Status Read(const std::function<Status(Session&)>& work) {
    if (!reader_) {
      const std::lock_guard lock(write_mutex_);
      if (!writer_) return Fail(ErrorCode::kUnavailable, "SQLite has no memory");
      return Transact(*writer_, "BEGIN", work, Durability::kProcess);
    }
    const std::lock_guard lock(read_mutex_);
    return Transact(*reader_, "BEGIN", work, Durability::kProcess);
  }

  Health health() const {
    Health copy;
    {
      const std::lock_guard lock(health_mutex_);
      copy = health_;
    }
    if (path.empty()) return copy;
    for (const char* const suffix : {"", "-wal"}) {
      std::error_code error;
      const auto size = fs::file_size(path.string() + suffix, error);
      if (!error) copy.bytes += size;
    }
    return copy;
  }

 private:
  Result<std::unique_ptr<Connection>> BeginAnew(const fs::path& file, const Error& fault,
                                                const Options& options, Clock& clock) {
    fs::path aside;
    if (auto status = SetAside(file, clock.Wall(), aside); !status) return Fail(status.error());
    log::Error("state file is corrupt and was set aside; a new one is begun",
               {{"file", file.native()}, {"kept_as", aside.native()}, {"error", fault.message()}});
    ++health_.corrupt_files;
    return OpenChecked(file, options.open_timeout);
  }

  // The steps of `owner` that the file has not seen.
  static Status Steps(Session& session, std::string_view owner,
                      std::span<const std::string_view> steps) {
    std::int64_t done = 0;
    auto status = session.Each("SELECT steps FROM vigia_schema WHERE owner = ?", {owner},
                               [&](const Row& row) { done = row.Integer(0); });
    if (!status) return status;
    const auto known = static_cast<std::int64_t>(steps.size());
    if (done > known) {
      return Fail(ErrorCode::kInvalid, "the state file is of a newer version");
    }
    for (auto step = static_cast<std::size_t>(done); step < steps.size(); ++step) {
      if (status = session.RunAll(steps[step]); !status) return status;
    }
    if (done == known) return Ok();
    return session.Run("INSERT OR REPLACE INTO vigia_schema VALUES (?, ?)", {owner, known});
  }

  // Tables that could not be made when their owner wanted them; those that never can be are their
  // owner's concern alone. Under write_mutex_.
  void MakeOwed() {
    std::erase_if(owed_, [this](const auto& owed) {
      const auto make = [&](Session& session) { return Steps(session, owed.first, owed.second); };
      const auto made = Transact(*writer_, "BEGIN IMMEDIATE", make, Durability::kProcess);
      return made || made.error().code() != ErrorCode::kUnavailable;
    });
  }

  static Status Transact(Connection& connection, std::string_view begin,
                         const std::function<Status(Session&)>& work, Durability durability) {
    const bool to_disk = durability == Durability::kDisk;
    if (to_disk) {
      if (auto status = connection.Script("PRAGMA synchronous = FULL"); !status) return status;
    }
    auto status = connection.Query(begin, {}, nullptr);
    if (status) {
      Session session(connection);
      status = work(session);
      if (status) status = connection.Query("COMMIT", {}, nullptr);
      // Some errors have already ended the transaction.
      if (!status) (void)connection.Script("ROLLBACK");
    }
    if (to_disk) (void)connection.Script("PRAGMA synchronous = NORMAL");
    return status;
  }

  // Whether this outcome differs from the one before, which is worth a line in the log. What the
  // caller got wrong (kInvalid) says nothing about the file.
  bool Count(const Status& status) {
    const std::lock_guard lock(health_mutex_);
    if (!status) ++health_.failures;
    if (!status && status.error().code() == ErrorCode::kInvalid) return false;
    if (status) ++health_.transactions;
    const bool before = std::exchange(health_.writable, status.has_value());
    if (health_.persistent) health_.problem = status ? "" : status.error().message();
    return before != health_.writable;
  }

  std::mutex write_mutex_;
  std::unique_ptr<Connection> writer_;  // guarded by write_mutex_
  // Guarded by write_mutex_: migrations that failed.
  std::vector<std::pair<std::string, std::span<const std::string_view>>> owed_;
  std::chrono::milliseconds patience_{0};  // constant once opened
  std::mutex read_mutex_;
  std::unique_ptr<Connection> reader_;  // guarded by read_mutex_; none in memory
  mutable std::mutex health_mutex_;
  Health health_;  // guarded by health_mutex_
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

std::unique_ptr<Database> Database::Open(const Options& options, Clock& clock) {
  auto impl = std::make_unique<Impl>();
  if (auto status = impl->OpenFile(options, clock); !status) {
    log::Error(
        "state file cannot be opened: silences, alerts and notifications are kept in "
        "memory only",
        {{"error", status.error().message()}});
    impl->OpenMemory(status.error().message());
  }
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

std::unique_ptr<Database> Database::InMemory() {
  auto impl = std::make_unique<Impl>();
  impl->OpenMemory("");
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Status Database::Migrate(std::string_view owner, std::span<const std::string_view> steps) {
  auto status = impl_->Migrate(owner, steps);
  if (!status) return Fail(status.error().In(owner));
  return status;
}

Status Database::Write(const std::function<Status(Session&)>& work, Durability durability) {
  return impl_->Write(work, durability);
}
Status Database::Read(const std::function<Status(Session&)>& work) { return impl_->Read(work); }
Health Database::health() const { return impl_->health(); }
const fs::path& Database::path() const { return impl_->path; }

}  // namespace vigia::alerting::state
