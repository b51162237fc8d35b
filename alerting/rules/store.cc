#include "alerting/rules/store.h"

#include <bit>
#include <utility>

#include "alerting/fingerprint.h"
#include "alerting/state/labels_json.h"
#include "core/log.h"
#include "core/text/json.h"

namespace vigia::alerting::rules {
namespace {

constexpr std::string_view kSteps[] = {
    "CREATE TABLE rule_alert ("
    " group_key TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " labels TEXT NOT NULL,"
    " annotations TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " held INTEGER NOT NULL,"
    " missed INTEGER NOT NULL,"
    " value INTEGER NOT NULL,"  // the bits of the number: NaN is none to SQLite
    " active_at INTEGER NOT NULL,"
    " fired_at INTEGER NOT NULL,"
    " resolved_at INTEGER NOT NULL,"
    " keep_firing_since INTEGER NOT NULL,"
    " PRIMARY KEY (group_key, rule, labels)) WITHOUT ROWID",
    "CREATE TABLE rule_evaluation (id INTEGER PRIMARY KEY CHECK (id = 0), time INTEGER NOT NULL)",
};

constexpr std::string_view kUpsert =
    "INSERT OR REPLACE INTO rule_alert (group_key, rule, labels, annotations, state, held, missed,"
    " value, active_at, fired_at, resolved_at, keep_firing_since)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kDelete =
    "DELETE FROM rule_alert WHERE group_key = ? AND rule = ? AND labels = ?";
constexpr std::string_view kSelect =
    "SELECT group_key, rule, labels, annotations, state, held, missed, value, active_at, fired_at,"
    " resolved_at, keep_firing_since FROM rule_alert";

constexpr std::string_view kNote = "INSERT OR REPLACE INTO rule_evaluation VALUES (0, ?)";
constexpr Timestamp kNoteEvery = 30'000;

// Transitions beyond this are lost while the file cannot be written.
constexpr std::size_t kMaxEvents = 10'000;

AlertStore::Stored ReadRow(const state::Row& row) {
  AlertInstance instance;
  instance.labels = state::LabelsFromJson(row.Text(2));
  instance.annotations = state::LabelsFromJson(row.Text(3));
  const auto state = row.Integer(4);
  instance.state = state == 2   ? AlertState::kFiring
                   : state == 1 ? AlertState::kPending
                                : AlertState::kInactive;
  instance.held = row.Integer(5) != 0;
  instance.missed = static_cast<int>(row.Integer(6));
  instance.value = std::bit_cast<double>(row.Integer(7));
  instance.active_at = row.Integer(8);
  instance.fired_at = row.Integer(9);
  instance.resolved_at = row.Integer(10);
  instance.keep_firing_since = row.Integer(11);
  return {std::string(row.Text(0)), std::string(row.Text(1)), std::move(instance)};
}

state::Event EventOf(const std::string& group, Timestamp time, const RuleChange& change) {
  const AlertInstance& alert = change.change.instance;
  state::Event event;
  event.time = time;
  event.type = change.change.event;
  event.labels = alert.labels;
  event.fingerprint = Fingerprint(alert.labels);
  event.details.clear();
  text::JsonWriter json(event.details);
  json.BeginObject();
  json.Key("value").Number(alert.value);
  json.Field("group", group);
  json.Field("expr", change.definition->expression);
  json.Key("active_at").Integer(alert.active_at);
  if (alert.fired_at != 0) json.Key("fired_at").Integer(alert.fired_at);
  if (alert.resolved_at != 0) json.Key("resolved_at").Integer(alert.resolved_at);
  json.Key("annotations").Raw(state::LabelsToJson(alert.annotations));
  json.EndObject();
  return event;
}

}  // namespace

Status AlertStore::Open() { return database_.Migrate("rules", kSteps); }

Result<std::vector<AlertStore::Stored>> AlertStore::Load() {
  std::vector<Stored> out;
  const auto status = database_.Read([&](state::Session& session) {
    return session.Each(kSelect, {}, [&](const state::Row& row) { out.push_back(ReadRow(row)); });
  });
  if (!status) return Fail(status.error());
  return out;
}

Timestamp AlertStore::LastEvaluation() {
  Timestamp time = 0;
  const auto status = database_.Read([&](state::Session& session) {
    return session.Each("SELECT time FROM rule_evaluation", {},
                        [&](const state::Row& row) { time = row.Integer(0); });
  });
  return status ? time : 0;
}

Status AlertStore::Remove(const std::vector<Stored>& alerts) {
  if (alerts.empty()) return Ok();
  return database_.Write([&](state::Session& session) -> Status {
    for (const auto& [group, rule, instance] : alerts) {
      auto status = session.Run(kDelete, {std::string_view(group), std::string_view(rule),
                                          std::string_view(state::LabelsToJson(instance.labels))});
      if (!status) return status;
    }
    return Ok();
  });
}

namespace {

Status WriteRow(state::Session& session, std::string_view group, std::string_view rule,
                const AlertInstance& alert, bool removed) {
  const std::string labels = state::LabelsToJson(alert.labels);
  if (removed) return session.Run(kDelete, {group, rule, std::string_view(labels)});
  const std::string annotations = state::LabelsToJson(alert.annotations);
  const state::Value parameters[] = {
      group,
      rule,
      std::string_view(labels),
      std::string_view(annotations),
      static_cast<std::int64_t>(alert.state),
      std::int64_t{alert.held},
      std::int64_t{alert.missed},
      std::bit_cast<std::int64_t>(alert.value),
      alert.active_at,
      alert.fired_at,
      alert.resolved_at,
      alert.keep_firing_since,
  };
  return session.Run(kUpsert, parameters);
}

}  // namespace

Status AlertStore::Write(const Evaluated& now, const Batch& before) {
  return database_.Write([&](state::Session& session) -> Status {
    Status status = Ok();
    if (now.note) status = session.Run(kNote, {now.time});
    for (auto at = before.rows.begin(); status && at != before.rows.end(); ++at) {
      const auto& [group, rule, labels] = at->first;
      status = WriteRow(session, group, rule, at->second.instance, at->second.removed);
    }
    if (status) status = state::Journal::Write(session, before.events);
    // Texts are made one by one: thousands of them at once would be megabytes.
    for (auto at = now.changes.begin(); status && at != now.changes.end(); ++at) {
      const Change& change = at->change;
      status = WriteRow(session, now.group, at->rule, change.instance, change.removed);
      if (!status || change.event.empty()) continue;
      const auto event = EventOf(now.group, now.time, *at);
      status = state::Journal::Write(session, {&event, 1});
    }
    return status;
  });
}

void AlertStore::Postpone(Evaluated now, Batch before) {
  for (auto& change : now.changes) {
    if (!change.change.event.empty()) {
      before.events.push_back(EventOf(now.group, now.time, change));
    }
    auto& instance = change.change.instance;
    Key key{now.group, change.rule, instance.labels};
    before.rows.insert_or_assign(std::move(key), Row{std::move(instance), change.change.removed});
  }
  const std::lock_guard lock(mutex_);
  // What another evaluation left meanwhile is of other alerts, or newer.
  waiting_.rows.merge(before.rows);
  auto& events = waiting_.events;
  events.insert(events.begin(), std::make_move_iterator(before.events.begin()),
                std::make_move_iterator(before.events.end()));
  if (events.size() <= kMaxEvents) return;
  const auto over = events.size() - kMaxEvents;
  events_lost_ += over;
  events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(over));
}

void AlertStore::Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) {
  Evaluated now{group, time, std::move(changes)};
  Batch before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(waiting_, {});
    now.note = time >= note_from_ && (time < noted_ || time - noted_ >= kNoteEvery);
    if (now.note) noted_ = time;
  }
  const bool nothing = now.changes.empty() && before.rows.empty() && before.events.empty();
  if (nothing && !now.note) return;
  const auto status = Write(now, before);
  if (!status) Postpone(std::move(now), std::move(before));
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = failing_ == status.has_value();
    failing_ = !status;
  }
  if (!changed) return;
  if (status) {
    log::Info("alert state is written again");
  } else {
    log::Error("alert state cannot be written, alerting goes on from memory",
               {{"error", status.error().message()}});
  }
}

std::size_t AlertStore::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.rows.size();
}

std::uint64_t AlertStore::events_lost() const {
  const std::lock_guard lock(mutex_);
  return events_lost_;
}

}  // namespace vigia::alerting::rules
