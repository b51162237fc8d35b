// Randomness that the kernel has gathered, from /proc/sys/kernel/random.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_entropy_available_bits", "Entropy in the pool."},
    Metric{"node_entropy_pool_size_bits", "Entropy that the pool can hold."},
};

class EntropyCollector final : public Collector {
 public:
  explicit EntropyCollector(const Paths& paths)
      : files_{ProcFile(paths.procfs / "sys/kernel/random/entropy_avail"),
               ProcFile(paths.procfs / "sys/kernel/random/poolsize")} {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const auto text = files_[i].Read();
      if (!text) return Fail(text.error());
      const auto value = ParseNumber(Trim(*text));
      if (!value) return Fail(NotANumber(files_[i].path(), Trim(*text)));
      batch.Add(kMetrics[i], static_cast<double>(*value));
    }
    return Ok();
  }

 private:
  std::array<ProcFile, kMetrics.size()> files_;
};

}  // namespace

std::unique_ptr<Collector> MakeEntropy(const Paths& paths, config::MapReader&) {
  return std::make_unique<EntropyCollector>(paths);
}

}  // namespace vigia::collectors::host
