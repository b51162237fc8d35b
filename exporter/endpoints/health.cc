#include "exporter/endpoints/health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "collectors/probe/observation.h"
#include "core/text/json.h"
#include "exporter/version.h"
#include "query/promql/format.h"

namespace vigia::exporter {
namespace {

using collectors::InstanceState;

struct Finding {
  std::string status = "not_configured";  // healthy, unhealthy, unknown
  double milliseconds = -1;               // negative: none
  std::string message;

  bool configured() const { return status != "not_configured"; }
  bool healthy() const { return status == "healthy"; }
};

struct Findings {
  Finding database;
  Finding cache;
  std::map<std::string, Finding> services;
  double max_age_seconds = 0;

  // Of several the worst counts.
  static void Take(Finding& known, Finding found) {
    if (!known.configured() || (known.healthy() && !found.healthy())) known = std::move(found);
  }
};

std::string_view LabelOf(const Labels& labels, std::string_view name) {
  for (const auto& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

const FamilyReading* Find(const Reading& reading, std::string_view name) {
  for (const auto& family : reading.families) {
    if (family.family->head().name == name) return &family;
  }
  return nullptr;
}

std::string ReasonOf(const Reading& reading, std::string_view probe) {
  const FamilyReading* const reasons = Find(reading, "vigia_probe_failure_info");
  for (std::size_t i = 0; reasons && i < reasons->values.size(); ++i) {
    const auto& labels = reasons->family->labels(i);
    if (LabelOf(labels, "probe") != probe) continue;
    return std::string(collectors::probe::Describe(LabelOf(labels, "reason")));
  }
  return {};
}

// Each target has one series of either family, in the same order.
void TakeProbes(const Reading& reading, Findings& findings) {
  const FamilyReading* const healthy = Find(reading, "vigia_probe_healthy");
  const FamilyReading* const durations = Find(reading, "probe_duration_seconds");
  for (std::size_t i = 0; healthy && i < healthy->values.size(); ++i) {
    const auto& labels = healthy->family->labels(i);
    const std::string name(LabelOf(labels, "probe"));
    Finding found;
    found.status = healthy->values[i] > 0 ? "healthy" : "unhealthy";
    if (durations && i < durations->values.size()) {
      found.milliseconds = durations->values[i] * 1000;
    }
    // Within its threshold a healthy target may have failed just now.
    found.message = ReasonOf(reading, name);
    if (found.message.empty()) found.message = "answers";
    const auto prober = LabelOf(labels, "prober");
    if (prober == "postgres") {
      Findings::Take(findings.database, std::move(found));
    } else if (prober == "redis") {
      Findings::Take(findings.cache, std::move(found));
    } else {
      Findings::Take(findings.services[name], std::move(found));
    }
  }
}

bool IsOld(const InstanceState& state, Timestamp time, Timestamp now, const HealthOptions& options,
           Findings& findings) {
  const Milliseconds limit =
      options.max_age > 0ms ? options.max_age : 2 * state.interval + state.timeout;
  findings.max_age_seconds =
      std::max(findings.max_age_seconds, static_cast<double>(limit.count()) / 1000);
  return now - time > limit.count();
}

const Reading* ReadingOf(const Snapshot& snapshot, const InstanceId& id) {
  for (const auto& entry : snapshot.entries) {
    if (*entry.instance == id) return entry.reading.get();
  }
  return nullptr;
}

// What a collector's own success says of its server, where no probe looks at one.
Finding FromCollector(const InstanceState& state, bool old) {
  Finding found;
  found.status = !state.has_run || old ? "unknown" : state.up ? "healthy" : "unhealthy";
  found.message = state.up ? "answers" : state.last_error;
  if (old || !state.has_run) found.message = "not asked yet, or not lately";
  if (state.has_run) found.milliseconds = state.duration_seconds * 1000;
  return found;
}

Findings Gather(const Snapshot& snapshot, const std::vector<InstanceState>& states, Timestamp now,
                const HealthOptions& options) {
  Findings findings;
  for (const auto& state : states) {
    if (state.id.collector != "probe") continue;
    const Reading* const reading = ReadingOf(snapshot, state.id);
    if (reading && !IsOld(state, reading->time, now, options, findings)) {
      TakeProbes(*reading, findings);
      continue;
    }
    findings.services[state.id.name] = {"unknown", -1, "not probed yet, or not lately"};
  }
  const bool database_probed = findings.database.configured();
  const bool cache_probed = findings.cache.configured();
  for (const auto& state : states) {
    const bool database = state.id.collector == "postgres" && !database_probed;
    const bool cache = state.id.collector == "redis" && !cache_probed;
    if (!database && !cache) continue;
    const bool old = IsOld(state, state.last_run, now, options, findings);
    Findings::Take(database ? findings.database : findings.cache, FromCollector(state, old));
  }
  return findings;
}

void Write(text::JsonWriter& json, const Finding& finding) {
  json.BeginObject();
  json.Field("status", finding.status);
  if (finding.milliseconds >= 0) {
    json.Key("response_time").Number(std::round(finding.milliseconds * 100) / 100);
  }
  if (!finding.message.empty()) json.Field("message", finding.message);
  json.EndObject();
}

void WriteDetails(text::JsonWriter& json, const Findings& findings) {
  json.Key("database");
  Write(json, findings.database);
  json.Key("cache");
  Write(json, findings.cache);
  json.Key("external_services");
  if (findings.services.empty()) {
    Write(json, Finding());
    return;
  }
  json.BeginObject();
  for (const auto& [name, finding] : findings.services) {
    json.Key(name);
    Write(json, finding);
  }
  json.EndObject();
}

}  // namespace

http::Response HealthAnswer(const Snapshot& snapshot, const std::vector<InstanceState>& states,
                            Timestamp now, const HealthOptions& options, bool details) {
  const auto findings = Gather(snapshot, states, now, options);
  const auto fine = [](const Finding& finding) {
    return !finding.configured() || finding.healthy();
  };
  bool healthy = fine(findings.database) && fine(findings.cache);
  for (const auto& [name, finding] : findings.services) healthy = healthy && fine(finding);

  std::string text;
  text::JsonWriter json(text);
  json.BeginObject();
  if (details) WriteDetails(json, findings);
  json.Field("overall_status", healthy ? "healthy" : "unhealthy");
  json.Field("timestamp", promql::FormatRfc3339(now));
  if (details) {
    if (findings.max_age_seconds > 0) {
      json.Key("max_age_seconds").Number(findings.max_age_seconds);
    }
    json.Field("version", kVersion);
  }
  json.EndObject();
  auto response = http::Response::Json(healthy ? 200 : 503, text + "\n");
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

void AddHealth(http::Router& router, collectors::Scheduler& scheduler, const Clock& clock,
               const HealthOptions& options) {
  router.Get("/health", [&scheduler, &clock, options](const http::Request& request) {
    // Findings older than half their interval are renewed, as for a scrape.
    const auto snapshot = scheduler.Scrape([](const InstanceId& id) {
      return id.collector == "probe" || id.collector == "postgres" || id.collector == "redis";
    });
    const bool details = !options.private_details || !request.user.empty();
    return HealthAnswer(snapshot, scheduler.States(), clock.Wall(), options, details);
  });
}

bool OnlyLoopback(const std::vector<std::string>& listen) {
  return std::all_of(listen.begin(), listen.end(), [](const std::string& address) {
    return address.starts_with("127.") || address.starts_with("[::1]") ||
           address.starts_with("localhost:") || address.starts_with("unix:");
  });
}

}  // namespace vigia::exporter
