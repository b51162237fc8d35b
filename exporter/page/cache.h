// The pages of the current snapshot, each rendered and compressed once however many scrapers
// ask for it. Thread-safe.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/reading.h"
#include "exporter/page/gzip.h"
#include "exporter/page/negotiate.h"
#include "exporter/page/renderer.h"

namespace vigia::exporter {

class PageCache {
 public:
  using Body = std::shared_ptr<const std::string>;

  PageCache();
  ~PageCache();

  // The page of `snapshot`, told from others by its version. The first caller makes it, those
  // who come meanwhile wait for it. A style that nobody has asked for in a while is forgotten.
  Body Get(const Snapshot& snapshot, PageStyle style, Encoding encoding);

  // What the last page made left out.
  PageFaults faults() const;
  // Pages rendered so far; scrapes served from the cache make the difference to all.
  std::uint64_t rendered() const { return rendered_.load(std::memory_order_relaxed); }

 private:
  class BufferPool;
  struct Variant;

  void Render(Variant& variant, const Snapshot& snapshot);
  void ForgetIdle(const Variant& used, std::uint64_t version);

  const std::shared_ptr<BufferPool> buffers_;
  const std::unique_ptr<std::array<Variant, 4>> variants_;  // one per style
  std::atomic<std::uint64_t> rendered_{0};
  mutable std::mutex faults_mutex_;
  PageFaults faults_;  // guarded by faults_mutex_
};

}  // namespace vigia::exporter
