#include "exporter/page/layout.h"

#include <algorithm>

#include "exporter/page/rewrite.h"

namespace vigia::exporter {

class PageLayout::Builder {
 public:
  Builder(PageLayout& layout, PageStyle style, bool drop_target, const PageLayout* previous)
      : layout_(layout), style_(style), drop_target_(drop_target), previous_(previous) {}

  void Build(std::span<const FamilyReading* const> readings) {
    for (const auto* reading : readings) {
      const auto& name = reading->family->head().name;
      names_.insert(style_.utf8_names ? name : EscapeName(name));
    }
    for (std::uint32_t i = 0; i < readings.size(); ++i) Add(i, readings[i]->family);
    for (auto& group : groups_) DropDuplicates(group);
    std::sort(groups_.begin(), groups_.end(),
              [](const Group& a, const Group& b) { return a.shown.name < b.shown.name; });
    layout_.blocks_.reserve(groups_.size());
    for (auto& group : groups_) layout_.blocks_.push_back(std::move(group.block));
  }

 private:
  struct Group {
    ShownFamily shown;
    Block block;
    bool rewritten = false;
  };

  void Add(std::uint32_t index, const std::shared_ptr<const Family>& family) {
    auto shown = Show(family->head(), style_, names_);
    const auto [at, added] = by_name_.try_emplace(shown.name, groups_.size());
    if (added) {
      groups_.push_back({shown, {Header(shown, family->head(), style_), {}}});
    }
    Group& group = groups_[at->second];
    if (group.shown.type != shown.type) {
      layout_.faults_.conflicting += family->size();
      Note(shown.name);
      return;
    }
    Source source{index, family->lines().data(), family->line_ends().data(), {}};
    if (const auto rewritten = RewrittenOf(family, shown)) {
      group.rewritten = true;
      source.lines = rewritten->lines.data();
      source.line_ends = rewritten->ends.data();
    }
    group.block.sources.push_back(std::move(source));
  }

  const RewrittenLines* RewrittenOf(const std::shared_ptr<const Family>& family,
                                    const ShownFamily& shown) {
    std::shared_ptr<const RewrittenLines> lines;
    if (previous_) {
      const auto at = previous_->rewritten_.find(family.get());
      // What others are called decides about the name, so it may have changed.
      if (at != previous_->rewritten_.end() && at->second->sample_name == shown.sample_name) {
        lines = at->second;
      }
    }
    if (!lines) lines = Rewrite(*family, shown, style_, drop_target_);
    if (!lines) return nullptr;
    return layout_.rewritten_.insert_or_assign(family.get(), std::move(lines)).first->second.get();
  }

  // A Family has no series twice; two of them may, and so may one whose lines were rewritten.
  void DropDuplicates(Group& group) {
    auto& sources = group.block.sources;
    if (sources.size() < 2 && !group.rewritten) return;
    std::unordered_set<std::string_view, StringHash> seen;
    for (auto& source : sources) {
      const auto count = layout_.families_[source.index]->size();
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = i == 0 ? 0 : source.line_ends[i - 1];
        const std::string_view line(source.lines + begin, source.line_ends[i] - begin);
        if (seen.insert(line).second) continue;
        source.skipped.resize(count);
        source.skipped[i] = true;
        ++layout_.faults_.duplicate;
        Note(line.substr(0, line.size() - 1));
      }
    }
  }

  void Note(std::string_view series) {
    if (layout_.faults_.first.empty()) layout_.faults_.first = series;
  }

  PageLayout& layout_;
  const PageStyle style_;
  const bool drop_target_;
  const PageLayout* const previous_;
  NameSet names_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_name_;
};

PageLayout::PageLayout(std::span<const FamilyReading* const> readings, PageStyle style,
                       bool drop_target, const PageLayout* previous) {
  families_.reserve(readings.size());
  for (const auto* reading : readings) families_.push_back(reading->family);
  Builder(*this, style, drop_target, previous).Build(readings);
}

bool PageLayout::Fits(std::span<const FamilyReading* const> readings) const {
  return std::equal(
      readings.begin(), readings.end(), families_.begin(), families_.end(),
      [](const FamilyReading* reading, const auto& family) { return reading->family == family; });
}

}  // namespace vigia::exporter
