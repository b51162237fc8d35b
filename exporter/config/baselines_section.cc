// The section `baselines` of vigia.yml.

#include <array>
#include <memory>
#include <set>

#include "core/config/yaml.h"
#include "core/number.h"
#include "exporter/config/baselines.h"
#include "exporter/config/bundled_baselines.h"
#include "exporter/config/section.h"
#include "query/promql/syntax/parser.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

// Stands for the baselines that come with vigia.
constexpr std::string_view kBundled = "bundled";

constexpr std::array<std::string_view, 4> kSeasons{"auto", "none", "daily", "weekly"};
constexpr std::array<std::string_view, 3> kDirections{"up", "down", "both"};

// "50%" or 0.5.
void ReadMinChange(config::MapReader& reader, double& out) {
  std::string text;
  if (!reader.Has("min_change") || !reader.Read("min_change", text)) return;
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  const auto number = ParseDouble(text);
  const double change = number ? *number / (percent ? 100.0 : 1.0) : 0.0;
  if (!(change >= 0.01 && change <= 100.0)) {
    reader.Fault("min_change", "expected a change such as 50% or 0.5, from 1% on");
    return;
  }
  out = change;
}

baseline::Definition ReadBaseline(config::MapReader& reader) {
  baseline::Definition definition;
  if (!reader.Read("name", definition.name)) reader.Fault("name", "every baseline needs a name");
  if (reader.Read("expr", definition.expression)) {
    auto query = promql::Parse(definition.expression, promql::Semantics::kPrometheus3);
    if (query) {
      definition.query = *std::move(query);
    } else {
      reader.Fault("expr", query.error().message);
    }
  } else {
    reader.Fault("expr", "every baseline needs an expression");
  }
  auto& options = definition.options;
  options.season = static_cast<baseline::Season>(reader.ReadChoice("season", kSeasons, 0));
  options.direction =
      static_cast<baseline::Direction>(reader.ReadChoice("direction", kDirections, 0));
  ReadMinChange(reader, options.min_change);
  reader.Read("lesser_changes", options.lesser_changes);
  reader.Read("floor", options.floor);
  reader.Read("sensitivity", options.sensitivity);
  if (!(options.sensitivity >= 0.1 && options.sensitivity <= 10.0)) {
    reader.Fault("sensitivity", "expected a number from 0.1 to 10");
    options.sensitivity = 1.0;
  }
  reader.Read("min_samples", options.min_samples, 0, 1'000'000);
  reader.Read("interval", definition.interval);
  auto max_series = static_cast<std::int64_t>(definition.max_series);
  if (reader.Read("max_series", max_series, 1, 1'000'000)) {
    definition.max_series = static_cast<std::size_t>(max_series);
  }
  reader.Finish();
  return definition;
}

class Reader {
 public:
  Reader(config::Diagnostics& diagnostics, std::vector<baseline::Definition>& out)
      : diagnostics_(diagnostics), out_(out) {}

  void Read(const config::Node& item) {
    if (item.IsScalar() && item.text == kBundled) {
      ReadBundled();
      return;
    }
    config::MapReader reader(item, diagnostics_, "baselines");
    auto definition = ReadBaseline(reader);
    if (!definition.name.empty() && !names_.insert(definition.name).second) {
      reader.Fault("name", "there is another baseline of this name");
    }
    if (definition.query) out_.push_back(std::move(definition));
  }

  void ReadBundled() {
    const auto list = config::ParseYaml(kBundledBaselines, {}, diagnostics_);
    for (const auto& item : list.items) Read(item);
  }

 private:
  config::Diagnostics& diagnostics_;
  std::vector<baseline::Definition>& out_;
  std::set<std::string> names_;
};

}  // namespace

// Without the section the bundled baselines are learnt, unless nothing is watched; `baselines: []`
// learns none.
void ReadBaselines(SectionInput& input, Config& config) {
  auto read = std::make_shared<BaselinesConfig>();
  config.baselines = read;
  Reader reader(input.file.diagnostics(), read->definitions);
  const config::Node* const list = input.file.Child("baselines");
  if (list == nullptr) {
    if (!input.WatchesNothing()) reader.ReadBundled();
    return;
  }
  if (!list->IsList()) {
    input.file.Fault("baselines", "expected a list");
    return;
  }
  for (const auto& item : list->items) reader.Read(item);
}

std::vector<baseline::Definition> LoadAnyBaselines(const std::filesystem::path& path,
                                                   config::Diagnostics& diagnostics) {
  config::Diagnostics unread(path.string());
  const auto root = path.empty() ? config::Node() : config::LoadYaml(path, {}, unread);
  if (!path.empty() && (root.Find("alerting") || !root.Find("route"))) {
    return LoadConfig(path, diagnostics).baselines->definitions;
  }
  std::vector<baseline::Definition> out;
  Reader(diagnostics, out).ReadBundled();
  return out;
}

}  // namespace vigia::exporter
