// Unit tests of rules, in the format of `promtool test rules`. Plain values once read.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/duration.h"
#include "core/labels.h"
#include "core/sample.h"
#include "query/promql/series_notation.h"

namespace vigia::alerting::rules {

struct ExpectedAlert {
  Labels labels;  // "alertname" among them
  Labels annotations;
};

// Which alerts of a name fire at a time.
struct AlertCase {
  Milliseconds time{0};
  std::string alert;
  std::vector<ExpectedAlert> alerts;
};

struct ExpectedSample {
  Labels labels;
  double value = 0;
};

// What an expression gives at a time.
struct ExpressionCase {
  std::string expression;
  Milliseconds time{0};
  std::vector<ExpectedSample> samples;
};

struct UnitTest {
  std::string name;
  Milliseconds interval{0};  // between the values of a series
  Timestamp start = 0;
  std::vector<promql::SeriesLine> series;
  std::vector<AlertCase> alerts;
  std::vector<ExpressionCase> expressions;
  Labels external_labels;
  std::string external_url;
  config::Position position;
};

struct UnitTestFile {
  std::string path;
  std::vector<std::string> rule_files;  // patterns, as the file means them
  Milliseconds evaluation_interval{60'000};
  std::vector<std::string> group_order;
  bool fuzzy = false;  // values may differ by rounding
  std::vector<UnitTest> tests;
};

// Faults go to `diagnostics`, and the tests are then not to be run.
UnitTestFile LoadUnitTestFile(const std::filesystem::path& path, config::Diagnostics& diagnostics,
                              bool ignore_unknown_fields = false);

}  // namespace vigia::alerting::rules
