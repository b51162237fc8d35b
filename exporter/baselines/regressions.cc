#include "exporter/baselines/regressions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text/json.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

// Changes within this time of another may have the same cause.
constexpr std::int64_t kTogether = 30 * 60;
constexpr std::size_t kMostSuspects = 10;
constexpr std::size_t kMostRemembered = 1000;
constexpr std::size_t kMostTold = 1'000'000;

bool Holds(const baseline::Line& line) {
  return line.verdict.state == baseline::State::kRegression ||
         line.verdict.state == baseline::State::kImprovement;
}

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

struct Suspect {
  const std::string* baseline;
  const baseline::Line* line;
  double weight;  // how much it changed, and how unlike its past that is
};

// The other series that began to differ at about the same time, the most different first.
std::vector<Suspect> SuspectsOf(const Regressions::Pages& pages, const baseline::Line& line) {
  std::vector<Suspect> suspects;
  for (const auto& [name, page] : pages) {
    for (const auto& other : page->lines) {
      if (&other == &line || !Holds(other)) continue;
      if (std::abs(other.verdict.since - line.verdict.since) > kTogether) continue;
      const double weight = std::abs(std::log1p(other.verdict.change)) * (1 + other.verdict.score);
      suspects.push_back({&name, &other, weight});
    }
  }
  std::sort(suspects.begin(), suspects.end(),
            [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
  return suspects;
}

void WriteLabels(text::JsonWriter& json, const Labels& labels) {
  json.Key("labels").BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

std::string Details(const std::string& name, const baseline::Line& line,
                    const Regressions::Pages& pages, const std::optional<Deploy>& deploy) {
  std::string out;
  text::JsonWriter json(out);
  json.BeginObject().Field("text", DescribeChange(name, line, deploy));
  json.Key("change").Number(line.verdict.change).Key("value").Number(line.value);
  json.Key("expected").Number(line.verdict.expected);
  json.Key("since").Integer(line.verdict.since * 1000);
  if (deploy) json.Field("version", deploy->version).Key("deployed").Integer(deploy->time);
  json.Key("suspects").BeginArray();
  for (const auto& [suspect, other, weight] : SuspectsOf(pages, line)) {
    json.BeginObject().Field("baseline", *suspect);
    WriteLabels(json, other->labels);
    json.Key("change").Number(other->verdict.change);
    json.Key("since").Integer(other->verdict.since * 1000).EndObject();
  }
  json.EndArray().EndObject();
  return out;
}

}  // namespace

std::string DescribeChange(const std::string& name, const baseline::Line& line,
                           const std::optional<Deploy>& deploy) {
  const auto& verdict = line.verdict;
  char change[32];
  std::snprintf(change, sizeof change, "%+.0f %%", verdict.change * 100);
  std::string text = deploy ? "since " + deploy->version + ": " : std::string();
  text += std::string(change) + " on " + name + line.labels.ToString() + " (" +
          Short(verdict.expected) + " -> " + Short(line.value) + ")";
  if (!deploy) return text;
  const auto minutes = (verdict.since * 1000 - deploy->time) / 60'000;
  if (minutes <= 0) return text + ", with the deploy";
  return text + ", " + std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes") +
         " after the deploy";
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
    // Newest first: what is there already is newer.
    told_.try_emplace(
        {std::string(event.labels.Get("baseline")), labels.Build().ToString()},
        Told{details["since"].get<std::int64_t>() / 1000, details.value("text", std::string())});
  }
}

void Regressions::Look(const Pages& pages, Timestamp now) {
  std::vector<Change> lasting;
  for (const auto& [name, page] : pages) {
    for (const auto& line : page->lines) {
      if (Holds(line)) lasting.push_back(Tell(name, line, pages, now));
    }
  }
  if (told_.size() > kMostTold)
    told_.clear();  // of series long gone; those that last are told again
  const std::lock_guard lock(mutex_);
  lasting_ = std::move(lasting);
}

// Once for each change.
Change Regressions::Tell(const std::string& name, const baseline::Line& line, const Pages& pages,
                         Timestamp now) {
  const auto& verdict = line.verdict;
  LabelsBuilder labels(line.labels);
  labels.Set("baseline", name);
  Change change{.labels = labels.Build(),
                .worse = verdict.state == baseline::State::kRegression,
                .size = verdict.change,
                .text = {}};
  auto& told = told_[{name, line.labels.ToString()}];
  if (told.since != verdict.since) {
    const auto deploy = marks_.DeployNear(verdict.since * 1000);
    told = {verdict.since, DescribeChange(name, line, deploy)};
    journal_.Add({.time = now,
                  .type = change.worse ? "baseline.regression" : "baseline.improvement",
                  .labels = change.labels,
                  .details = Details(name, line, pages, deploy)});
  }
  change.text = told.text;
  return change;
}

std::vector<Change> Regressions::Lasting() const {
  const std::lock_guard lock(mutex_);
  return lasting_;
}

}  // namespace vigia::exporter
