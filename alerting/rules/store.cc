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

Status AlertStore::Write(const Batch& batch) {
  return database_.Write([&](state::Session& session) -> Status {
    for (const auto& [key, row] : batch.rows) {
      const auto& [group, rule, alert] = key;
      const std::string labels = state::LabelsToJson(alert);
      Status status = Ok();
      if (row.removed) {
        status = session.Run(
            kDelete, {std::string_view(group), std::string_view(rule), std::string_view(labels)});
      } else {
        const AlertInstance& now = row.instance;
        const std::string annotations = state::LabelsToJson(now.annotations);
        const state::Value parameters[] = {
            std::string_view(group),
            std::string_view(rule),
            std::string_view(labels),
            std::string_view(annotations),
            static_cast<std::int64_t>(now.state),
            std::int64_t{now.held},
            std::int64_t{now.missed},
            std::bit_cast<std::int64_t>(now.value),
            now.active_at,
            now.fired_at,
            now.resolved_at,
            now.keep_firing_since,
        };
        status = session.Run(kUpsert, parameters);
      }
      if (!status) return status;
    }
    return state::Journal::Write(session, batch.events);
  });
}

void AlertStore::Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) {
  Batch batch;
  {
    const std::lock_guard lock(mutex_);
    batch = std::exchange(waiting_, {});
  }
  if (changes.empty() && batch.rows.empty() && batch.events.empty()) return;
  for (auto& change : changes) {
    if (!change.change.event.empty()) batch.events.push_back(EventOf(group, time, change));
    auto& instance = change.change.instance;
    Key key{group, change.rule, instance.labels};
    batch.rows.insert_or_assign(std::move(key), Row{std::move(instance), change.change.removed});
  }
  const auto status = Write(batch);
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = failing_ == status.has_value();
    failing_ = !status;
    if (!status) {
      // What another evaluation left meanwhile is of other alerts, or newer.
      waiting_.rows.merge(batch.rows);
      waiting_.events.insert(waiting_.events.begin(), std::make_move_iterator(batch.events.begin()),
                             std::make_move_iterator(batch.events.end()));
      if (waiting_.events.size() > kMaxEvents) {
        const auto over = waiting_.events.size() - kMaxEvents;
        events_lost_ += over;
        waiting_.events.erase(waiting_.events.begin(),
                              waiting_.events.begin() + static_cast<std::ptrdiff_t>(over));
      }
    }
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
