// Counters of the XFS file systems, from /sys/fs/xfs/<device>/stats/stats.

#include <array>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

// One number: a line by its first word, and the place in it (fs/xfs/xfs_stats.h has the order).
struct Counter {
  std::string_view line;
  std::size_t place;
  Metric metric;
};

#define COUNTER(line, place, name, help)                                          \
  Counter {                                                                       \
    line, place, Metric { "node_xfs_" name "_total", help, MetricType::kCounter } \
  }

constexpr std::array kCounters{
    COUNTER("extent_alloc", 0, "extent_allocation_extents_allocated", "Extents allocated."),
    COUNTER("extent_alloc", 1, "extent_allocation_blocks_allocated", "Blocks allocated."),
    COUNTER("extent_alloc", 2, "extent_allocation_extents_freed", "Extents freed."),
    COUNTER("extent_alloc", 3, "extent_allocation_blocks_freed", "Blocks freed."),
    COUNTER("abt", 0, "allocation_btree_lookups", "Lookups in the allocation B-trees."),
    COUNTER("abt", 1, "allocation_btree_compares", "Compares in the allocation B-trees."),
    COUNTER("abt", 2, "allocation_btree_records_inserted",
            "Records put into the allocation B-trees."),
    COUNTER("abt", 3, "allocation_btree_records_deleted",
            "Records taken out of the allocation B-trees."),
    COUNTER("blk_map", 0, "block_mapping_reads", "Block maps for reading."),
    COUNTER("blk_map", 1, "block_mapping_writes", "Block maps for writing."),
    COUNTER("blk_map", 2, "block_mapping_unmaps", "Block unmaps."),
    COUNTER("blk_map", 3, "block_mapping_extent_list_insertions", "Extent list insertions."),
    COUNTER("blk_map", 4, "block_mapping_extent_list_deletions", "Extent list deletions."),
    COUNTER("blk_map", 5, "block_mapping_extent_list_lookups", "Extent list lookups."),
    COUNTER("blk_map", 6, "block_mapping_extent_list_compares", "Extent list compares."),
    COUNTER("bmbt", 0, "block_map_btree_lookups", "Lookups in the block map B-trees."),
    COUNTER("bmbt", 1, "block_map_btree_compares", "Compares in the block map B-trees."),
    COUNTER("bmbt", 2, "block_map_btree_records_inserted",
            "Records put into the block map B-trees."),
    COUNTER("bmbt", 3, "block_map_btree_records_deleted",
            "Records taken out of the block map B-trees."),
    COUNTER("dir", 0, "directory_operation_lookup", "Names looked up that were not cached."),
    COUNTER("dir", 1, "directory_operation_create", "Directory entries created."),
    COUNTER("dir", 2, "directory_operation_remove", "Directory entries removed."),
    COUNTER("dir", 3, "directory_operation_getdents", "Directories listed."),
    COUNTER("ig", 0, "inode_operation_attempts", "Inodes looked for in the cache."),
    COUNTER("ig", 1, "inode_operation_found", "Inodes found in the cache."),
    COUNTER("ig", 2, "inode_operation_recycled", "Inodes found, but being recycled."),
    COUNTER("ig", 3, "inode_operation_missed", "Inodes not found in the cache."),
    COUNTER("ig", 4, "inode_operation_duplicates", "Inodes that another thread added first."),
    COUNTER("ig", 5, "inode_operation_reclaims", "Inodes recycled."),
    COUNTER("ig", 6, "inode_operation_attribute_changes", "Attributes of inodes changed."),
    COUNTER("rw", 0, "write_calls", "Calls of write(2)."),
    COUNTER("rw", 1, "read_calls", "Calls of read(2)."),
    COUNTER("vnodes", 0, "vnode_active", "Inodes in use."),
    COUNTER("vnodes", 1, "vnode_allocate", "Inodes allocated."),
    COUNTER("vnodes", 2, "vnode_get", "Inodes taken from the cache."),
    COUNTER("vnodes", 3, "vnode_hold", "Inodes held."),
    COUNTER("vnodes", 4, "vnode_release", "Inodes released."),
    COUNTER("vnodes", 5, "vnode_reclaim", "Inodes reclaimed."),
    COUNTER("vnodes", 6, "vnode_remove", "Inodes removed."),
};

#undef COUNTER

struct FileSystem {
  std::string device;
  ProcFile stats;
};

class XfsCollector final : public Collector {
 public:
  explicit XfsCollector(const Paths& paths) : file_systems_(paths.sysfs / "fs/xfs") {
    for (const auto& counter : kCounters) metrics_.push_back(counter.metric);
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline, Batch& batch) override {
    auto& file_systems =
        file_systems_.Refresh([](const std::string& name,
                                 const std::filesystem::path& folder) -> std::optional<FileSystem> {
          if (name == "stats") return std::nullopt;  // the sum of all
          return FileSystem{name, ProcFile(folder / "stats/stats")};
        });
    for (auto& file_system : file_systems) {
      const auto text = file_system.stats.ReadIfPresent();
      if (!text) return Fail(text.error());
      Lines lines(text->value_or(""));
      while (const auto line = lines.Next()) {
        if (auto status = AddLine(file_system, *line, batch); !status) return status;
      }
    }
    return Ok();
  }

 private:
  // "rw 28 0"; kernels differ in how many numbers they append.
  static Status AddLine(const FileSystem& file_system, std::string_view line, Batch& batch) {
    Fields fields(line);
    const auto name = fields.Next();
    std::size_t place = 0;
    for (const auto& counter : kCounters) {
      if (counter.line != name) continue;
      while (place < counter.place) {
        fields.Next();
        ++place;
      }
      const auto field = fields.Next();
      ++place;
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(file_system.stats.path(), field));
      batch.Add(counter.metric, {{"device", file_system.device}}, static_cast<double>(*value));
    }
    return Ok();
  }

  SysDevices<FileSystem> file_systems_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Collector> MakeXfs(const Paths& paths, config::MapReader&) {
  return std::make_unique<XfsCollector>(paths);
}

}  // namespace vigia::collectors::host
