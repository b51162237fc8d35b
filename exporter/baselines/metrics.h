// What baselines say as metrics of the page, and what they say of themselves.

#pragma once

#include <memory>
#include <span>

#include "alerting/baseline/book.h"
#include "collectors/collector.h"
#include "exporter/baselines/marks.h"
#include "exporter/baselines/regressions.h"

namespace vigia::exporter {

// Of the series: vigia_baseline_expected and so on. The book writes them into the history itself.
std::span<const Metric> BaselineSeriesMetrics();
// `book` outlives it.
std::unique_ptr<collectors::Collector> MakeBaselineSeries(const alerting::baseline::Book& book);

// Of the baselines, and of what was declared.
std::span<const Metric> BaselineMetrics();
// All of them outlive it.
std::unique_ptr<collectors::Collector> MakeBaselineMetrics(const alerting::baseline::Book& book,
                                                           const Marks& marks,
                                                           const Regressions& regressions);

}  // namespace vigia::exporter
