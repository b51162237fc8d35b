#include "exporter/cli/backtest.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "alerting/dispatch/rehearsal.h"
#include "alerting/rules/backtest.h"
#include "alerting/rules/files.h"
#include "core/clock.h"
#include "core/text/json.h"
#include "exporter/api/parameters.h"
#include "exporter/cli/backtest_baselines.h"
#include "exporter/cli/exit.h"
#include "exporter/cli/remote_samples.h"
#include "exporter/cli/selector_text.h"
#include "exporter/config/alerting.h"
#include "exporter/config/baselines.h"
#include "query/history/history.h"
#include "query/promql/format.h"

namespace vigia::exporter::cli {
namespace {

namespace dispatch = alerting::dispatch;
namespace rules = alerting::rules;

// What routing made of the incidents.
struct Messages {
  std::map<std::pair<std::string, std::string>, dispatch::MessageCount> counts;
  dispatch::Rehearsal::HeldBack held_back;
  std::vector<std::string> silent;  // receivers that got none
};

struct Range {
  Timestamp from = 0;
  Timestamp to = 0;
};

Result<Range> ReadRange(const BacktestCommand& command) {
  const auto since = ParseDuration(command.since);
  if (!since) return Fail(since.error().In("--since"));
  Timestamp to = SystemClock().Wall();
  if (!command.until.empty()) {
    const auto time = api::ParseTime(command.until);
    if (!time) return Fail(ErrorCode::kInvalid, "--until: '" + command.until + "' is no time");
    to = *time;
  }
  return Range{to - since->count(), to};
}

// How far before its evaluation a rule looks.
std::int64_t ReachOf(const promql::Expr& expr) {
  std::int64_t own = 0;
  if (expr.kind == promql::NodeKind::kMatrixSelector) {
    own = static_cast<const promql::MatrixSelector&>(expr).window;
  } else if (expr.kind == promql::NodeKind::kSubquery) {
    const auto& subquery = static_cast<const promql::Subquery&>(expr);
    own = subquery.window + std::max<std::int64_t>(0, subquery.shift.offset);
  } else if (expr.kind == promql::NodeKind::kVectorSelector) {
    own = std::max<std::int64_t>(0, static_cast<const promql::VectorSelector&>(expr).shift.offset);
  }
  std::int64_t deepest = 0;
  promql::VisitChildren(
      expr, [&](const promql::Expr& child) { deepest = std::max(deepest, ReachOf(child)); });
  return own + deepest;
}

Result<std::unique_ptr<promql::MemorySource>> FetchAll(
    const std::vector<rules::GroupDefinition>& groups,
    const std::set<std::string, std::less<>>& replaced, const std::string& url, Range range) {
  constexpr std::int64_t kLookback = 300'000;
  std::map<std::string, std::int64_t> selectors;
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      const auto reach = ReachOf(rule->query->root()) + kLookback;
      for (const auto* selector : rule->query->Selectors()) {
        if (replaced.contains(selector->name)) continue;
        auto& known = selectors[SelectorText(*selector)];
        known = std::max(known, reach);
      }
    }
  }
  auto out = std::make_unique<promql::MemorySource>();
  HttpClient client({.max_body_bytes = std::size_t{1} << 30});
  for (const auto& [selector, reach] : selectors) {
    const TimeRange wanted{range.from - reach, range.to};
    if (auto status = FetchSamples(client, url, selector, wanted, *out); !status) {
      return Fail(status.error());
    }
  }
  return out;
}

void WriteBurst(text::JsonWriter& json, std::string_view key,
                const dispatch::MessageCount::Burst& burst) {
  json.Key(key).BeginObject();
  json.Key("messages").Integer(static_cast<std::int64_t>(burst.messages));
  json.Field("from", promql::FormatRfc3339(burst.from)).EndObject();
}

void WriteMessages(text::JsonWriter& json, const Messages& messages) {
  json.Key("receivers").BeginArray();
  for (const auto& [who, count] : messages.counts) {
    json.BeginObject().Field("receiver", who.first).Field("integration", who.second);
    json.Key("messages").Integer(static_cast<std::int64_t>(count.messages));
    json.Key("byReason").BeginObject();
    for (const auto& [reason, number] : count.by_reason) {
      json.Key(reason).Integer(static_cast<std::int64_t>(number));
    }
    json.EndObject();
    WriteBurst(json, "mostInAMinute", count.in_minute);
    WriteBurst(json, "mostInAnHour", count.in_hour);
    json.EndObject();
  }
  json.EndArray().Key("silentReceivers").BeginArray();
  for (const auto& name : messages.silent) json.String(name);
  json.EndArray();
  json.Key("alertsInhibited").Integer(static_cast<std::int64_t>(messages.held_back.inhibited));
  json.Key("groupsMuted").Integer(static_cast<std::int64_t>(messages.held_back.muted));
}

void PrintMessages(const Messages& messages) {
  std::printf("messages:\n");
  for (const auto& [who, count] : messages.counts) {
    std::string reasons;
    for (const auto& [reason, number] : count.by_reason) {
      reasons += (reasons.empty() ? "" : ", ") + std::to_string(number) + " " + reason;
    }
    std::printf("  %s (%s): %zu (%s); at most %zu in a minute (%s), %zu in an hour (%s)\n",
                who.first.c_str(), who.second.c_str(), count.messages, reasons.c_str(),
                count.in_minute.messages, promql::FormatRfc3339(count.in_minute.from).c_str(),
                count.in_hour.messages, promql::FormatRfc3339(count.in_hour.from).c_str());
  }
  for (const auto& name : messages.silent) std::printf("  %s: none\n", name.c_str());
  if (messages.held_back.inhibited > 0) {
    std::printf("  kept back by inhibition: %zu alerts\n", messages.held_back.inhibited);
  }
  if (messages.held_back.muted > 0) {
    std::printf("  kept back by time intervals: %zu times a group\n", messages.held_back.muted);
  }
}

Messages CountedBy(const dispatch::Rehearsal& rehearsal, const dispatch::Plan& plan) {
  Messages out{.counts = dispatch::CountMessages(rehearsal.messages()),
               .held_back = rehearsal.held_back(),
               .silent = {}};
  for (const auto& [name, integrations] : plan.receivers) {
    const bool told =
        std::any_of(out.counts.begin(), out.counts.end(),
                    [&, &receiver = name](const auto& one) { return one.first.first == receiver; });
    if (!told) out.silent.push_back(name);
  }
  return out;
}

void PrintJson(const rules::Backtest& result, const std::vector<Rehearsed>& baselines,
               const Messages& messages) {
  std::string out;
  text::JsonWriter json(out);
  const auto labels = [&](std::string_view key, const Labels& set) {
    json.Key(key).BeginObject();
    for (const auto [name, value] : set) json.Field(name, value);
    json.EndObject();
  };
  json.BeginObject().Key("incidents").BeginArray();
  for (const auto& one : result.incidents) {
    json.BeginObject();
    json.Field("alert", one.alert).Field("group", one.group);
    labels("labels", one.labels);
    labels("annotations", one.annotations);
    json.Field("pendingAt", promql::FormatRfc3339(one.pending_at));
    json.Field("firedAt", promql::FormatRfc3339(one.fired_at));
    if (one.resolved_at != 0) json.Field("resolvedAt", promql::FormatRfc3339(one.resolved_at));
    json.Key("value").Number(one.value);
    json.EndObject();
  }
  json.EndArray().Key("ticks").Integer(static_cast<std::int64_t>(result.ticks));
  WriteRehearsed(baselines, json);
  WriteMessages(json, messages);
  json.EndObject();
  std::printf("%s\n", out.c_str());
}

void PrintText(const rules::Backtest& result, Range range) {
  struct Sum {
    std::size_t count = 0;
    std::int64_t firing = 0;
  };
  std::map<std::string, Sum> sums;
  for (const auto& one : result.incidents) {
    const Timestamp end = one.resolved_at != 0 ? one.resolved_at : range.to;
    const auto lasted = Milliseconds((end - one.fired_at) / 1000 * 1000);
    std::printf("%s  %-10s  %s%s\n", promql::FormatRfc3339(one.fired_at).c_str(),
                FormatDuration(lasted).c_str(), one.labels.ToString().c_str(),
                one.resolved_at != 0 ? "" : "  still firing");
    Sum& sum = sums[one.alert];
    ++sum.count;
    sum.firing += lasted.count();
  }
  if (!result.incidents.empty()) std::printf("\n");
  std::printf("%s to %s: %zu incidents, %zu evaluations of groups\n",
              promql::FormatRfc3339(range.from).c_str(), promql::FormatRfc3339(range.to).c_str(),
              result.incidents.size(), result.ticks);
  for (const auto& [alert, sum] : sums) {
    std::printf("  %s: %zu, firing for %s in all\n", alert.c_str(), sum.count,
                FormatDuration(Milliseconds(sum.firing)).c_str());
  }
}

int Fatal(const std::string& message, int code) {
  std::fprintf(stderr, "vigia: backtest: %s\n", message.c_str());
  return code;
}

}  // namespace

int RunBacktestCommand(const BacktestCommand& command) {
  const auto range = ReadRange(command);
  if (!range) return Fatal(range.error().message(), kExitUsage);
  const auto step = ParseDuration(command.step);
  if (!step || step->count() <= 0) return Fatal("--step has to be a duration", kExitUsage);
  config::Diagnostics diagnostics(command.config.string());
  const auto routing =
      command.config.empty() ? DefaultAlerting() : LoadAnyAlerting(command.config, diagnostics);
  if (!routing) {
    std::fprintf(stderr, "%s", diagnostics.ToString().c_str());
    return kExitUsage;
  }
  const auto loaded = rules::LoadRuleFiles(command.files, ".");
  for (const auto& file : loaded.unmatched) return Fatal(file + ": no such file", kExitUsage);
  for (const auto& fault : loaded.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!loaded.faults.empty()) return kExitError;

  const auto definitions =
      BaselinesOf(loaded.groups, LoadAnyBaselines(command.config, diagnostics));
  const auto metrics =
      definitions.empty() ? std::set<std::string, std::less<>>() : BaselineMetricsOf(loaded.groups);
  std::string url = command.url;
  while (url.ends_with('/')) url.pop_back();

  std::unique_ptr<history::History> history;
  std::unique_ptr<promql::MemorySource> fetched;
  if (!command.data_dir.empty()) {
    history::Options options;
    options.folder = command.data_dir / "history";
    options.retention = std::chrono::hours(24 * 3650);
    auto opened = history::History::Open(std::move(options), SystemClock());
    if (!opened) return Fatal(opened.error().message(), kExitError);
    history = *std::move(opened);
  } else {
    auto samples = FetchAll(loaded.groups, metrics, url, *range);
    if (!samples) return Fatal(samples.error().message(), kExitError);
    fetched = *std::move(samples);
  }
  const SeriesSource& source = history ? static_cast<const SeriesSource&>(*history) : *fetched;
  Rerun rerun;
  if (!definitions.empty()) {
    rerun = RerunBaselines(definitions, metrics, {history.get(), command.data_dir, url},
                           range->from, range->to);
  }
  const promql::Engine engine{{}};
  dispatch::Rehearsal rehearsal(routing->plan, routing->dispatch, range->from);
  const auto result =
      rules::RunBacktest(loaded.groups, source, engine,
                         {.from = range->from,
                          .to = range->to,
                          .step = *step,
                          .alerts = &rehearsal,
                          .until = [&](Timestamp time) { rehearsal.AdvanceTo(time); },
                          .computed = rerun.series.get(),
                          .replaced = metrics});
  const auto messages = CountedBy(rehearsal, *routing->plan);
  for (const auto& error : result.errors) std::fprintf(stderr, "%s\n", error.c_str());
  if (command.json) {
    PrintJson(result, rerun.baselines, messages);
  } else {
    PrintText(result, *range);
    if (!rerun.baselines.empty()) PrintRehearsed(rerun.baselines, range->from, stdout);
    PrintMessages(messages);
  }
  return kExitFine;
}

}  // namespace vigia::exporter::cli
