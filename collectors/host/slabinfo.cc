// Caches of the kernel's allocator, from /proc/slabinfo (readable by root). Off by default:
// five series for each of some hundred caches.

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

// In the order of the columns.
constexpr std::array kMetrics{
    Metric{"node_slabinfo_active_objects", "Objects in use."},
    Metric{"node_slabinfo_objects", "Objects, in use or not."},
    Metric{"node_slabinfo_object_size_bytes", "Size of an object."},
    Metric{"node_slabinfo_objects_per_slab", "Objects in a slab."},
    Metric{"node_slabinfo_pages_per_slab", "Pages that a slab takes."},
};

class SlabinfoCollector final : public Collector {
 public:
  SlabinfoCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "slabinfo"), wanted_(NameFilter::Read(options, "slabs", "")) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    slabs_.Start();
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      // Two lines of headings: "slabinfo - version: 2.1" and "# name <active_objs> ...".
      if (line->starts_with("slabinfo - ") || line->starts_with('#')) continue;
      Fields fields(*line);
      const auto slab = fields.Next();
      const bool wanted =
          slabs_.Next(slab, [this](std::string_view name) { return wanted_.Accepts(name); });
      for (std::size_t i = 0; wanted && i < kMetrics.size(); ++i) {
        const auto field = fields.Next();
        const auto value = ParseNumber(field);
        if (!value) return Fail(NotANumber(file_.path(), field));
        batch.Add(kMetrics[i], {{"slab", slab}}, static_cast<double>(*value));
      }
    }
    slabs_.Finish();
    return Ok();
  }

 private:
  ProcFile file_;
  const NameFilter wanted_;
  LineCache<bool> slabs_;
};

}  // namespace

std::unique_ptr<Collector> MakeSlabinfo(const Paths& paths, config::MapReader& options) {
  return std::make_unique<SlabinfoCollector>(paths, options);
}

}  // namespace vigia::collectors::host
