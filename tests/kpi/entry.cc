#include "tests/kpi/entry.h"

#include "core/config/yaml.h"
#include "core/number.h"

namespace vigia::test {

Entry::Entry(const std::map<std::string, std::string>& files, const std::string& options) {
  for (const auto& [name, content] : files) folder_.Write(name, content);
  config::Diagnostics diagnostics(folder_.path() / "vigia.yml");
  const auto node = config::ParseYaml("kpi: { " + options + " }", {}, diagnostics);
  instances_ = collectors::ReadCollectors(node, collectors::TargetLabel::kAuto, diagnostics);
  faults_ = diagnostics.ToString();
  const std::string prefix = folder_.path().string() + '/';
  for (auto at = faults_.find(prefix); at != faults_.npos; at = faults_.find(prefix)) {
    faults_.erase(at, prefix.size());
  }
  for (const auto& instance : instances_) {
    batches_.push_back(
        std::make_unique<Batch>(Batch::Options{instance.constant_labels, instance.max_series}));
  }
}

Status Entry::Run() {
  auto status = RunQueries();
  Show();
  return status;
}

Status Entry::RunQueries() {
  const auto status =
      instances_[0].impl->Collect(Deadline::After(clock, instances_[0].timeout), *batches_[0]);
  batches_[0]->Discard();
  return status;
}

void Entry::Show() {
  series_.clear();
  withdrawn_.clear();
  for (std::size_t i = 1; i < instances_.size(); ++i) {
    auto& batch = *batches_[i];
    const auto status = instances_[i].impl->Collect(Deadline::After(clock, 10s), batch);
    if (!status) withdrawn_[instances_[i].id.collector] = status.error().message();
    const auto reading = status ? batch.Finish(clock.Wall()) : batch.FinishFailure(clock.Wall());
    if (reading) Keep(*reading);
  }
}

void Entry::Keep(const Reading& reading) {
  for (const auto& family : reading.families) {
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      std::string line(family.family->line(i));
      line.pop_back();  // the blank before the value
      series_[line] = family.values[i];
      times_[line] = family.times.empty() ? 0 : family.times[i];
    }
  }
}

std::optional<double> Entry::operator[](const std::string& series) const {
  const auto at = series_.find(series);
  return at == series_.end() ? std::nullopt : std::optional(at->second);
}

std::string Entry::Values() const {
  std::string lines;
  for (const auto& [series, value] : series_) {
    if (!series.starts_with("vigia_kpi_")) lines += series + ' ' + FormatDouble(value) + '\n';
  }
  return lines;
}

}  // namespace vigia::test
