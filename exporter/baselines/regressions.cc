#include "exporter/baselines/regressions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/text/json.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

// Changes within this time of another may have the same cause.
constexpr std::int64_t kTogether = 30 * 60;
constexpr std::size_t kMostSuspects = 10;
// A lesser change takes longer to be seen: so long after a change is told, others are laid beside
// it.
constexpr Timestamp kLateSuspects = 60 * 60 * 1000;
constexpr std::size_t kMostRemembered = 1000;
constexpr std::size_t kMostTold = 1'000'000;

bool Holds(const baseline::Line& line) {
  return line.verdict.state == baseline::State::kRegression ||
         line.verdict.state == baseline::State::kImprovement;
}

// What the values of a changed series are like now: the last one alone may be far from that.
double LevelOf(const baseline::Line& line) {
  const auto& verdict = line.verdict;
  return verdict.expected > 0 ? verdict.expected * (1 + verdict.change) : line.value;
}

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// "2026-11-27 14:05 UTC"
std::string MinuteOf(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[48];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

// "+62 % on latency{path="/a"}".
std::string ShortText(const std::string& name, const Labels& labels, double size) {
  char change[32];
  std::snprintf(change, sizeof change, "%+.0f %%", size * 100);
  return std::string(change) + " on " + name + labels.ToString();
}

void WriteLabels(text::JsonWriter& json, const Labels& labels) {
  json.Key("labels").BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

}  // namespace

std::string DescribeChange(const std::string& name, const baseline::Line& line,
                           const std::optional<Deploy>& deploy) {
  const auto& verdict = line.verdict;
  std::string text = deploy ? "since " + deploy->version + ": " : std::string();
  text += ShortText(name, line.labels, verdict.change) + " (" + Short(verdict.expected) + " -> " +
          Short(LevelOf(line)) + ")";
  const auto since = MinuteOf(verdict.since);
  if (!deploy) return text + " since " + since;
  const auto minutes = (verdict.since * 1000 - deploy->time) / 60'000;
  if (minutes <= 0) return text + ", with the deploy (" + since + ")";
  return text + ", " + std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes") +
         " after the deploy (" + since + ")";
}

std::vector<LabelView> ChangeLabels(const Change& change) {
  std::vector<LabelView> out;
  for (const auto [name, value] : change.labels) {
    if (name != "state" && name != "text" && name != "also") out.push_back({name, value});
  }
  out.push_back({"state", change.worse ? "regression" : "improvement"});
  out.push_back({"text", change.text});
  if (!change.also.empty()) out.push_back({"also", change.also});
  return out;
}

std::vector<Regressions::Holding> Regressions::HoldingOf(const Pages& pages) {
  std::vector<Holding> out;
  for (const auto& [name, page] : pages) {
    for (const auto& line : page->lines) {
      if (Holds(line)) out.push_back({&name, &line});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.line->verdict.since < b.line->verdict.since;
  });
  return out;
}

std::vector<Regressions::Suspect> Regressions::SuspectsOf(const std::vector<Holding>& all,
                                                          const Holding& one) {
  const auto since = one.line->verdict.since;
  const auto first = std::partition_point(all.begin(), all.end(), [&](const Holding& other) {
    return other.line->verdict.since < since - kTogether;
  });
  std::vector<Suspect> suspects;
  for (auto other = first; other != all.end(); ++other) {
    const auto& verdict = other->line->verdict;
    if (verdict.since > since + kTogether) break;
    if (other->line == one.line) continue;
    suspects.push_back({*other, std::abs(std::log1p(verdict.change)) * (1 + verdict.score)});
  }
  std::stable_sort(suspects.begin(), suspects.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
  return suspects;
}

std::string Regressions::Details(const Holding& one, const std::vector<Suspect>& suspects,
                                 const std::optional<Deploy>& deploy) {
  const auto& line = *one.line;
  std::string out;
  text::JsonWriter json(out);
  json.BeginObject().Field("text", DescribeChange(*one.baseline, line, deploy));
  json.Key("change").Number(line.verdict.change).Key("value").Number(line.value);
  json.Key("expected").Number(line.verdict.expected);
  json.Key("since").Integer(line.verdict.since * 1000);
  if (deploy) json.Field("version", deploy->version).Key("deployed").Integer(deploy->time);
  json.Key("suspects").BeginArray();
  for (const auto& [other, weight] : suspects) {
    json.BeginObject().Field("baseline", *other.baseline);
    WriteLabels(json, other.line->labels);
    json.Key("change").Number(other.line->verdict.change);
    json.Key("since").Integer(other.line->verdict.since * 1000).EndObject();
  }
  json.EndArray().EndObject();
  return out;
}

void Regressions::AddSuspect(Told& told, const std::string& baseline, const Labels& labels,
                             double change) {
  const auto id = baseline + labels.ToString();
  if (told.suspects.size() >= kMostAlso ||
      std::find(told.suspects.begin(), told.suspects.end(), id) != told.suspects.end()) {
    return;
  }
  told.suspects.push_back(id);
  told.also += (told.also.empty() ? "" : ", ") + ShortText(baseline, labels, change);
}

Regressions::Regressions(alerting::state::Journal& journal, const Marks& marks)
    : journal_(journal), marks_(marks) {
  const auto events = journal_.Query({.type = "baseline.", .limit = kMostRemembered});
  if (!events) return;  // told twice at worst
  for (const auto& event : *events) {
    const auto details = nlohmann::json::parse(event.details, nullptr, false);
    if (!details.is_object() || !details["since"].is_number()) continue;
    LabelsBuilder labels(event.labels);
    labels.Remove("baseline");
    Told told{.since = details["since"].get<std::int64_t>() / 1000,
              .at = event.time,
              .text = details.value("text", std::string())};
    for (const auto& suspect : details.value("suspects", nlohmann::json::array())) {
      if (!suspect.is_object() || !suspect.contains("labels") || !suspect["labels"].is_object()) {
        continue;
      }
      LabelsBuilder own;
      for (const auto& [name, value] : suspect["labels"].items()) {
        if (value.is_string()) own.Set(name, value.get<std::string>());
      }
      AddSuspect(told, suspect.value("baseline", std::string()), own.Build(),
                 suspect.value("change", 0.0));
    }
    // Newest first: what is there already is newer.
    told_.try_emplace({std::string(event.labels.Get("baseline")), labels.Build().ToString()},
                      std::move(told));
  }
}

void Regressions::Look(const Pages& pages, Timestamp now) {
  const auto all = HoldingOf(pages);
  std::vector<Change> lasting;
  for (const auto& one : all) lasting.push_back(Tell(one, all, now));
  if (told_.size() > kMostTold)
    told_.clear();  // of series long gone; those that last are told again
  const std::lock_guard lock(mutex_);
  lasting_ = std::move(lasting);
}

// Once for each change. Others that changed at the same time may be seen a little later: they are
// added for as long as it may take, so that the next notification has them.
Change Regressions::Tell(const Holding& one, const std::vector<Holding>& all, Timestamp now) {
  const auto& [name, line] = one;
  const auto& verdict = line->verdict;
  LabelsBuilder labels(line->labels);
  labels.Set("baseline", *name);
  Change change{.labels = labels.Build(),
                .worse = verdict.state == baseline::State::kRegression,
                .size = verdict.change,
                .text = {},
                .also = {}};
  auto& told = told_[{*name, line->labels.ToString()}];
  const bool is_new = told.since != verdict.since;
  if (is_new || (told.suspects.size() < kMostAlso && now - told.at <= kLateSuspects)) {
    const auto suspects = SuspectsOf(all, one);
    if (is_new) {
      const auto deploy = marks_.DeployNear(verdict.since * 1000);
      told = {verdict.since, now, DescribeChange(*name, *line, deploy), {}, {}};
      journal_.Add({.time = now,
                    .type = change.worse ? "baseline.regression" : "baseline.improvement",
                    .labels = change.labels,
                    .details = Details(one, suspects, deploy)});
    }
    for (const auto& [other, weight] : suspects) {
      AddSuspect(told, *other.baseline, other.line->labels, other.line->verdict.change);
    }
  }
  change.text = told.text;
  change.also = told.also;
  return change;
}

std::vector<Change> Regressions::Lasting() const {
  const std::lock_guard lock(mutex_);
  return lasting_;
}

}  // namespace vigia::exporter
