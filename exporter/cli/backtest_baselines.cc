#include "exporter/cli/backtest_baselines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/duration.h"
#include "exporter/api/parameters.h"
#include "exporter/baselines/datasource.h"
#include "query/promql/format.h"

namespace vigia::exporter::cli {
namespace {

namespace baseline = alerting::baseline;
namespace rules = alerting::rules;
using nlohmann::json;

constexpr std::int64_t kStepsAtOnce = 1000;

// Whether the selector's matchers of the label `name` fit `value`; true if it has none.
bool MayFit(const promql::VectorSelector& selector, std::string_view name, std::string_view value) {
  std::vector<Matcher> own;
  for (const auto& matcher : selector.matchers) {
    if (matcher.name == name) own.push_back(matcher);
  }
  const LabelView label{name, value};
  return promql::Fits(Labels::FromPairs(std::span(&label, 1)), own);
}

template <typename Visit>
void ForEachSelector(const std::vector<rules::GroupDefinition>& groups, const Visit& visit) {
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      for (const auto* const selector : rule->query->Selectors()) visit(*selector);
    }
  }
}

Status ReadHistory(const SeriesSource& history, const baseline::Definition& definition,
                   baseline::PastRange range, const TakeValue& take) {
  const promql::Engine engine{{}};
  while (range.from <= range.to) {
    const auto last = std::min(range.to, range.from + (kStepsAtOnce - 1) * range.step);
    const auto answer =
        engine.Range(history, *definition.query, range.from, last, Milliseconds(range.step));
    if (!answer) return Fail(ErrorCode::kInvalid, answer.error().message);
    for (std::size_t i = 0; i < answer->value.size(); ++i) {
      const auto labels = baseline::WithoutName(answer->value.labels(i));
      answer->value.ForEachSample(i,
                                  [&](Timestamp time, double value) { take(labels, time, value); });
    }
    range.from = last + range.step;
  }
  return Ok();
}

Status ReadUrl(const std::string& url, const baseline::Definition& definition,
               baseline::PastRange range, const TakeValue& take) {
  DatasourceConfig config;
  config.url = url;
  config.drop_labels.clear();
  return Datasource(config).Read(definition.expression, {range.from, range.to, range.step}, take,
                                 {});
}

std::vector<json> EventsAt(const std::string& url, const std::string& type) {
  const auto address = AddUrlParameters(url + "/api/vigia/v1/events",
                                        {{"type", type}, {"limit", std::to_string(Marks::kMost)}});
  if (!address) return {};
  const auto answer =
      HttpClient().Get(*address, Deadline::After(SystemClock(), std::chrono::seconds(30)));
  if (!answer || answer->status != 200) return {};  // a Prometheus knows of no deploys
  const auto body = json::parse(answer->body, nullptr, false);
  if (!body.is_object() || !body.contains("events") || !body["events"].is_array()) return {};
  return body["events"].get<std::vector<json>>();
}

std::string TextOf(const json& object, const char* member) {
  const bool is_text = object.is_object() && object.contains(member) && object[member].is_string();
  return is_text ? object[member].get<std::string>() : std::string();
}

json DetailsOf(const json& event) {
  const bool any = event.is_object() && event.contains("details") && event["details"].is_object();
  return any ? event["details"] : json::object();
}

void AddMarks(const PastSource& source, RerunOptions& options) {
  if (source.history != nullptr) {
    if (!std::filesystem::exists(source.data_dir / "vigia.db")) return;
    const auto database = alerting::state::Database::Open({source.data_dir}, SystemClock());
    alerting::state::Journal journal(*database, SystemClock());
    Marks marks(journal);
    if (!marks.Load()) return;
    options.deploys = marks.Deploys();
    options.maintenances = marks.Maintenances();
    return;
  }
  for (const auto& event : EventsAt(source.url, "deploy")) {
    const auto time = api::ParseTime(TextOf(event, "time"));
    const auto details = DetailsOf(event);
    if (!time) continue;
    options.deploys.push_back({.time = *time, .version = TextOf(details, "version")});
  }
  for (const auto& event : EventsAt(source.url, "maintenance")) {
    const auto time = api::ParseTime(TextOf(event, "time"));
    const auto details = DetailsOf(event);
    if (!time || !details.contains("end") || !details["end"].is_number_integer()) continue;
    options.maintenances.push_back({.start = *time, .end = details["end"].get<Timestamp>()});
  }
}

}  // namespace

std::set<std::string, std::less<>> BaselineMetricsOf(
    const std::vector<rules::GroupDefinition>& groups) {
  std::vector<std::string_view> names{kChangeMetric};
  for (const auto& output : baseline::Outputs()) names.push_back(output.metric);
  std::set<std::string, std::less<>> out;
  ForEachSelector(groups, [&](const promql::VectorSelector& selector) {
    for (const auto name : names) {
      if (MayFit(selector, "__name__", name)) out.emplace(name);
    }
  });
  return out;
}

std::vector<baseline::Definition> BaselinesOf(
    const std::vector<rules::GroupDefinition>& groups,
    const std::vector<baseline::Definition>& definitions) {
  const auto metrics = BaselineMetricsOf(groups);
  if (metrics.empty()) return {};
  if (metrics.contains(kChangeMetric)) return definitions;
  std::vector<baseline::Definition> out;
  for (const auto& definition : definitions) {
    bool asked = false;
    ForEachSelector(groups, [&](const promql::VectorSelector& selector) {
      const bool reads = std::any_of(metrics.begin(), metrics.end(), [&](const auto& metric) {
        return MayFit(selector, "__name__", metric);
      });
      asked = asked || (reads && MayFit(selector, "baseline", definition.name));
    });
    if (asked) out.push_back(definition);
  }
  return out;
}

Rerun RerunBaselines(const std::vector<baseline::Definition>& definitions,
                     std::set<std::string, std::less<>> metrics, const PastSource& source,
                     Timestamp from, Timestamp to) {
  RerunOptions options{
      .from = from, .to = to, .deploys = {}, .maintenances = {}, .keep = std::move(metrics)};
  AddMarks(source, options);
  const ReadValues read = [&](const baseline::Definition& definition, baseline::PastRange range,
                              const TakeValue& take) {
    return source.history != nullptr ? ReadHistory(*source.history, definition, range, take)
                                     : ReadUrl(source.url, definition, range, take);
  };
  return RunBaselines(definitions, read, std::move(options));
}

void PrintRehearsed(const std::vector<Rehearsed>& baselines, Timestamp from, std::FILE* out) {
  std::fprintf(out, "baselines, learnt anew from what is stored before %s:\n",
               promql::FormatRfc3339(from).c_str());
  for (const auto& one : baselines) {
    std::string text;
    if (one.first == 0) {
      text = "nothing to learn from";
    } else {
      text = std::to_string(one.values) + " values of " + std::to_string(one.known) +
             " series, from " + promql::FormatRfc3339(one.first) + " on";
    }
    text += "; " + std::to_string(one.series) + " series at the end";
    if (one.learning > 0) text += ", " + std::to_string(one.learning) + " of them still learning";
    if (!one.error.empty()) text += "; " + one.error;
    std::fprintf(out, "  %s: %s\n", one.baseline.c_str(), text.c_str());
  }
}

void WriteRehearsed(const std::vector<Rehearsed>& baselines, text::JsonWriter& json) {
  json.Key("baselines").BeginArray();
  for (const auto& one : baselines) {
    json.BeginObject().Field("baseline", one.baseline);
    json.Key("learntSeries").Integer(static_cast<std::int64_t>(one.known));
    json.Key("learntValues").Integer(static_cast<std::int64_t>(one.values));
    if (one.first != 0) json.Field("learntFrom", promql::FormatRfc3339(one.first));
    json.Key("series").Integer(static_cast<std::int64_t>(one.series));
    json.Key("seriesLearning").Integer(static_cast<std::int64_t>(one.learning));
    if (!one.error.empty()) json.Field("error", one.error);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace vigia::exporter::cli
