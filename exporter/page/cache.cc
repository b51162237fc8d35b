#include "exporter/page/cache.h"

#include <utility>
#include <vector>

namespace vigia::exporter {
namespace {

// A style is forgotten after so many snapshots without a scrape.
constexpr std::uint64_t kIdleVersions = 1000;

}  // namespace

// Pages that the last reader has let go of, for the next page: it has about the same size.
class PageCache::BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  std::unique_ptr<std::string> Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<std::string>();
    auto buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }

  // Comes back to the pool when nobody reads it any more.
  Body Share(std::unique_ptr<std::string> buffer) {
    return {buffer.release(), [pool = shared_from_this()](const std::string* page) {
              pool->Return(std::unique_ptr<std::string>(const_cast<std::string*>(page)));
            }};
  }

 private:
  static constexpr std::size_t kMaxFree = 2;

  void Return(std::unique_ptr<std::string> buffer) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kMaxFree) free_.push_back(std::move(buffer));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<std::string>> free_;
};

// All of it guarded by its mutex, which is held while a page is made: that is what the others
// wait for.
struct PageCache::Variant {
  struct Page {
    std::uint64_t version = 0;
    Body body;  // null if there is none

    bool Is(std::uint64_t wanted) const { return body && version == wanted; }
  };

  std::mutex mutex;
  std::uint64_t used_at = 0;  // version of the snapshot last asked for
  std::optional<PageRenderer> renderer;
  std::optional<GzipCompressor> compressor;
  Page plain;
  Page compressed;
};

PageCache::PageCache()
    : buffers_(std::make_shared<BufferPool>()),
      variants_(std::make_unique<std::array<Variant, 4>>()) {}

PageCache::~PageCache() = default;

PageCache::Body PageCache::Get(const Snapshot& snapshot, PageStyle style, Encoding encoding) {
  const bool openmetrics = style.format == text::Format::kOpenMetrics;
  Variant& variant = (*variants_)[(openmetrics ? 2u : 0u) + (style.utf8_names ? 1u : 0u)];
  Body body;
  {
    const std::lock_guard lock(variant.mutex);
    variant.used_at = snapshot.version;
    auto& page = encoding == Encoding::kGzip ? variant.compressed : variant.plain;
    if (page.Is(snapshot.version)) return page.body;
    if (!variant.renderer) variant.renderer.emplace(style);
    if (!variant.plain.Is(snapshot.version)) Render(variant, snapshot);
    if (encoding == Encoding::kGzip) {
      if (!variant.compressor) variant.compressor.emplace();
      page.body.reset();
      page.body =
          std::make_shared<const std::string>(variant.compressor->Compress(*variant.plain.body));
      page.version = snapshot.version;
    }
    body = page.body;
  }
  ForgetIdle(variant, snapshot.version);
  return body;
}

void PageCache::Render(Variant& variant, const Snapshot& snapshot) {
  // First, so that the new page takes its buffer.
  variant.plain.body.reset();
  auto buffer = buffers_->Take();
  variant.renderer->Render(snapshot, *buffer);
  variant.plain.body = buffers_->Share(std::move(buffer));
  variant.plain.version = snapshot.version;
  rendered_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(faults_mutex_);
  faults_ = variant.renderer->faults();
}

void PageCache::ForgetIdle(const Variant& used, std::uint64_t version) {
  for (auto& variant : *variants_) {
    if (&variant == &used) continue;
    const std::unique_lock lock(variant.mutex, std::try_to_lock);
    if (!lock.owns_lock() || !variant.renderer) continue;
    if (version < variant.used_at + kIdleVersions) continue;
    variant.renderer.reset();
    variant.compressor.reset();
    variant.plain = {};
    variant.compressed = {};
  }
}

PageFaults PageCache::faults() const {
  const std::lock_guard lock(faults_mutex_);
  return faults_;
}

}  // namespace vigia::exporter
