// Writes a snapshot as a page of metrics.
//
// Families of one name from several instances stand together under the header of the first,
// sorted by name. Series whose value is a stale marker are left out. Not thread-safe.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/reading.h"
#include "exporter/page/filter.h"
#include "exporter/page/layout.h"
#include "exporter/page/negotiate.h"

namespace vigia::exporter {

// For snapshots one after another: keeps the layout of the last one.
class PageRenderer {
 public:
  explicit PageRenderer(PageStyle style) : style_(style) {}

  // Replaces `page`, whose capacity is put to use.
  void Render(const Snapshot& snapshot, std::string& page);

  // Of the last page.
  PageFaults faults() const { return layout_ ? layout_->faults() : PageFaults{}; }

 private:
  const PageStyle style_;
  std::unique_ptr<PageLayout> layout_;
  std::vector<const FamilyReading*> readings_;
};

// Part of a snapshot, laid out for this page alone.
std::string RenderFiltered(const Snapshot& snapshot, const PageFilter& filter, PageStyle style);

}  // namespace vigia::exporter
