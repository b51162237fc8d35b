// Finds the slots of an array by the hash of their keys.
//
// Open addressing with 8 bytes per entry, quick to build: a Batch makes one for each run that
// departs from the last. It keeps no keys; whoever asks compares them. Not thread-safe.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigia {

class SlotTable {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // Empties the table and makes room for so many slots; before anything else.
  void Reset(std::size_t expected) {
    size_ = 0;
    entries_.assign(std::bit_ceil(2 * expected + 8), {});
  }
  // Gives its memory back.
  void Clear() { entries_ = {}; }

  void Insert(std::uint64_t hash, std::uint32_t slot) {
    if (2 * ++size_ > entries_.size()) Grow();
    Place({static_cast<std::uint32_t>(hash), slot});
  }

  // The slot with `hash` for which `equals(slot)`, or kNone.
  template <typename Equals>
  std::uint32_t Find(std::uint64_t hash, const Equals& equals) const {
    const auto wanted = static_cast<std::uint32_t>(hash);
    for (std::size_t at = wanted & Mask();; at = (at + 1) & Mask()) {
      const Entry& entry = entries_[at];
      if (entry.slot == kNone) return kNone;
      if (entry.hash == wanted && equals(entry.slot)) return entry.slot;
    }
  }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t slot = kNone;
  };

  std::size_t Mask() const { return entries_.size() - 1; }

  void Place(Entry entry) {
    std::size_t at = entry.hash & Mask();
    while (entries_[at].slot != kNone) at = (at + 1) & Mask();
    entries_[at] = entry;
  }

  void Grow() {
    std::vector<Entry> old(2 * entries_.size());
    old.swap(entries_);
    for (const auto& entry : old) {
      if (entry.slot != kNone) Place(entry);
    }
  }

  std::size_t size_ = 0;
  std::vector<Entry> entries_;  // a power of two, at most half of it taken
};

}  // namespace vigia
