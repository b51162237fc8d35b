#include "exporter/cli/metrics.h"

#include <prometheus/registry.h>

#include <map>
#include <string_view>
#include <vector>

#include "collectors/kind.h"
#include "exporter/alertmanagers_metrics.h"
#include "exporter/baselines/metrics.h"
#include "exporter/history_metrics.h"
#include "exporter/own_metrics.h"
#include "exporter/remote_write_metrics.h"
#include "exporter/routing/metrics.h"
#include "exporter/rules/component.h"
#include "exporter/self_collector.h"

namespace vigia::exporter::cli {
namespace {

// A cell of a Markdown table: a bar would end it, and angle brackets would be HTML.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

void AppendTable(std::string& out, std::span<const Metric> metrics) {
  std::map<std::string_view, const Metric*> sorted;
  for (const auto& metric : metrics) sorted.emplace(metric.name, &metric);
  out += "| metric | type | unit | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& [name, metric] : sorted) {
    out += "| `" + std::string(name) + "` | " + std::string(TypeNameInText(metric->type)) + " | " +
           std::string(metric->unit) + " | " + Cell(metric->help) + " |\n";
  }
}

}  // namespace

std::string MetricsPage() {
  std::string out =
      "# Metrics\n\n"
      "Every metric that vigia can emit, by collector; printed by `vigia metrics`. A part in "
      "angle\n"
      "brackets stands for a word that the source decides.\n";
  for (const auto& kind : collectors::Kinds()) {
    out += "\n## " + std::string(kind.name) + "\n\n" + std::string(kind.summary) + "\n";
    for (const auto& part : collectors::MakeDefaultParts(kind)) {
      if (part.impl->Metrics().empty()) continue;
      if (part.collector != kind.name) out += "\n### " + part.collector + "\n";
      out += '\n';
      AppendTable(out, part.impl->Metrics());
    }
  }
  prometheus::Registry registry;
  const auto self =
      MakeSelfCollector(registry, [] { return std::vector<collectors::InstanceState>{}; });
  out += "\n## vigia\n\nvigia itself: its process, its collectors, its parts\n\n";
  std::vector<Metric> own(self->Metrics().begin(), self->Metrics().end());
  own.insert(own.end(), kOwnMetrics.begin(), kOwnMetrics.end());
  AppendTable(out, own);
  out += "\n### vigia.history\n\n";
  AppendTable(out, HistoryMetrics());
  out += "\n### vigia.baselines\n\n";
  AppendTable(out, BaselineMetrics());
  out += "\n### vigia.baseline_series\n\n";
  AppendTable(out, BaselineSeriesMetrics());
  out += "\n### vigia.remote_write\n\n";
  AppendTable(out, RemoteWriteMetrics());
  out += "\n### vigia.rules\n\n";
  AppendTable(out, RuleMetrics());
  out += "\n### vigia.alerting\n\n";
  AppendTable(out, routing::AlertingMetrics());
  out += "\n### vigia.alertmanagers\n\n";
  AppendTable(out, AlertmanagersMetrics());
  return out;
}

}  // namespace vigia::exporter::cli
