#include "alerting/dispatch/database_store.h"

#include <bit>

#include "alerting/dispatch/encoding.h"
#include "core/log.h"

namespace vigia::alerting::dispatch {
namespace {

using state::Row;
using state::Session;

constexpr std::string_view kSteps[] = {
    "CREATE TABLE dispatch_alert ("
    " fingerprint INTEGER PRIMARY KEY, labels TEXT NOT NULL, annotations TEXT NOT NULL,"
    " starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
    " generator_url TEXT NOT NULL, end_assumed INTEGER NOT NULL, held INTEGER NOT NULL);"
    "CREATE TABLE silence ("
    " id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at INTEGER NOT NULL,"
    " ends_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
    " comment TEXT NOT NULL, annotations TEXT NOT NULL);"
    "CREATE TABLE acknowledgement ("
    " fingerprint INTEGER PRIMARY KEY, who TEXT NOT NULL, comment TEXT NOT NULL,"
    " time INTEGER NOT NULL, until INTEGER NOT NULL);"
    "CREATE TABLE notification_log ("
    " group_key TEXT NOT NULL, receiver TEXT NOT NULL, integration INTEGER NOT NULL,"
    " time INTEGER NOT NULL, firing TEXT NOT NULL, resolved TEXT NOT NULL, owed TEXT NOT NULL,"
    " group_labels TEXT NOT NULL, PRIMARY KEY (group_key, receiver, integration)) WITHOUT ROWID;"
    "CREATE TABLE outbox ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " group_key TEXT NOT NULL, receiver TEXT NOT NULL, integration INTEGER NOT NULL,"
    " time INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " answer TEXT NOT NULL DEFAULT '', died_at INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE notification_handle ("
    " group_key TEXT NOT NULL, receiver TEXT NOT NULL, integration INTEGER NOT NULL,"
    " handle TEXT NOT NULL, PRIMARY KEY (group_key, receiver, integration)) WITHOUT ROWID",
};

std::int64_t Stored(AlertId id) { return std::bit_cast<std::int64_t>(id); }
AlertId IdOf(std::int64_t stored) { return std::bit_cast<AlertId>(stored); }
std::int64_t Number(std::size_t value) { return static_cast<std::int64_t>(value); }

LogKey KeyOf(const Row& row, int column) {
  return {std::string(row.Text(column)), std::string(row.Text(column + 1)),
          static_cast<std::size_t>(row.Integer(column + 2))};
}

Status WriteAlert(Session& session, const KnownAlert& known) {
  const auto& alert = known.alert;
  return session.Run(
      "INSERT OR REPLACE INTO dispatch_alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Stored(known.fingerprint), EncodeLabels(alert.labels), EncodeLabels(alert.annotations),
       alert.starts_at, alert.ends_at, alert.updated_at, alert.generator_url,
       std::int64_t{known.end_assumed}, std::int64_t{alert.held}});
}

Status WriteSilence(Session& session, const Silence& silence) {
  return session.Run(
      "INSERT OR REPLACE INTO silence VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {silence.id, EncodeMatchers(silence.matchers), silence.starts_at, silence.ends_at,
       silence.updated_at, silence.created_by, silence.comment, EncodeMap(silence.annotations)});
}

Status WriteAck(Session& session, const Acknowledgement& ack) {
  return session.Run("INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?, ?)",
                     {Stored(ack.fingerprint), ack.by, ack.comment, ack.time, ack.until});
}

Status WriteLog(Session& session, const std::pair<LogKey, LogEntry>& item) {
  const auto& [key, entry] = item;
  return session.Run(
      "INSERT OR REPLACE INTO notification_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {key.group_key, key.receiver, Number(key.integration), entry.time, EncodeIds(entry.firing),
       EncodeIds(entry.resolved), EncodeIds(entry.owed), EncodeLabels(entry.group_labels)});
}

Status WriteNotice(Session& session, const Notice& notice) {
  return session.Run(
      "INSERT OR IGNORE INTO outbox (id, group_key, receiver, integration, time, body) "
      "VALUES (?, ?, ?, ?, ?, ?)",
      {notice.id, notice.key.group_key, notice.key.receiver, Number(notice.key.integration),
       notice.time, EncodeNotice(notice)});
}

Status WriteHandle(Session& session, const NoticeResult& result) {
  const auto& key = result.key;
  if (result.handle.empty()) {
    return session.Run(
        "DELETE FROM notification_handle "
        "WHERE group_key = ? AND receiver = ? AND integration = ?",
        {key.group_key, key.receiver, Number(key.integration)});
  }
  return session.Run("INSERT OR REPLACE INTO notification_handle VALUES (?, ?, ?, ?)",
                     {key.group_key, key.receiver, Number(key.integration), result.handle});
}

Status WriteResult(Session& session, const NoticeResult& result) {
  switch (result.state) {
    case NoticeResult::State::kDelivered:
      if (auto status = WriteHandle(session, result); !status) return status;
      return session.Run("DELETE FROM outbox WHERE id = ?", {result.id});
    case NoticeResult::State::kReplaced:
      return session.Run("DELETE FROM outbox WHERE id = ?", {result.id});
    case NoticeResult::State::kRetrying:
      return session.Run("UPDATE outbox SET attempts = ?, answer = ?, died_at = 0 WHERE id = ?",
                         {std::int64_t{result.attempts}, result.answer, result.id});
    case NoticeResult::State::kDead:
      return session.Run("UPDATE outbox SET attempts = ?, answer = ?, died_at = ? WHERE id = ?",
                         {std::int64_t{result.attempts}, result.answer, result.time, result.id});
  }
  return Ok();
}

Status WriteEvents(Session& session, const std::vector<Event>& events) {
  for (const auto& event : events) {
    const auto one = JournalEvent(event);
    if (auto status = state::Journal::Write(session, {&one, 1}); !status) return status;
  }
  return Ok();
}

template <typename Items, typename Write>
Status WriteAll(Session& session, const Items& items, Write&& write) {
  for (const auto& item : items) {
    if (auto status = write(session, item); !status) return status;
  }
  return Ok();
}

Status Forget(Session& session, const Changes& changes) {
  for (const auto id : changes.forgotten_alerts) {
    auto status = session.Run("DELETE FROM dispatch_alert WHERE fingerprint = ?", {Stored(id)});
    if (!status) return status;
  }
  for (const auto& id : changes.forgotten_silences) {
    if (auto status = session.Run("DELETE FROM silence WHERE id = ?", {id}); !status) return status;
  }
  for (const auto id : changes.forgotten_acks) {
    auto status = session.Run("DELETE FROM acknowledgement WHERE fingerprint = ?", {Stored(id)});
    if (!status) return status;
  }
  for (const auto& key : changes.forgotten_log) {
    auto status = session.Run(
        "DELETE FROM notification_log WHERE group_key = ? AND receiver = ? AND integration = ?",
        {key.group_key, key.receiver, Number(key.integration)});
    if (!status) return status;
  }
  return Ok();
}

Status WriteChanges(Session& session, const Changes& changes) {
  auto status = WriteAll(session, changes.alerts,
                         [](Session& to, const AlertPtr& alert) { return WriteAlert(to, *alert); });
  if (status) status = WriteAll(session, changes.silences, WriteSilence);
  if (status) status = WriteAll(session, changes.acks, WriteAck);
  if (status) status = WriteAll(session, changes.log, WriteLog);
  if (status) status = WriteAll(session, changes.notices, WriteNotice);
  if (status) status = WriteAll(session, changes.results, WriteResult);
  if (status) status = WriteEvents(session, changes.events);
  return status ? Forget(session, changes) : status;
}

// Rows that cannot be read are left out, and said so: the rest counts all the same.
class Loader {
 public:
  explicit Loader(Session& session) : session_(session) {}

  Status Load(Snapshot& snapshot) {
    auto status = Each(
        "SELECT fingerprint, labels, annotations, starts_at, ends_at, updated_at, generator_url,"
        " end_assumed, held FROM dispatch_alert",
        [&](const Row& row) { return AddAlert(row, snapshot); });
    if (status) {
      status = Each(
          "SELECT id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations"
          " FROM silence",
          [&](const Row& row) { return AddSilence(row, snapshot); });
    }
    if (status) {
      status = Each("SELECT fingerprint, who, comment, time, until FROM acknowledgement",
                    [&](const Row& row) { return AddAck(row, snapshot); });
    }
    if (status) {
      status = Each(
          "SELECT group_key, receiver, integration, time, firing, resolved, owed, group_labels"
          " FROM notification_log",
          [&](const Row& row) { return AddLog(row, snapshot); });
    }
    if (status) {
      status = Each(
          "SELECT group_key, receiver, integration, id, time, body, attempts, answer, died_at"
          " FROM outbox ORDER BY sequence",
          [&](const Row& row) { return AddNotice(row, snapshot); });
    }
    if (status) {
      status = Each("SELECT group_key, receiver, integration, handle FROM notification_handle",
                    [&](const Row& row) -> Status {
                      snapshot.handles[KeyOf(row, 0)] = row.Text(3);
                      return Ok();
                    });
    }
    return status;
  }

 private:
  Status Each(std::string_view sql, const std::function<Status(const Row&)>& add) {
    return session_.Each(sql, {}, [&](const Row& row) {
      if (const auto status = add(row); !status) {
        log::Warn("a row of the state file is left out", {{"error", status.error().message()}});
      }
    });
  }

  static Status AddAlert(const Row& row, Snapshot& snapshot) {
    auto labels = DecodeLabels(row.Text(1));
    auto annotations = DecodeLabels(row.Text(2));
    if (!labels) return Fail(labels.error());
    if (!annotations) return Fail(annotations.error());
    KnownAlert known{.fingerprint = IdOf(row.Integer(0)), .end_assumed = row.Integer(7) != 0};
    known.alert = {.labels = *std::move(labels),
                   .annotations = *std::move(annotations),
                   .starts_at = row.Integer(3),
                   .ends_at = row.Integer(4),
                   .updated_at = row.Integer(5),
                   .generator_url = std::string(row.Text(6)),
                   .held = row.Integer(8) != 0};
    snapshot.alerts.push_back(std::make_shared<const KnownAlert>(std::move(known)));
    return Ok();
  }

  static Status AddSilence(const Row& row, Snapshot& snapshot) {
    auto matchers = DecodeMatchers(row.Text(1));
    auto annotations = DecodeMap(row.Text(7));
    if (!matchers) return Fail(matchers.error());
    if (!annotations) return Fail(annotations.error());
    snapshot.silences.push_back({.id = std::string(row.Text(0)),
                                 .matchers = *std::move(matchers),
                                 .starts_at = row.Integer(2),
                                 .ends_at = row.Integer(3),
                                 .updated_at = row.Integer(4),
                                 .created_by = std::string(row.Text(5)),
                                 .comment = std::string(row.Text(6)),
                                 .annotations = *std::move(annotations)});
    return Ok();
  }

  static Status AddAck(const Row& row, Snapshot& snapshot) {
    snapshot.acks.push_back({.fingerprint = IdOf(row.Integer(0)),
                             .by = std::string(row.Text(1)),
                             .comment = std::string(row.Text(2)),
                             .time = row.Integer(3),
                             .until = row.Integer(4)});
    return Ok();
  }

  static Status AddLog(const Row& row, Snapshot& snapshot) {
    auto labels = DecodeLabels(row.Text(7));
    if (!labels) return Fail(labels.error());
    snapshot.log[KeyOf(row, 0)] = {.time = row.Integer(3),
                                   .firing = DecodeIds(row.Text(4)),
                                   .resolved = DecodeIds(row.Text(5)),
                                   .owed = DecodeIds(row.Text(6)),
                                   .group_labels = *std::move(labels)};
    return Ok();
  }

  static Status AddNotice(const Row& row, Snapshot& snapshot) {
    PendingNotice pending;
    pending.notice.key = KeyOf(row, 0);
    pending.notice.id = row.Text(3);
    pending.notice.time = row.Integer(4);
    if (auto status = DecodeNotice(row.Text(5), pending.notice); !status) return status;
    pending.attempts = static_cast<int>(row.Integer(6));
    pending.answer = row.Text(7);
    pending.died_at = row.Integer(8);
    pending.dead = pending.died_at != 0;
    snapshot.notices.push_back(std::move(pending));
    return Ok();
  }

  Session& session_;
};

}  // namespace

state::Event JournalEvent(const Event& event) {
  return {.time = event.time,
          .type = event.type,
          .fingerprint = event.alert.empty() ? 0 : Fingerprint(event.alert),
          .labels = event.alert,
          .details = EncodeDetails(event.details)};
}

namespace {

// Of a newer version. After any other error the database makes the tables with its next write; a
// file that is only locked can be read meanwhile.
bool Hopeless(const Status& migrated) {
  return !migrated && migrated.error().code() == ErrorCode::kInvalid;
}

}  // namespace

DatabaseStore::DatabaseStore(state::Database& database)
    : database_(database), migrated_(database.Migrate("dispatch", kSteps)) {}

Status DatabaseStore::Commit(const Changes& changes) {
  if (Hopeless(migrated_)) return migrated_;
  const bool typed = !changes.silences.empty() || !changes.acks.empty();
  return database_.Write([&](Session& session) { return WriteChanges(session, changes); },
                         typed ? state::Durability::kDisk : state::Durability::kProcess);
}

Result<Snapshot> DatabaseStore::Load() {
  if (Hopeless(migrated_)) return Fail(migrated_.error());
  Snapshot snapshot;
  auto status = database_.Read([&](Session& session) { return Loader(session).Load(snapshot); });
  if (!status) return Fail(status.error());
  return snapshot;
}

}  // namespace vigia::alerting::dispatch
