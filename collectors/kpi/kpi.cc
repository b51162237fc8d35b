// The KPI kind: queries of collector files against one PostgreSQL database. One entry is a runner,
// which asks them in a thread of its own, and one view per query.

#include <fnmatch.h>

#include <algorithm>

#include "collectors/kind.h"
#include "collectors/kpi/files.h"
#include "collectors/kpi/runner.h"
#include "collectors/kpi/sink.h"
#include "collectors/kpi/view.h"
#include "core/config/yaml.h"

namespace vigia::collectors {
namespace kpi {
namespace {

// Ages are to be right at every scrape.
constexpr Milliseconds kViewInterval{15'000};
// How long values wait to be written together with others.
constexpr Milliseconds kSinkInterval{5'000};
// A query may miss so many of its turns before its values are withdrawn.
constexpr int kMaxAgeIntervals = 3;

struct Options {
  RunnerOptions run;
  Milliseconds max_age{0};  // 0: kMaxAgeIntervals of each query
  std::vector<std::string> files;
  std::vector<std::string> exclude;
  Parameters parameters;
  std::vector<SinkSpec> sinks;
};

// Common keys were read, and their faults reported, before: here only what they say counts.
void ReadCommonDuration(config::MapReader& reader, std::string_view key, Milliseconds& out) {
  const auto* node = reader.Child(key);
  if (!node || !node->IsScalar()) return;
  if (const auto duration = ParseDuration(node->text); duration && *duration > 0ms) {
    out = *duration;
  }
}

Options ReadOptions(config::MapReader& reader) {
  Options options;
  auto& connect = options.run.connect;
  ReadCommonDuration(reader, "interval", options.run.interval);
  options.run.timeout = std::min(options.run.timeout, options.run.interval);
  ReadCommonDuration(reader, "timeout", options.run.timeout);
  if (reader.Read("dsn", connect.dsn)) {
    if (auto valid = postgres::CheckDsn(connect.dsn); !valid) {
      reader.Fault("dsn", valid.error().message());
    }
  }
  reader.ReadSecret("password", connect.password);
  connect.statement_timeout = options.run.timeout;
  connect.lock_timeout = std::min<Milliseconds>(options.run.timeout, 1000ms);
  reader.Read("lock_timeout", connect.lock_timeout);
  reader.Require("file", "a collector file, a pattern of such, or a bundled pack: django");
  reader.Read("file", options.files);
  reader.Read("exclude", options.exclude);
  if (reader.Read("max_age", options.max_age) && options.max_age < options.run.interval) {
    reader.Fault("max_age",
                 "is shorter than the interval of " + FormatDuration(options.run.interval));
  }
  std::int64_t rows = static_cast<std::int64_t>(options.run.limits.rows);
  reader.Read("max_rows", rows, 1, 1'000'000);
  options.run.limits.rows = static_cast<std::size_t>(rows);
  reader.Read("parameters", options.parameters);
  options.sinks = ReadSinks(reader);
  for (const auto& sink : options.sinks) options.run.sinks.push_back(sink.queue);
  return options;
}

// Reads one file into `definition`; its faults become faults of `reader`.
std::string ReadFileInto(const std::filesystem::path& path, const Parameters& parameters,
                         config::MapReader& reader, Definition& definition) {
  config::Diagnostics diagnostics(path.string());
  const auto node = config::LoadYaml(path, {}, diagnostics);
  if (diagnostics.ok()) ReadCollectorFile(node, parameters, diagnostics, definition);
  for (const auto& line : diagnostics.Lines()) reader.Fault("file", line);
  return config::Canonical(node);
}

void Exclude(const std::vector<std::string>& patterns, config::MapReader& reader,
             Definition& definition) {
  for (const auto& pattern : patterns) {
    const auto erased = std::erase_if(definition.queries, [&](const Query& query) {
      return ::fnmatch(pattern.c_str(), query.name.c_str(), 0) == 0;
    });
    if (erased > 0) continue;
    std::vector<std::string_view> known;
    for (const auto& query : definition.queries) known.push_back(query.name);
    const auto nearest = config::Nearest(pattern, known);
    reader.Fault(
        "exclude",
        "there is no query '" + pattern + "'" +
            (nearest.empty() ? std::string() : ", did you mean '" + std::string(nearest) + "'?"));
  }
}

// Reads all files. `text` becomes their content.
std::shared_ptr<const Definition> ReadDefinition(const Options& options, config::MapReader& reader,
                                                 std::string& text) {
  auto definition = std::make_shared<Definition>();
  const auto base = std::filesystem::path(reader.diagnostics().file()).parent_path();
  for (const auto& name : options.files) {
    const auto files = FindFiles(name, base);
    if (!files) {
      reader.Fault("file", files.error().message());
      continue;
    }
    for (const auto& file : *files) {
      text += '\n' + ReadFileInto(file, options.parameters, reader, *definition);
    }
  }
  for (const auto& [name, value] : options.parameters) {
    if (!IsParameterName(name) || !definition->used_parameters.contains(name)) {
      reader.Fault("parameters", "no query has a parameter '" + name + "'");
    }
  }
  Exclude(options.exclude, reader, *definition);
  for (const auto& query : definition->queries) {
    if (options.max_age > 0ms && query.interval > options.max_age) {
      reader.Fault("max_age", "is shorter than the min_interval of " +
                                  FormatDuration(query.interval) + " in " + query.place);
      break;
    }
  }
  return definition;
}

std::vector<Part> MakeParts(Options& options, std::shared_ptr<const Definition> definition,
                            const std::string& made_from) {
  const auto board = std::make_shared<Board>(definition->queries.size());
  std::vector<Part> parts;
  Part runner{"kpi", "run", MakeRunner(definition, board, options.run)};
  runner.interval = TickOf(*definition, options.run);
  runner.timeout = LongestRun(*definition, options.run);
  parts.push_back(std::move(runner));
  for (std::size_t i = 0; i < definition->queries.size(); ++i) {
    const auto& query = definition->queries[i];
    const Milliseconds max_age =
        options.max_age > 0ms ? options.max_age : kMaxAgeIntervals * IntervalOf(query, options.run);
    Part view{"kpi." + query.collector + '.' + query.name, "show",
              MakeView(definition, board, i, max_age)};
    view.interval = std::min(kViewInterval, options.run.interval);
    view.timeout = view.interval;
    parts.push_back(std::move(view));
  }
  for (auto& sink : options.sinks) {
    const std::string name = "kpi." + sink.name;
    Part part{name, name, MakeSink(std::move(sink))};
    part.interval = kSinkInterval;
    part.timeout = options.run.timeout;
    parts.push_back(std::move(part));
  }
  // All or none are replaced at a reload: they share the board.
  for (auto& part : parts) part.made_from = made_from;
  return parts;
}

}  // namespace
}  // namespace kpi

// collectors.kpi: docs/collectors/kpi.md.
std::vector<Part> MakeKpiCollectors(config::MapReader& reader) {
  auto options = kpi::ReadOptions(reader);
  std::string text;
  const auto definition = kpi::ReadDefinition(options, reader, text);
  auto parts = kpi::MakeParts(options, definition, text);
  if (options.files.empty()) {
    parts.push_back({"kpi.<collector>.<query>", "show", kpi::MakeSampleView(), false});
    parts.push_back({"kpi.<sink>", "sink",
                     kpi::MakeSink({.queue = std::make_shared<kpi::SinkQueue>(1)}), false});
  }
  return parts;
}

}  // namespace vigia::collectors
