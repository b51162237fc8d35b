#include "exporter/cli/check_rules.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "collectors/kind.h"
#include "core/clock.h"
#include "core/http_client.h"
#include "exporter/alertmanagers_metrics.h"
#include "exporter/baselines/metrics.h"
#include "exporter/cli/selector_text.h"
#include "exporter/history_metrics.h"
#include "exporter/remote_write_metrics.h"
#include "exporter/rules/component.h"

namespace vigia::exporter::cli {
namespace {

namespace rules = alerting::rules;

std::map<std::string, MetricType, std::less<>> KnownTypes() {
  std::map<std::string, MetricType, std::less<>> out;
  const auto add = [&](std::span<const Metric> metrics) {
    for (const auto& metric : metrics) out.emplace(metric.name, metric.type);
  };
  for (const auto& kind : collectors::Kinds()) {
    for (const auto& part : collectors::MakeDefaultParts(kind)) add(part.impl->Metrics());
  }
  add(HistoryMetrics());
  add(RemoteWriteMetrics());
  add(AlertmanagersMetrics());
  add(BaselineMetrics());
  add(BaselineSeriesMetrics());
  add(RuleMetrics());
  return out;
}

// Asks a server whether selectors match anything; each is asked once.
class SeriesProbe {
 public:
  explicit SeriesProbe(std::string url) : url_(std::move(url)) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Result<bool> Matches(const std::string& selector) {
    const auto known = known_.find(selector);
    if (known != known_.end()) return known->second;
    auto answer = Ask(selector);
    if (answer) known_.emplace(selector, *answer);
    return answer;
  }

 private:
  Result<bool> Ask(const std::string& selector) {
    const Timestamp now = SystemClock().Wall() / 1000;
    auto url = AddUrlParameters(url_ + "/api/v1/series", {{"match[]", selector},
                                                          {"start", std::to_string(now - 86400)},
                                                          {"end", std::to_string(now)},
                                                          {"limit", "1"}});
    if (!url) return Fail(url.error());
    auto response = client_.Get(*url, Deadline::After(SystemClock(), std::chrono::seconds(10)));
    if (!response) return Fail(response.error().In(url_));
    const auto json = nlohmann::json::parse(response->body, nullptr, false);
    const auto data = json.is_object() ? json.find("data") : json.end();
    if (response->status != 200 || data == json.end() || !data->is_array()) {
      return Fail(ErrorCode::kUnavailable,
                  url_ + ": answers " + std::to_string(response->status) + " to " + selector);
    }
    return !data->empty();
  }

  std::string url_;
  HttpClient client_;
  std::map<std::string, bool> known_;
};

}  // namespace

std::vector<rules::Finding> LintRules(const std::vector<rules::GroupDefinition>& groups) {
  const auto types = KnownTypes();
  rules::LintOptions options;
  options.type_of = [&](std::string_view name) {
    const auto known = types.find(name);
    if (known != types.end()) return known->second;
    return name.ends_with("_total") ? MetricType::kCounter : MetricType::kUnknown;
  };
  return rules::Lint(groups, options);
}

Result<std::vector<rules::Finding>> FindDeadSelectors(
    const std::vector<rules::GroupDefinition>& groups, const std::string& url) {
  std::set<std::string> recorded{"ALERTS", "ALERTS_FOR_STATE"};
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      if (rule->kind == rules::RuleDefinition::Kind::kRecording) recorded.insert(rule->name);
    }
  }
  SeriesProbe probe(url);
  std::vector<rules::Finding> out;
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      std::set<std::string> seen;
      for (const auto* selector : rule->query->Selectors()) {
        const auto text = SelectorText(*selector);
        if (recorded.contains(selector->name) || !seen.insert(text).second) continue;
        auto matches = probe.Matches(text);
        if (!matches) return Fail(matches.error());
        if (*matches) continue;
        auto named = selector->name.empty() || selector->name == text
                         ? Result<bool>(false)
                         : probe.Matches(selector->name);
        if (!named) return Fail(named.error());
        out.push_back({group.file, rule->expression_position,
                       rule->name + ": " + text + " matches no series of the last day" +
                           (*named ? ", although there is " + selector->name : "")});
      }
    }
  }
  return out;
}

}  // namespace vigia::exporter::cli
