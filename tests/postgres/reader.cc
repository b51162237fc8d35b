#include "tests/postgres/reader.h"

#include <stdexcept>

namespace vigia::test {

Reader::Reader(const std::string& options, Duration timeout) : timeout_(timeout) {
  config::Diagnostics diagnostics("test");
  const auto node = config::ParseYaml("postgres: { " + options + " }", {}, diagnostics);
  instances_ = collectors::ReadCollectors(node, collectors::TargetLabel::kAuto, diagnostics);
  if (!diagnostics.ok()) throw std::runtime_error(diagnostics.ToString());
  for (const auto& instance : instances_) {
    batches_.push_back(
        std::make_unique<Batch>(Batch::Options{instance.constant_labels, instance.max_series}));
  }
}

Status Reader::Read() {
  series_.clear();
  types_.clear();
  withheld_.clear();
  Status worst;
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    auto status = Read(i);
    if (!status && worst) worst = status;
  }
  return worst;
}

Status Reader::Read(std::size_t i) {
  auto status = instances_[i].impl->Collect(Deadline::After(clock, timeout_), *batches_[i]);
  const auto reading =
      status ? batches_[i]->Finish(clock.Wall()) : batches_[i]->FinishFailure(clock.Wall());
  if (reading) Keep(*reading);
  return status;
}

void Reader::Keep(const Reading& reading) {
  withheld_.insert(withheld_.end(), reading.withheld.begin(), reading.withheld.end());
  for (const auto& family : reading.families) {
    const auto& head = family.family->head();
    types_[head.name] = head.type;
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      std::string line(family.family->line(i));
      line.pop_back();  // the blank before the value
      series_[line] = family.values[i];
    }
  }
}

std::optional<double> Reader::operator[](const std::string& series) const {
  const auto at = series_.find(series);
  return at == series_.end() ? std::nullopt : std::optional(at->second);
}

std::size_t Reader::Count(const std::string& prefix) const {
  std::size_t count = 0;
  for (auto at = series_.lower_bound(prefix); at != series_.end() && at->first.starts_with(prefix);
       ++at) {
    ++count;
  }
  return count;
}

std::size_t Reader::duplicates() const {
  std::size_t count = 0;
  for (const auto& batch : batches_) count += batch->duplicates();
  return count;
}

}  // namespace vigia::test
