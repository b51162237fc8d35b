#include "collectors/kpi/definition.h"

#include <algorithm>

#include "core/config/reader.h"
#include "core/labels.h"

namespace vigia::collectors::kpi {
namespace {

constexpr std::size_t kMostQueries = 1000;

// A query as it stands in the file.
struct Statement {
  std::string name;
  std::string sql;
  config::Position position;
};

class FileReader {
 public:
  FileReader(const Parameters& parameters, config::Diagnostics& diagnostics, Definition& definition)
      : overrides_(parameters), diagnostics_(diagnostics), definition_(definition) {}

  void Read(const config::Node& node) {
    config::MapReader file(node, diagnostics_, "the collector file");
    file.Require("collector_name", "each file defines one collector, and that has a name");
    file.Read("collector_name", collector_);
    if (!collector_.empty() && !definition_.collectors.insert(collector_).second) {
      file.Fault("collector_name", "'" + collector_ + "' is defined in another file too");
    }
    ReadMinInterval(file);
    ReadParameters(file);
    if (const auto* queries = file.Child("queries")) ReadQueries(*queries);
    file.Require("metrics", "a collector has at least one");
    if (const auto* metrics = file.Child("metrics")) ReadMetrics(*metrics);
    file.Finish();
    if (definition_.queries.size() > kMostQueries) {
      file.Fault("metrics", "more than " + std::to_string(kMostQueries) + " queries in all");
    }
  }

 private:
  // 0s is what sql_exporter calls "at every scrape".
  void ReadMinInterval(config::MapReader& file) {
    std::string text;
    if (!file.Read("min_interval", text)) return;
    if (auto interval = ParseDuration(text)) {
      interval_ = *interval;
    } else {
      file.Fault("min_interval", interval.error().message());
    }
  }

  void ReadParameters(config::MapReader& file) {
    file.Read("parameters", parameters_);
    for (const auto& [name, value] : parameters_) {
      if (!IsParameterName(name)) {
        file.Fault("parameters",
                   "'" + name + "' is not made of lower-case letters, digits and underscores");
      }
    }
    for (const auto& [name, value] : overrides_) parameters_[name] = value;
  }

  // The maps of a list.
  template <typename Visit>
  void ForEachMap(const config::Node& list, std::string_view what, Visit visit) {
    if (!list.IsList()) {
      diagnostics_.Add(list.position, std::string(what) + " has to be a list");
      return;
    }
    for (const auto& item : list.items) {
      config::MapReader reader(item, diagnostics_, "an item of " + std::string(what));
      visit(reader);
      reader.Finish();
    }
  }

  void ReadQueries(const config::Node& list) {
    ForEachMap(list, "queries", [&](config::MapReader& item) {
      Statement statement;
      item.Require("query_name", "query_ref refers to it");
      item.Read("query_name", statement.name);
      item.Require("query", "the SQL");
      ReadSql(item, statement);
      for (const auto& other : statements_) {
        if (other.name == statement.name) {
          item.Fault("query_name", "'" + statement.name + "' is another query's name too");
        }
      }
      statements_.push_back(std::move(statement));
    });
  }

  void ReadSql(config::MapReader& item, Statement& statement) {
    // Statements are never prepared here, so either value is obeyed.
    bool unprepared = true;
    item.Read("no_prepared_statement", unprepared);
    if (!item.Read("query", statement.sql)) return;
    statement.position = item.node().Find("query")->position;
    if (statement.sql.find_first_not_of(" \t\r\n") == statement.sql.npos) {
      item.Fault("query", "must not be empty");
    }
    // Without parameters the text is the SQL, braces and all.
    if (parameters_.empty()) return;
    auto sql = Substitute(statement.sql, parameters_, definition_.used_parameters);
    if (sql) {
      statement.sql = *std::move(sql);
    } else {
      item.Fault("query", sql.error().message());
    }
  }

  void ReadMetrics(const config::Node& list) {
    if (list.IsList() && list.items.empty()) {
      diagnostics_.Add(list.position, "metrics: a collector has at least one");
    }
    ForEachMap(list, "metrics", [&](config::MapReader& item) {
      Mapping mapping;
      const std::string name = ReadHead(item, mapping);
      ReadLabels(item, mapping);
      ReadValues(item, mapping);
      if (Query* query = ReadQueryOf(item, name)) query->mappings.push_back(std::move(mapping));
    });
  }

  std::string ReadHead(config::MapReader& item, Mapping& mapping) {
    std::string name;
    std::string type = "gauge";
    std::string help;
    item.Require("metric_name", {});
    item.Require("type", "gauge or counter");
    item.Require("help", {});
    if (item.Read("metric_name", name) && !IsLegacyMetricName(name)) {
      item.Fault("metric_name", "'" + name + "' is not a metric name");
    }
    if (name.starts_with("vigia_")) {
      item.Fault("metric_name", "names that begin with vigia_ are vigia's own");
    }
    item.Read("type", type);
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (type != "gauge" && type != "counter") {
      item.Fault("type", "'" + type + "' is not gauge or counter");
    }
    item.Read("help", help);
    mapping.metric = definition_.metrics.Add(
        name, help, type == "counter" ? MetricType::kCounter : MetricType::kGauge);
    if (!mapping.metric) {
      item.Fault("type", "'" + name + "' stands elsewhere with another type");
    }
    return name;
  }

  void ReadLabels(config::MapReader& item, Mapping& mapping) {
    std::set<std::string> names;
    const auto add = [&](std::string_view key, const std::string& label) {
      if (!IsLegacyLabelName(label) || label.starts_with("__")) {
        item.Fault(key, "'" + label + "' is not a label name");
      } else if (!names.insert(label).second) {
        item.Fault(key, "'" + label + "' is a label of this metric already");
      }
    };
    item.Read("key_labels", mapping.key_labels);
    for (const auto& label : mapping.key_labels) add("key_labels", label);
    Parameters static_labels;
    item.Read("static_labels", static_labels);
    for (const auto& label : static_labels) {
      add("static_labels", label.first);
      mapping.static_labels.push_back(label);
    }
    if (item.Read("value_label", mapping.value_label)) add("value_label", mapping.value_label);
  }

  void ReadValues(config::MapReader& item, Mapping& mapping) {
    item.Read("values", mapping.values);
    item.Read("timestamp_value", mapping.timestamp_value);
    double value = 0;
    if (item.Read("static_value", value)) mapping.static_value = value;
    if (item.Has("values") && item.Has("static_value")) {
      item.Fault("static_value", "stands beside values; write one of the two");
    } else if (!item.Has("values") && !item.Has("static_value")) {
      item.Require("values", "the columns that hold the values");
    } else if (item.Has("values") && mapping.values.empty()) {
      item.Fault("values", "names no column");
    }
    if (mapping.values.size() > 1 && mapping.value_label.empty()) {
      item.Fault("values", "several need a value_label, which tells their series apart");
    }
  }

  // The query that the metric reads from, as it will be run; nullptr after a fault.
  Query* ReadQueryOf(config::MapReader& item, const std::string& metric) {
    std::string name;
    if (item.Has("query") == item.Has("query_ref")) {
      item.Read("query_ref", name);
      item.Child("query");
      item.Fault("query", "write either query or query_ref");
      return nullptr;
    }
    if (item.Has("query")) {
      Statement statement;
      statement.name = FreeName(metric);
      ReadSql(item, statement);
      return &Add(statement);
    }
    item.Child("no_prepared_statement");
    if (!item.Read("query_ref", name)) return nullptr;
    const auto found = std::find_if(statements_.begin(), statements_.end(),
                                    [&](const auto& statement) { return statement.name == name; });
    if (found != statements_.end()) return &Add(*found);
    std::vector<std::string_view> known;
    for (const auto& statement : statements_) known.push_back(statement.name);
    const auto nearest = config::Nearest(name, known);
    item.Fault(
        "query_ref",
        "there is no query '" + name + "'" +
            (nearest.empty() ? std::string() : ", did you mean '" + std::string(nearest) + "'?"));
    return nullptr;
  }

  // The query of this file with the statement's name, added if it is new.
  Query& Add(const Statement& statement) {
    auto& queries = definition_.queries;
    for (auto& query : queries) {
      if (query.collector == collector_ && query.name == statement.name) return query;
    }
    queries.push_back({.collector = collector_,
                       .name = statement.name,
                       .sql = statement.sql,
                       .place = diagnostics_.file() + ':' +
                                std::to_string(statement.position.line) + ':' +
                                std::to_string(statement.position.column),
                       .interval = interval_,
                       .mappings = {}});
    return queries.back();
  }

  // A query that stands with its metric is called like it; a second one "name_2".
  std::string FreeName(const std::string& metric) const {
    const auto taken = [&](const std::string& name) {
      const auto is = [&](const auto& query) { return query.name == name; };
      return std::any_of(statements_.begin(), statements_.end(), is) ||
             std::any_of(definition_.queries.begin(), definition_.queries.end(),
                         [&](const auto& q) { return q.collector == collector_ && is(q); });
    };
    std::string name = metric;
    for (int i = 2; taken(name); ++i) name = metric + '_' + std::to_string(i);
    return name;
  }

  const Parameters& overrides_;
  config::Diagnostics& diagnostics_;
  Definition& definition_;
  std::string collector_;
  Milliseconds interval_{0};
  Parameters parameters_;
  std::vector<Statement> statements_;
};

}  // namespace

const Metric* MetricNames::Add(const std::string& name, const std::string& help, MetricType type) {
  const auto [at, added] = entries_.try_emplace(name);
  auto& entry = at->second;
  if (added) {
    entry.name = name;
    entry.help = help;
    entry.metric = {entry.name, entry.help, type};
  }
  return entry.metric.type == type ? &entry.metric : nullptr;
}

void ReadCollectorFile(const config::Node& node, const Parameters& parameters,
                       config::Diagnostics& diagnostics, Definition& definition) {
  FileReader(parameters, diagnostics, definition).Read(node);
}

}  // namespace vigia::collectors::kpi
