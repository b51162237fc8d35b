#include "alerting/state/journal.h"

#include <algorithm>
#include <bit>

#include "alerting/state/labels_json.h"
#include "core/log.h"
#include "core/text/json.h"

namespace vigia::alerting::state {
namespace {

constexpr std::string_view kSteps[] = {
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time INTEGER NOT NULL,"
    " type TEXT NOT NULL,"
    " alert TEXT NOT NULL,"
    " fingerprint INTEGER NOT NULL,"
    " labels TEXT NOT NULL,"
    " details TEXT NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "CREATE INDEX event_time ON event (time, id);"
    "CREATE INDEX event_alert ON event (alert, time, id);"
    "CREATE INDEX event_fingerprint ON event (fingerprint, time, id)",
};

// What a row costs besides its text: its numbers and its places in the indexes.
constexpr std::int64_t kRowBytes = 100;

Event ReadEvent(const Row& row) {
  return {.id = row.Integer(0),
          .time = row.Integer(1),
          .type = std::string(row.Text(2)),
          .fingerprint = std::bit_cast<std::uint64_t>(row.Integer(3)),
          .labels = LabelsFromJson(row.Text(4)),
          .details = std::string(row.Text(5))};
}

bool TypeFits(std::string_view wanted, std::string_view type) {
  if (wanted.empty()) return true;
  return wanted.ends_with('.') ? type.starts_with(wanted) : type == wanted;
}

// A query and its parameters, which borrow from the filter.
struct Selection {
  std::string sql = "SELECT id, time, type, fingerprint, labels, details FROM event WHERE 1";
  std::vector<Value> parameters;

  void Add(std::string_view condition, Value value) {
    sql += " AND ";
    sql += condition;
    parameters.push_back(value);
  }
};

Selection Select(const EventFilter& filter) {
  Selection selection;
  if (filter.since) selection.Add("time >= ?", *filter.since);
  if (filter.until) selection.Add("time < ?", *filter.until);
  if (filter.before_id) selection.Add("id < ?", *filter.before_id);
  if (!filter.alert.empty()) selection.Add("alert = ?", std::string_view(filter.alert));
  if (filter.fingerprint) {
    selection.Add("fingerprint = ?", std::bit_cast<std::int64_t>(*filter.fingerprint));
  }
  if (filter.type.ends_with('.')) {
    selection.Add("instr(type, ?) = 1", std::string_view(filter.type));
  } else if (!filter.type.empty()) {
    selection.Add("type = ?", std::string_view(filter.type));
  }
  selection.sql += " ORDER BY time DESC, id DESC LIMIT ?";
  selection.parameters.emplace_back(static_cast<std::int64_t>(filter.limit));
  return selection;
}

}  // namespace

Journal::Journal(Database& database, Clock& clock, Retention retention)
    : database_(database), clock_(clock), retention_(retention) {
  if (auto status = database_.Migrate("journal", kSteps); !status) {
    log::Error("event journal cannot be used", {{"error", status.error().message()}});
  }
}

Journal::~Journal() { (void)Flush(); }

void Journal::Add(Event event) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() == kMaxQueue) {
    queue_.pop_front();
    ++first_;
    ++dropped_;
  }
  queue_.push_back(std::move(event));
}

Status Journal::Flush() {
  const std::lock_guard turn(flush_mutex_);
  std::vector<Event> events;
  std::uint64_t end = 0;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return Ok();
    events.assign(queue_.begin(), queue_.end());
    end = first_ + queue_.size();
  }
  auto status = database_.Write([&](Session& session) { return Write(session, events); });
  if (!status) return status;
  const std::lock_guard lock(mutex_);
  for (; first_ < end && !queue_.empty(); ++first_) queue_.pop_front();
  return status;
}

Status Journal::Write(Session& session, std::span<const Event> events) {
  for (const Event& event : events) {
    const auto labels = LabelsToJson(event.labels);
    const auto bytes = kRowBytes + static_cast<std::int64_t>(event.type.size() + labels.size() +
                                                             event.details.size());
    auto status = session.Run(
        "INSERT INTO event (time, type, alert, fingerprint, labels, details, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        {event.time, std::string_view(event.type), event.labels.Get("alertname"),
         std::bit_cast<std::int64_t>(event.fingerprint), std::string_view(labels),
         std::string_view(event.details), bytes});
    if (!status) return status;
  }
  return Ok();
}

bool Journal::Fits(const EventFilter& filter, const Event& event) const {
  return (!filter.since || event.time >= *filter.since) &&
         (!filter.until || event.time < *filter.until) && !filter.before_id &&
         (filter.alert.empty() || event.labels.Get("alertname") == filter.alert) &&
         (!filter.fingerprint || event.fingerprint == *filter.fingerprint) &&
         TypeFits(filter.type, event.type);
}

Result<std::vector<Event>> Journal::Query(const EventFilter& filter) {
  std::vector<Event> events;
  if (!Flush()) {  // what cannot be written is still known
    const std::lock_guard lock(mutex_);
    for (const Event& event : queue_) {
      if (Fits(filter, event)) events.push_back(event);
    }
    std::reverse(events.begin(), events.end());
  }
  const auto selection = Select(filter);
  auto status = database_.Read([&](Session& session) {
    return session.Each(selection.sql, selection.parameters,
                        [&](const Row& row) { events.push_back(ReadEvent(row)); });
  });
  if (!status && events.empty()) return Fail(status.error().In("event journal"));
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.time > b.time; });
  if (events.size() > filter.limit) events.resize(filter.limit);
  return events;
}

Status Journal::Prune() {
  const auto oldest = clock_.Wall() - retention_.age.count();
  const auto room = static_cast<std::int64_t>(retention_.max_bytes);
  return database_.Write([&](Session& session) -> Status {
    auto status = session.Run("DELETE FROM event WHERE time < ?", {oldest});
    std::int64_t bytes = 0;
    const auto take = [&](const Row& row) { bytes = row.Integer(0); };
    if (status) status = session.Each("SELECT TOTAL(bytes) FROM event", {}, take);
    if (!status || bytes <= room) return status;
    // A tenth more than needed, so that this is rare.
    return session.Run(
        "DELETE FROM event WHERE id <= (SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER BY id "
        "DESC) AS newer FROM event) WHERE newer > ? ORDER BY id DESC LIMIT 1)",
        {room - room / 10});
  });
}

void Journal::Run(std::stop_token stop) {
  Instant next_prune = clock_.Now();
  while (!stop.stop_requested()) {
    (void)Flush();  // a failure is counted and logged by the database
    if (clock_.Now() >= next_prune) {
      (void)Prune();
      next_prune = clock_.Now() + 1min;
    }
    std::unique_lock lock(mutex_);
    clock_.WaitUntil(lock, unused_, stop, clock_.Now() + 1s, [] { return false; });
  }
}

std::uint64_t Journal::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace vigia::alerting::state
