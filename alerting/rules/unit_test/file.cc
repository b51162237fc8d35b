#include "alerting/rules/unit_test/file.h"

#include <time.h>

#include <algorithm>
#include <cstdio>

#include "core/config/reader.h"
#include "core/config/yaml.h"
#include "core/number.h"

namespace vigia::alerting::rules {
namespace {

using config::Diagnostics;
using config::MapReader;
using config::Node;

constexpr config::YamlLimits kLimits{.max_bytes = std::size_t{64} << 20, .max_nodes = 2'000'000};

// Reads one test file; knows whether unknown keys are faults.
class FileReader {
 public:
  FileReader(Diagnostics& diagnostics, bool ignore_unknown)
      : diagnostics_(diagnostics), ignore_unknown_(ignore_unknown) {}

  UnitTestFile Read(const Node& root);

 private:
  void Finish(MapReader& map) {
    if (!ignore_unknown_) map.Finish();
  }
  bool ReadDuration(MapReader& map, std::string_view key, Milliseconds& out);
  Labels ReadLabels(MapReader& map, std::string_view key);
  template <typename Take>
  void ForEach(MapReader& map, std::string_view key, Take&& take);

  UnitTest ReadTest(const Node& node, const UnitTestFile& file);
  void ReadStart(MapReader& map, UnitTest& test);
  void ReadSeries(const Node& node, UnitTest& test);
  AlertCase ReadAlertCase(const Node& node);
  ExpressionCase ReadExpressionCase(const Node& node);

  Diagnostics& diagnostics_;
  const bool ignore_unknown_;
};

bool FileReader::ReadDuration(MapReader& map, std::string_view key, Milliseconds& out) {
  const Node* node = map.node().Find(key);
  std::string text;
  if (!map.Read(key, text)) return false;
  const auto duration = ParseDuration(text);
  if (!duration) {
    diagnostics_.Add(node->position, duration.error().In(key).message());
    return false;
  }
  out = *duration;
  return true;
}

Labels FileReader::ReadLabels(MapReader& map, std::string_view key) {
  const Node* node = map.Child(key);
  if (!node || node->IsNull()) return {};
  if (!node->IsMap()) {
    map.Fault(key, "has to be a map of names and values");
    return {};
  }
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : node->entries) pairs.push_back({name.text, value.text});
  return Labels::FromPairs(pairs);
}

template <typename Take>
void FileReader::ForEach(MapReader& map, std::string_view key, Take&& take) {
  const Node* node = map.Child(key);
  if (!node || node->IsNull()) return;
  if (!node->IsList()) {
    map.Fault(key, "has to be a list");
    return;
  }
  for (const auto& item : node->items) take(item);
}

void FileReader::ReadStart(MapReader& map, UnitTest& test) {
  std::string text;
  if (!map.Read("start_timestamp", text)) return;
  if (const auto seconds = ParseDouble(text)) {
    test.start = static_cast<Timestamp>(*seconds * 1000);
    return;
  }
  tm time{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%dZ%n", &time.tm_year, &time.tm_mon, &time.tm_mday,
                  &time.tm_hour, &time.tm_min, &time.tm_sec, &used) == 6 &&
      used == static_cast<int>(text.size())) {
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    test.start = static_cast<Timestamp>(::timegm(&time)) * 1000;
    return;
  }
  map.Fault("start_timestamp", "has to be Unix seconds or a time such as 2026-01-31T12:00:00Z");
}

void FileReader::ReadSeries(const Node& node, UnitTest& test) {
  MapReader map(node, diagnostics_, "input_series");
  std::string series;
  std::string values;
  map.Read("series", series);
  map.Read("values", values);
  Finish(map);
  auto line = promql::ParseSeriesLine(series + " " + values);
  if (!line) {
    map.Fault("values", line.error().message());
  } else if (line->native) {
    map.Fault("values", "native histograms are not supported");
  } else {
    test.series.push_back(*std::move(line));
  }
}

AlertCase FileReader::ReadAlertCase(const Node& node) {
  MapReader map(node, diagnostics_, "alert_rule_test");
  AlertCase out;
  ReadDuration(map, "eval_time", out.time);
  if (!map.Read("alertname", out.alert)) map.Require("alertname", "the alert to look at");
  ForEach(map, "exp_alerts", [&](const Node& item) {
    MapReader alert(item, diagnostics_, "exp_alerts");
    LabelsBuilder labels(ReadLabels(alert, "exp_labels"));
    labels.Set("alertname", out.alert);
    out.alerts.push_back({labels.Build(), ReadLabels(alert, "exp_annotations")});
    Finish(alert);
  });
  Finish(map);
  return out;
}

ExpressionCase FileReader::ReadExpressionCase(const Node& node) {
  MapReader map(node, diagnostics_, "promql_expr_test");
  ExpressionCase out;
  ReadDuration(map, "eval_time", out.time);
  if (!map.Read("expr", out.expression)) map.Require("expr", "the expression to evaluate");
  ForEach(map, "exp_samples", [&](const Node& item) {
    MapReader sample(item, diagnostics_, "exp_samples");
    std::string labels;
    ExpectedSample expected;
    sample.Read("labels", labels);
    sample.Read("value", expected.value);
    if (sample.Child("histogram")) sample.Fault("histogram", "native histograms are not supported");
    Finish(sample);
    auto parsed = labels.empty() || labels == "{}" ? Result<Labels>(Labels())
                                                   : promql::ParseSeriesLabels(labels);
    if (!parsed) {
      sample.Fault("labels", parsed.error().message());
      return;
    }
    expected.labels = *std::move(parsed);
    out.samples.push_back(std::move(expected));
  });
  Finish(map);
  return out;
}

UnitTest FileReader::ReadTest(const Node& node, const UnitTestFile& file) {
  MapReader map(node, diagnostics_, "tests");
  UnitTest test;
  test.position = node.position;
  test.interval = file.evaluation_interval;
  map.Read("name", test.name);
  map.Read("interval", test.interval);
  map.Read("external_url", test.external_url);
  test.external_labels = ReadLabels(map, "external_labels");
  ReadStart(map, test);
  ForEach(map, "input_series", [&](const Node& item) { ReadSeries(item, test); });
  ForEach(map, "alert_rule_test",
          [&](const Node& item) { test.alerts.push_back(ReadAlertCase(item)); });
  ForEach(map, "promql_expr_test",
          [&](const Node& item) { test.expressions.push_back(ReadExpressionCase(item)); });
  Finish(map);
  return test;
}

UnitTestFile FileReader::Read(const Node& root) {
  UnitTestFile file;
  file.path = diagnostics_.file();
  MapReader map(root, diagnostics_, "unit test file");
  map.Read("rule_files", file.rule_files);
  map.Read("evaluation_interval", file.evaluation_interval);
  map.Read("group_eval_order", file.group_order);
  for (auto at = file.group_order.begin(); at != file.group_order.end(); ++at) {
    if (std::find(file.group_order.begin(), at, *at) == at) continue;
    map.Fault("group_eval_order", "group name repeated in evaluation order: " + *at);
  }
  map.Read("fuzzy_compare", file.fuzzy);
  ForEach(map, "tests", [&](const Node& item) { file.tests.push_back(ReadTest(item, file)); });
  Finish(map);
  return file;
}

}  // namespace

UnitTestFile LoadUnitTestFile(const std::filesystem::path& path, Diagnostics& diagnostics,
                              bool ignore_unknown_fields) {
  const Node root = config::LoadYaml(path, {.limits = kLimits}, diagnostics);
  if (!diagnostics.ok() && root.IsNull()) return {};
  return FileReader(diagnostics, ignore_unknown_fields).Read(root);
}

}  // namespace vigia::alerting::rules
