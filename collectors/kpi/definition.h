// What a collector file says: queries, and the metrics that are made of their columns.
//
// The format is sql_exporter's, one collector per file, read strictly. One key is ours: the map
// `parameters`, the defaults of the names that stand in the SQL as {{name}} (parameters.h).

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collectors/kpi/parameters.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/duration.h"
#include "core/metric.h"

namespace vigia::collectors::kpi {

// How the columns of a row become the series of one metric.
struct Mapping {
  const Metric* metric = nullptr;
  std::vector<std::string> key_labels;  // columns whose text becomes the label of that name
  std::vector<std::pair<std::string, std::string>> static_labels;
  std::vector<std::string> values;     // columns, each a series
  std::string value_label;             // the label that holds the name of the value's column
  std::optional<double> static_value;  // instead of `values`
  std::string timestamp_value;         // the column with the time of the sample; empty: none
};

struct Query {
  std::string collector;
  std::string name;  // unique in its collector
  std::string sql;
  std::string place;         // "packs/django.yml:12:5"
  Milliseconds interval{0};  // the file's min_interval; 0: none
  std::vector<Mapping> mappings;
};

// Metrics by name, each once and at the same address, whichever files name it.
class MetricNames {
 public:
  // The metric `name`; the first help text of a name counts. nullptr if it exists with another
  // type.
  const Metric* Add(const std::string& name, const std::string& help, MetricType type);

 private:
  struct Entry {
    std::string name;
    std::string help;
    Metric metric;
  };
  std::map<std::string, Entry> entries_;
};

// What the collector files of one entry say together.
struct Definition {
  MetricNames metrics;
  std::vector<Query> queries;
  std::set<std::string> collectors;
  std::set<std::string> used_parameters;
};

// Adds what `node`, the content of a collector file, says. `parameters` go before those of the
// file. Faults go to `diagnostics`.
void ReadCollectorFile(const config::Node& node, const Parameters& parameters,
                       config::Diagnostics& diagnostics, Definition& definition);

}  // namespace vigia::collectors::kpi
