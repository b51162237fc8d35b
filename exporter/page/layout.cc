#include "exporter/page/layout.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace vigia::exporter {

class PageLayout::Builder {
 public:
  Builder(PageLayout& layout, const PageLayout* previous) : layout_(layout) {
    if (!previous) return;
    for (const auto& block : previous->blocks_) {
      for (const auto& source : block.sources) {
        if (source.rewritten) {
          rewritten_.emplace(previous->families_[source.index].get(), source.rewritten);
        }
      }
    }
  }

  void Build() {
    for (const auto& family : layout_.families_) {
      const auto& name = family->head().name;
      names_.insert(layout_.style_.utf8_names ? name : EscapeName(name));
    }
    for (std::uint32_t i = 0; i < layout_.families_.size(); ++i) Add(i);
    auto& blocks = layout_.blocks_;
    for (auto& block : blocks) layout_.DropDuplicates(block);
    std::sort(blocks.begin(), blocks.end(),
              [](const Block& a, const Block& b) { return a.shown.name < b.shown.name; });
  }

 private:
  void Add(std::uint32_t index) {
    const Family& family = *layout_.families_[index];
    auto shown = Show(family.head(), layout_.style_, names_);
    const auto [at, added] = by_name_.try_emplace(shown.name, layout_.blocks_.size());
    if (added) {
      auto header = Header(shown, family.head(), layout_.style_);
      layout_.blocks_.push_back({shown, std::move(header), {}, {}});
    }
    Block& block = layout_.blocks_[at->second];
    if (block.shown.type != shown.type) {
      layout_.faults_.conflicting += family.size();
      if (layout_.faults_.first.empty()) layout_.faults_.first = shown.name;
      return;
    }
    const auto known = rewritten_.find(&family);
    auto& source = block.sources.emplace_back();
    source.index = index;
    layout_.Point(source, shown, known == rewritten_.end() ? nullptr : known->second);
  }

  PageLayout& layout_;
  NameSet names_;
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_name_;
  std::unordered_map<const Family*, std::shared_ptr<const RewrittenLines>> rewritten_;
};

PageLayout::PageLayout(std::span<const FamilyReading* const> readings, PageStyle style,
                       bool drop_target, const PageLayout* previous)
    : style_(style), drop_target_(drop_target) {
  families_.reserve(readings.size());
  for (const auto* reading : readings) families_.push_back(reading->family);
  Builder(*this, previous).Build();
  CountDuplicates();
  if (faults_.conflicting > 0) return;
  places_.resize(families_.size());
  for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
    const auto& sources = blocks_[block].sources;
    for (std::uint32_t i = 0; i < sources.size(); ++i) places_[sources[i].index] = {block, i};
  }
}

bool PageLayout::Adjust(std::span<const FamilyReading* const> readings) {
  if (readings.size() != families_.size()) return false;
  std::vector<std::uint32_t> changed;
  for (std::uint32_t i = 0; i < readings.size(); ++i) {
    if (readings[i]->family == families_[i]) continue;
    if (readings[i]->family->shared_head() != families_[i]->shared_head()) return false;
    changed.push_back(i);
  }
  if (changed.empty()) return true;
  if (places_.empty()) return false;
  for (const auto i : changed) {
    families_[i] = readings[i]->family;
    Block& block = blocks_[places_[i].block];
    Point(block.sources[places_[i].source], block.shown, nullptr);
  }
  for (const auto i : changed) DropDuplicates(blocks_[places_[i].block]);
  CountDuplicates();
  return true;
}

// At the lines of its family, which `known` may be.
void PageLayout::Point(Source& source, const ShownFamily& shown,
                       std::shared_ptr<const RewrittenLines> known) {
  const Family& family = *families_[source.index];
  // What others are called decides about the name, so it may have changed.
  const bool same = known && known->sample_name == shown.sample_name;
  source.rewritten = same ? std::move(known) : Rewrite(family, shown, style_, drop_target_);
  const auto& rewritten = source.rewritten;
  source.lines = rewritten ? rewritten->lines.data() : family.lines().data();
  source.line_ends = rewritten ? rewritten->ends.data() : family.line_ends().data();
}

// A Family has no series twice; two of them may, and so may one whose lines were rewritten.
void PageLayout::DropDuplicates(Block& block) const {
  auto& sources = block.sources;
  block.duplicates = {};
  if (sources.size() < 2 && (sources.empty() || !sources.front().rewritten)) return;
  std::unordered_set<std::string_view, StringHash> seen;
  for (auto& source : sources) {
    const auto count = families_[source.index]->size();
    source.skipped.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i == 0 ? 0 : source.line_ends[i - 1];
      const std::string_view line(source.lines + begin, source.line_ends[i] - begin);
      if (seen.insert(line).second) continue;
      source.skipped.resize(count);
      source.skipped[i] = true;
      if (block.duplicates.duplicate++ == 0) block.duplicates.first = line.substr(0, line.size() - 1);
    }
  }
}

void PageLayout::CountDuplicates() {
  faults_.duplicate = 0;
  if (faults_.conflicting == 0) faults_.first.clear();
  for (const auto& block : blocks_) {
    faults_.duplicate += block.duplicates.duplicate;
    if (faults_.first.empty()) faults_.first = block.duplicates.first;
  }
}

}  // namespace vigia::exporter
