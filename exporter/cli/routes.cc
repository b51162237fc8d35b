#include "exporter/cli/routes.h"

#include <cstdio>

#include "core/duration.h"
#include "core/labels.h"
#include "exporter/cli/exit.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter::cli {
namespace {

std::string Names(const alerting::route::Route& route) {
  if (route.group_by_all) return "all labels";
  std::string out;
  for (const auto& name : route.group_by) out += (out.empty() ? "" : ",") + name;
  return out.empty() ? "nothing" : out;
}

void Print(const alerting::route::Route& route, const Labels& labels) {
  std::printf(
      "%s\n  route: %s\n  grouped by: %s\n  group_wait %s, group_interval %s, "
      "repeat_interval %s\n",
      route.receiver.c_str(), route.key.c_str(), Names(route).c_str(),
      FormatDuration(route.group_wait).c_str(), FormatDuration(route.group_interval).c_str(),
      FormatDuration(route.repeat_interval).c_str());
  std::printf("  group: %s\n", route.GroupLabels(labels).ToString().c_str());
  for (const auto& name : route.mute_time_intervals) std::printf("  muted in: %s\n", name.c_str());
  for (const auto& name : route.active_time_intervals) {
    std::printf("  active in: %s\n", name.c_str());
  }
}

}  // namespace

int TestRoutes(const std::string& file, const std::vector<std::string>& labels,
               const std::string& expected) {
  LabelsBuilder builder;
  for (const auto& label : labels) {
    const auto equals = label.find('=');
    if (equals == 0 || equals == label.npos) {
      std::fprintf(stderr, "vigia: '%s' is not a label: write key=value\n", label.c_str());
      return kExitUsage;
    }
    builder.Set(label.substr(0, equals), label.substr(equals + 1));
  }
  config::Diagnostics diagnostics(file);
  const auto config = LoadAnyAlerting(file, diagnostics);
  if (!config) {
    std::fputs(diagnostics.ToString().c_str(), stderr);
    return kExitError;
  }
  const auto alert = builder.Build();
  std::string receivers;
  for (const auto* route : config->plan->config.tree.Match(alert)) {
    receivers += (receivers.empty() ? "" : ",") + route->receiver;
    Print(*route, alert);
  }
  if (expected.empty() || expected == receivers) return kExitFine;
  std::printf("expected %s, but the alert goes to %s\n", expected.c_str(), receivers.c_str());
  return kExitFindings;
}

}  // namespace vigia::exporter::cli
