#include "exporter/baselines/marks.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/json.h"

namespace vigia::exporter {
namespace {

using alerting::state::Event;

// How long after a deploy a change is laid to it, and how much before.
constexpr Timestamp kAfter = 2 * 3600 * 1000;
constexpr Timestamp kBefore = 10 * 60 * 1000;

std::string Text(const nlohmann::json& details, const char* key) {
  const auto at = details.find(key);
  return at != details.end() && at->is_string() ? at->get<std::string>() : std::string();
}

template <typename Mark>
void Insert(std::vector<Mark>& marks, Mark mark, Timestamp Mark::*time) {
  const auto at = std::find_if(marks.begin(), marks.end(),
                               [&](const Mark& one) { return one.*time <= mark.*time; });
  marks.insert(at, std::move(mark));
  if (marks.size() > Marks::kMost) marks.pop_back();
}

}  // namespace

Status Marks::Load() {
  for (const std::string type : {"deploy", "maintenance"}) {
    const auto events = journal_.Query({.type = type, .limit = kMost});
    if (!events) return Fail(events.error());
    const std::lock_guard lock(mutex_);
    for (const Event& event : *events) {
      const auto details = nlohmann::json::parse(event.details, nullptr, false);
      if (!details.is_object()) continue;
      if (type == "deploy") {
        Insert(deploys_,
               {event.time, Text(details, "version"), Text(details, "text"), Text(details, "by")},
               &Deploy::time);
      } else {
        Insert(maintenances_,
               {event.time, details.value("end", event.time), Text(details, "text"),
                Text(details, "by")},
               &Maintenance::start);
      }
    }
  }
  return Ok();
}

Status Marks::Add(Deploy deploy) {
  std::string details;
  text::JsonWriter(details)
      .BeginObject()
      .Field("version", deploy.version)
      .Field("text", deploy.text)
      .Field("by", deploy.by)
      .EndObject();
  journal_.Add({.time = deploy.time, .type = "deploy", .labels = {}, .details = details});
  {
    const std::lock_guard lock(mutex_);
    Insert(deploys_, std::move(deploy), &Deploy::time);
  }
  return journal_.Flush();
}

Status Marks::Add(Maintenance maintenance) {
  std::string details;
  text::JsonWriter json(details);
  json.BeginObject().Key("end").Integer(maintenance.end);
  json.Field("text", maintenance.text).Field("by", maintenance.by).EndObject();
  journal_.Add(
      {.time = maintenance.start, .type = "maintenance", .labels = {}, .details = details});
  {
    const std::lock_guard lock(mutex_);
    Insert(maintenances_, std::move(maintenance), &Maintenance::start);
  }
  return journal_.Flush();
}

bool Marks::InMaintenance(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(maintenances_.begin(), maintenances_.end(),
                     [&](const auto& one) { return one.start <= now && now < one.end; });
}

std::vector<Deploy> Marks::Deploys() const {
  const std::lock_guard lock(mutex_);
  return deploys_;
}

std::vector<Maintenance> Marks::Maintenances() const {
  const std::lock_guard lock(mutex_);
  return maintenances_;
}

std::optional<Deploy> Marks::DeployNear(Timestamp time) const {
  const std::lock_guard lock(mutex_);
  std::optional<Deploy> after;
  for (const auto& deploy : deploys_) {
    if (deploy.time <= time) return deploy.time >= time - kAfter ? deploy : after;
    if (deploy.time <= time + kBefore) after = deploy;
  }
  return after;
}

}  // namespace vigia::exporter
