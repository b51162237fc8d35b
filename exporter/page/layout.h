// Where everything stands on a page: which families in which order, under which header, and
// the text of each line up to its value.
//
// A layout depends only on the Family objects of a snapshot, which stay the same while
// collectors report the same series, so it is made rarely and pages are filled in from it. It
// is immutable, and refers to the families it was made for.

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

namespace vigia::exporter {

// What a page leaves out because it would contradict itself.
struct PageFaults {
  std::size_t conflicting = 0;  // series of a family that an earlier instance has as another type
  std::size_t duplicate = 0;    // series that an earlier instance has, too
  std::string first;            // the first of them, for a message

  friend bool operator==(const PageFaults&, const PageFaults&) = default;
};

// The lines of a family as its page writes them, where that differs from Family::lines().
struct RewrittenLines {
  std::string sample_name;  // the family's, as shown
  std::string lines;
  std::vector<std::uint32_t> ends;
};

class PageLayout {
 public:
  // The series of one family of one instance.
  struct Source {
    std::uint32_t index;  // of the reading
    const char* lines;
    const std::uint32_t* line_ends;
    std::vector<bool> skipped;  // empty, or one per series
  };
  // The families of one name.
  struct Block {
    std::string header;
    std::vector<Source> sources;
  };

  // For the families of `readings`. With `drop_target` lines have no label "target". `previous`
  // (may be null) was made with the same `style` and `drop_target`; what did not change is
  // taken over from it.
  PageLayout(std::span<const FamilyReading* const> readings, PageStyle style, bool drop_target,
             const PageLayout* previous);

  // Whether `readings` are of the very families that this layout was made for.
  bool Fits(std::span<const FamilyReading* const> readings) const;

  const std::vector<Block>& blocks() const { return blocks_; }
  const PageFaults& faults() const { return faults_; }

 private:
  class Builder;

  std::vector<std::shared_ptr<const Family>> families_;  // of the readings, in their order
  std::unordered_map<const Family*, std::shared_ptr<const RewrittenLines>> rewritten_;
  std::vector<Block> blocks_;
  PageFaults faults_;
};

}  // namespace vigia::exporter
