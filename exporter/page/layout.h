// Where everything stands on a page: which families in which order, under which header, and
// the text of each line up to its value.
//
// A layout depends only on the Family objects of a snapshot, which stay the same while
// collectors report the same series, so it is made rarely and pages are filled in from it. It
// refers to the families it was made for. Where series come or go within them it is adjusted.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/reading.h"
#include "exporter/page/negotiate.h"
#include "exporter/page/rewrite.h"

namespace vigia::exporter {

// What a page leaves out because it would contradict itself.
struct PageFaults {
  std::size_t conflicting = 0;  // series of a family that an earlier instance has as another type
  std::size_t duplicate = 0;    // series that an earlier instance has, too
  std::string first;            // the first of them, for a message

  friend bool operator==(const PageFaults&, const PageFaults&) = default;
};

class PageLayout {
 public:
  // The series of one family of one instance.
  struct Source {
    std::uint32_t index;  // of the reading
    const char* lines;
    const std::uint32_t* line_ends;
    std::vector<bool> skipped;  // empty, or one per series
    std::shared_ptr<const RewrittenLines> rewritten;  // what `lines` are of, or null
  };
  // The families of one name.
  struct Block {
    ShownFamily shown;
    std::string header;
    std::vector<Source> sources;
    PageFaults duplicates;
  };

  // For the families of `readings`. With `drop_target` lines have no label "target". `previous`
  // (may be null) was made with the same `style` and `drop_target`; what did not change is
  // taken over from it.
  PageLayout(std::span<const FamilyReading* const> readings, PageStyle style, bool drop_target,
             const PageLayout* previous);

  // Fits the layout to `readings` if they are of the same metrics in the same order, whatever their
  // series; false if it has to be made anew.
  bool Adjust(std::span<const FamilyReading* const> readings);

  const std::vector<Block>& blocks() const { return blocks_; }
  const PageFaults& faults() const { return faults_; }

 private:
  class Builder;
  // Where the series of a reading stand.
  struct Place {
    std::uint32_t block;
    std::uint32_t source;
  };

  void Point(Source& source, const ShownFamily& shown, std::shared_ptr<const RewrittenLines> known);
  void DropDuplicates(Block& block) const;
  void CountDuplicates();

  const PageStyle style_;
  const bool drop_target_;
  std::vector<std::shared_ptr<const Family>> families_;  // of the readings, in their order
  std::vector<Block> blocks_;
  std::vector<Place> places_;  // of the readings, unless some are left out as conflicting
  PageFaults faults_;
};

}  // namespace vigia::exporter
