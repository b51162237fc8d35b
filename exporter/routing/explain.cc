#include "exporter/routing/explain.h"

#include <algorithm>

#include "exporter/routing/text.h"

namespace vigia::routing {
namespace {

namespace dispatch = alerting::dispatch;
using alerting::outbox::Letter;
using dispatch::AlertView;
using dispatch::WayView;
using text::JsonWriter;

constexpr std::size_t kEvents = 50;
// Of the alerts that match: each costs two questions to the journal.
constexpr std::size_t kAlerts = 50;

bool Concerns(const Letter& letter, const WayView& way, std::size_t integration) {
  const auto& key = letter.notice.key;
  return key.group_key == way.group_key && key.receiver == way.receiver &&
         key.integration == integration;
}

// What holds this way back right now, in words; empty if nothing does.
std::string Verdict(const AlertView& view, const WayView& way, bool resolved) {
  if (!view.inhibited_by.empty()) {
    return "inhibited by alert " + alerting::FingerprintText(view.inhibited_by.front());
  }
  if (!view.silenced_by.empty()) return "silenced by " + view.silenced_by.front();
  if (!way.muted_by.empty()) return "muted: " + way.muted_by;
  if (way.waiting_for_start) return "waits until all rules have been evaluated once";
  if (way.told.empty()) return "the receiver '" + way.receiver + "' has no way to tell anybody";
  if (resolved) return {};
  const auto id = view.alert->fingerprint;
  const bool told = std::any_of(way.told.begin(), way.told.end(), [&](const auto& one) {
    return one.entry && dispatch::Contains(one.entry->firing, id);
  });
  if (told) return {};
  return "waits for its group: told in " + FormatDuration(way.next_flush);
}

void WriteTold(JsonWriter& json, const AlertView& view, const WayView& way,
               const WayView::Told& told, const std::vector<Letter>& letters) {
  json.BeginObject().Field("integration", told.kind);
  json.Key("index").Integer(static_cast<std::int64_t>(told.integration));
  json.Key("told_firing")
      .Bool(told.entry && dispatch::Contains(told.entry->firing, view.alert->fingerprint));
  json.Key("end_owed")
      .Bool(told.entry && dispatch::Contains(told.entry->owed, view.alert->fingerprint));
  if (told.entry) json.Field("last_notification", TimeText(told.entry->time));
  json.Key("under_way").BeginArray();
  for (const auto& letter : letters) {
    if (!Concerns(letter, way, told.integration)) continue;
    json.BeginObject().Field("id", letter.notice.id);
    json.Field("state", letter.dead ? "dead" : "waiting");
    json.Key("attempts").Integer(letter.attempts);
    json.Field("answer", letter.answer);
    if (!letter.dead) {
      json.Field("held_by", letter.held_by);
      json.Field("next_attempt_in", FormatDuration(letter.next));
    }
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void WriteWay(JsonWriter& json, const AlertView& view, const WayView& way, bool resolved,
              const std::vector<Letter>& letters) {
  json.BeginObject().Field("route", way.route).Field("receiver", way.receiver);
  json.Field("group", way.group_key);
  json.Key("grouped").Bool(way.grouped);
  if (way.grouped) json.Field("next_flush_in", FormatDuration(way.next_flush));
  json.Field("muted_by", way.muted_by);
  json.Field("held_back", Verdict(view, way, resolved));
  json.Key("notifications").BeginArray();
  for (const auto& told : way.told) WriteTold(json, view, way, told, letters);
  json.EndArray().EndObject();
}

// The alert's own events, and those of its notifications.
void WriteEvents(JsonWriter& json, const RoutingContext& context, const AlertView& view,
                 const std::vector<WayView>& ways) {
  json.Key("events").BeginArray();
  auto own = context.journal.Query({.fingerprint = view.alert->fingerprint, .limit = kEvents});
  auto sent = context.journal.Query({.type = "notification.", .limit = 10 * kEvents});
  std::vector<alerting::state::Event> events;
  if (own) events = *std::move(own);
  if (sent) {
    for (auto& event : *sent) {
      const bool ours = std::any_of(ways.begin(), ways.end(), [&](const WayView& way) {
        std::string quoted;
        text::AppendJsonString(quoted, way.group_key);
        return event.details.find(quoted) != event.details.npos;
      });
      if (ours) events.push_back(std::move(event));
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.time > b.time; });
  if (events.size() > kEvents) events.resize(kEvents);
  for (const auto& event : events) {
    json.BeginObject().Field("time", TimeText(event.time)).Field("type", event.type);
    json.Key("details").Raw(event.details).EndObject();
  }
  json.EndArray();
}

void WriteAlert(JsonWriter& json, const RoutingContext& context, const AlertView& view,
                const std::vector<Letter>& letters) {
  const auto& alert = view.alert->alert;
  const bool resolved = view.alert->ResolvedAt(context.clock.Wall());
  json.BeginObject().Key("labels");
  WriteLabels(json, alert.labels);
  json.Field("fingerprint", alerting::FingerprintText(view.alert->fingerprint));
  json.Field("state", resolved ? "resolved" : view.suppressed() ? "suppressed" : "active");
  json.Key("held").Bool(alert.held);
  json.Field("starts_at", TimeText(alert.starts_at)).Field("ends_at", TimeText(alert.ends_at));
  json.Key("annotations");
  WriteLabels(json, alert.annotations);
  json.Key("silenced_by").BeginArray();
  for (const auto& id : view.silenced_by) json.String(id);
  json.EndArray().Key("inhibited_by").BeginArray();
  for (const auto id : view.inhibited_by) json.String(alerting::FingerprintText(id));
  json.EndArray();
  if (view.ack) {
    json.Key("acknowledged").BeginObject().Field("by", view.ack->by);
    json.Field("comment", view.ack->comment).EndObject();
  }
  const auto ways = context.dispatcher().Ways(view.alert->fingerprint);
  json.Key("routes").BeginArray();
  for (const auto& way : ways) WriteWay(json, view, way, resolved, letters);
  json.EndArray();
  WriteEvents(json, context, view, ways);
  json.EndObject();
}

}  // namespace

std::string Explain(const RoutingContext& context, const alerting::route::Matchers& matchers) {
  std::string body;
  JsonWriter json(body);
  const auto letters = context.outbox().Letters();
  json.BeginObject().Key("alerts").BeginArray();
  std::size_t count = 0;
  for (const auto& view : context.dispatcher().Alerts(true)) {
    if (!alerting::route::MatchesAll(matchers, view.alert->alert.labels)) continue;
    if (++count > kAlerts) continue;
    WriteAlert(json, context, view, letters);
  }
  json.EndArray().Key("matching").Integer(static_cast<std::int64_t>(count));
  json.Key("rules").Raw(context.rules(matchers)).EndObject();
  return body;
}

}  // namespace vigia::routing
