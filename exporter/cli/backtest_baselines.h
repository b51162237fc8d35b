// Baselines in a backtest: those that the rules read are run over the past first.

#pragma once

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "alerting/baseline/book.h"
#include "alerting/rules/rule_file.h"
#include "core/text/json.h"
#include "exporter/baselines/rerun.h"

namespace vigia::exporter::cli {

// Where the samples of a backtest come from: `history` if there is one, else the API at `url`.
struct PastSource {
  const SeriesSource* history = nullptr;
  std::filesystem::path data_dir;  // of the history; its deploys and maintenance count
  std::string url;
};

// The metrics of baselines that the rules read, by name.
std::set<std::string, std::less<>> BaselineMetricsOf(
    const std::vector<alerting::rules::GroupDefinition>& groups);

// Of `definitions` those that the rules ask for by the label `baseline`, or all: a change names
// what else has changed.
std::vector<alerting::baseline::Definition> BaselinesOf(
    const std::vector<alerting::rules::GroupDefinition>& groups,
    const std::vector<alerting::baseline::Definition>& definitions);

// Runs them over [from, to]. `metrics` are what BaselineMetricsOf() gave.
Rerun RerunBaselines(const std::vector<alerting::baseline::Definition>& definitions,
                     std::set<std::string, std::less<>> metrics, const PastSource& source,
                     Timestamp from, Timestamp to);

// What each has learnt from.
void PrintRehearsed(const std::vector<Rehearsed>& baselines, Timestamp from, std::FILE* out);
void WriteRehearsed(const std::vector<Rehearsed>& baselines, text::JsonWriter& json);

}  // namespace vigia::exporter::cli
