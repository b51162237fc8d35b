// Starting from what the folder holds.

#include <algorithm>
#include <map>
#include <system_error>
#include <vector>

#include "query/history/appender.h"
#include "query/history/block_writer.h"
#include "query/history/journal_reader.h"
#include "query/history/store.h"

namespace vigia::history {
namespace {

constexpr std::size_t kReplayBatch = 4096;

// The block files in the folder by number; removes what a killed writer left.
Result<std::map<std::uint32_t, std::filesystem::path>> ListBlocks(Store& store) {
  std::map<std::uint32_t, std::filesystem::path> blocks;
  std::error_code error;
  std::filesystem::directory_iterator folder(store.options.folder, error);
  if (error) return Fail(SystemError(store.options.folder.string(), error.value()));
  for (const auto& entry : folder) {
    const auto& path = entry.path();
    if (path.string().ends_with(kTemporarySuffix)) {
      std::filesystem::remove(path, error);
    } else if (const std::uint32_t number = BlockNumber(path); number != 0) {
      blocks.emplace(number, path);
    } else if (const std::uint32_t aside = BlockNumber(path.parent_path() / path.stem())) {
      // A file that was set aside keeps its number.
      store.next_block = std::max(store.next_block, aside + 1);
    }
  }
  return blocks;
}

// Opens a block and enters its series in the index.
Result<std::shared_ptr<Block>> OpenBlock(Store& store, const std::filesystem::path& path,
                                         std::uint32_t number) {
  struct Row {
    SeriesPointer series;
    Timestamp first;
    Timestamp last;
  };
  std::vector<Row> rows;
  auto block = Block::Open(path, number, [&](const BlockSeries& series) {
    constexpr auto kNoLimit = ~std::size_t{0};
    rows.push_back({store.index.FindOrCreate(series.labels, kNoLimit), series.first, series.last});
  });
  if (!block) return Fail(block.error());
  std::vector<SeriesId> ids;
  ids.reserve(rows.size());
  for (const auto& [series, first, last] : rows) {
    ids.push_back(series->id);
    series->Cover(first, last);
    series->files.fetch_add(1, std::memory_order_relaxed);
  }
  (*block)->SetSeries(ids);
  return block;
}

// Opens all blocks; returns the first segment of the journal that they do not cover.
Result<std::uint32_t> RestoreBlocks(Store& store) {
  auto paths = ListBlocks(store);
  if (!paths) return Fail(paths.error());
  BlockList blocks;
  std::uint32_t segment = 1;
  for (const auto& [number, path] : *paths) {
    store.next_block = std::max(store.next_block, number + 1);
    auto block = OpenBlock(store, path, number);
    if (block) {
      segment = std::max(segment, (*block)->journal_segment());
      store.AdvanceNewest((*block)->max_time());
      blocks.push_back(std::move(*block));
    } else if (block.error().code() == ErrorCode::kCorrupt) {
      SetAside(store, path, block.error());
    } else {
      store.Report("history cannot open a file", path, block.error());
    }
  }
  store.blocks.Replace({}, blocks);
  return segment;
}

void ReplayFrom(Store& store, std::uint32_t first) {
  Appender appender(store);
  std::vector<Appender::Item> items;
  const auto apply = [&] {
    appender.Replay(items);
    items.clear();
  };
  for (const auto& [segment, size] : ListSegments(store.options.folder)) {
    if (segment < first) continue;
    const auto path = SegmentPath(store.options.folder, segment);
    const auto replayed =
        ReplaySegment(path, segment, [&](SegmentDecoder::Known& known, Sample sample) {
          if (!known.series) {
            known.series = store.index.FindOrCreate(known.labels, ~std::size_t{0});
          }
          items.push_back({known.series, sample});
          if (items.size() == kReplayBatch) apply();
        });
    apply();
    if (!replayed) {
      store.Report("history cannot read the journal", path, replayed.error());
      continue;
    }
    Add(store.counters.torn, replayed->torn);
    if (replayed->corrupt) {
      auto aside = path;
      aside += ".corrupt";
      Add(store.counters.corrupt);
      store.Report(
          "history journal is corrupt and was set aside", aside,
          Error(ErrorCode::kCorrupt,
                "unreadable records; " + std::to_string(replayed->samples) + " samples were read"));
    }
  }
}

}  // namespace

Status Restore(Store& store) {
  std::error_code error;
  std::filesystem::create_directories(store.options.folder, error);
  if (error) return Fail(SystemError(store.options.folder.string(), error.value()));
  const auto first = RestoreBlocks(store);
  if (!first) return Fail(first.error());
  ReplayFrom(store, *first);

  std::uint32_t next = *first;
  for (const auto& [segment, size] : ListSegments(store.options.folder)) {
    next = std::max(next, segment + 1);
  }
  store.journal =
      std::make_unique<Journal>(Journal::Options{.folder = store.options.folder,
                                                 .fsync = store.options.fsync,
                                                 .keep_bytes = store.options.journal_keep_bytes},
                                next);
  return Ok();
}

}  // namespace vigia::history
