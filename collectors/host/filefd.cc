// File handles of the whole machine, from /proc/sys/fs/file-nr.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_filefd_allocated", "File handles in use."},
    Metric{"node_filefd_maximum", "File handles that may be in use at most."},
};

class FilefdCollector final : public Collector {
 public:
  explicit FilefdCollector(const Paths& paths) : file_(paths.procfs / "sys/fs/file-nr") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    // "593 0 2466165": allocated, free (always 0 since Linux 2.6), maximum.
    Fields fields(*text);
    const auto allocated = fields.Next();
    fields.Next();
    const auto maximum = fields.Next();
    for (std::size_t i = 0; const auto field : {allocated, maximum}) {
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(file_.path(), field));
      batch.Add(kMetrics[i++], static_cast<double>(*value));
    }
    return Ok();
  }

 private:
  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeFilefd(const Paths& paths, config::MapReader&) {
  return std::make_unique<FilefdCollector>(paths);
}

}  // namespace vigia::collectors::host
