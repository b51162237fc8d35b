// `vigia baseline ...`: what the baselines make of a series.

#pragma once

#include <cstdio>
#include <string>

#include "alerting/baseline/detector.h"

namespace vigia::exporter::cli {

// Reads "timestamp,value" lines from `in` until its end and answers each on `out`; output is held
// back only while more input is there to be read. Returns the exit code; what is wrong with the
// input is told on stderr with its line.
int ReplayBaseline(const alerting::baseline::Detector::Options& options, int in, std::FILE* out);

}  // namespace vigia::exporter::cli
