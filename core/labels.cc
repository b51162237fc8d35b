#include "core/labels.h"

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstring>
#include <new>

#include "core/hash.h"
#include "core/text/escape.h"
#include "core/text/scan.h"

namespace vigia {

// One allocation: this header, then 2*count end offsets, then the bytes of
// name, value, name, value, ...
struct Labels::Block {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t count = 0;
  std::uint64_t hash = 0;

  std::uint32_t* ends() { return reinterpret_cast<std::uint32_t*>(this + 1); }
  const std::uint32_t* ends() const { return reinterpret_cast<const std::uint32_t*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(ends() + 2 * count); }
  std::size_t size() const {
    return sizeof(Block) + 2 * count * sizeof(std::uint32_t) + ends()[2 * count - 1];
  }
  // The i-th string: even are names, odd are values.
  std::string_view At(std::size_t i) const {
    const std::uint32_t begin = i == 0 ? 0 : ends()[i - 1];
    return {bytes() + begin, ends()[i] - begin};
  }

  static void Release(Block* block) {
    if (block && block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      block->~Block();
      ::operator delete(block);
    }
  }
};

Labels Labels::FromSorted(std::span<const LabelView> labels) {
  if (labels.empty()) return {};
  std::size_t bytes = 0;
  for (const auto& label : labels) bytes += label.name.size() + label.value.size();

  void* memory = ::operator new(sizeof(Block) + 2 * labels.size() * sizeof(std::uint32_t) + bytes);
  auto* block = new (memory) Block;
  block->count = static_cast<std::uint32_t>(labels.size());
  char* out = const_cast<char*>(block->bytes());
  const char* const start = out;
  std::uint32_t* end = block->ends();
  for (const auto& label : labels) {
    for (const std::string_view text : {label.name, label.value}) {
      if (!text.empty()) std::memcpy(out, text.data(), text.size());
      out += text.size();
      *end++ = static_cast<std::uint32_t>(out - start);
    }
  }
  // The offsets are hashed too: they are what tells {a="bc"} from {ab="c"}.
  block->hash = HashBytes({reinterpret_cast<const char*>(block->ends()),
                           2 * labels.size() * sizeof(std::uint32_t) + bytes});
  return Labels(block);
}

Labels Labels::FromPairs(std::span<const LabelView> labels) {
  std::vector<LabelView> sorted(labels.begin(), labels.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const LabelView& a, const LabelView& b) { return a.name < b.name; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool repeated = i + 1 < sorted.size() && sorted[i + 1].name == sorted[i].name;
    if (!repeated && !sorted[i].value.empty()) sorted[kept++] = sorted[i];
  }
  return FromSorted({sorted.data(), kept});
}

Labels::Labels(std::initializer_list<LabelView> labels)
    : Labels(FromPairs({labels.begin(), labels.size()})) {}

Labels::Labels(const Labels& other) noexcept : block_(other.block_) {
  if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Labels& Labels::operator=(const Labels& other) noexcept {
  Labels copy(other);
  std::swap(block_, copy.block_);
  return *this;
}

Labels& Labels::operator=(Labels&& other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}

Labels::~Labels() { Block::Release(block_); }

std::size_t Labels::size() const { return block_ ? block_->count : 0; }

LabelView Labels::operator[](std::size_t i) const {
  return {block_->At(2 * i), block_->At(2 * i + 1)};
}

// Linear: label sets have a handful of entries.
std::string_view Labels::Get(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (block_->At(2 * i) == name) return block_->At(2 * i + 1);
  }
  return {};
}

std::uint64_t Labels::Hash() const { return block_ ? block_->hash : 0; }

std::size_t Labels::HeapBytes() const { return block_ ? block_->size() : 0; }

std::string Labels::ToString() const {
  std::string out(MetricName());
  bool first = true;
  for (const auto [name, value] : *this) {
    if (name == kMetricName) continue;
    out += first ? '{' : ',';
    if (!first) out += ' ';
    first = false;
    out += name;
    out += "=\"";
    text::AppendLabelValue(out, value);
    out += '"';
  }
  if (!first) {
    out += '}';
  } else if (out.empty()) {
    out = "{}";
  }
  return out;
}

bool operator==(const Labels& a, const Labels& b) {
  if (a.block_ == b.block_) return true;
  if (!a.block_ || !b.block_ || a.block_->hash != b.block_->hash) return false;
  const std::size_t size = a.block_->size();
  return size == b.block_->size() && a.block_->count == b.block_->count &&
         std::memcmp(a.block_->ends(), b.block_->ends(), size - sizeof(Labels::Block)) == 0;
}

std::strong_ordering operator<=>(const Labels& a, const Labels& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

LabelsBuilder::LabelsBuilder(const Labels& base) {
  labels_.reserve(base.size());
  for (const auto [name, value] : base) labels_.emplace_back(name, value);
}

LabelsBuilder& LabelsBuilder::Set(std::string_view name, std::string_view value) {
  const auto at = std::find_if(labels_.begin(), labels_.end(),
                               [&](const auto& label) { return label.first == name; });
  if (at == labels_.end()) {
    if (!value.empty()) labels_.emplace_back(name, value);
  } else if (value.empty()) {
    labels_.erase(at);
  } else {
    at->second = value;
  }
  return *this;
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const auto& [label, value] : labels_) {
    if (label == name) return value;
  }
  return {};
}

LabelsBuilder& LabelsBuilder::Retain(std::span<const std::string> names, bool keep) {
  std::erase_if(labels_, [&](const auto& label) {
    return (std::find(names.begin(), names.end(), label.first) != names.end()) != keep;
  });
  return *this;
}

Labels LabelsBuilder::Build() const {
  std::vector<LabelView> views;
  views.reserve(labels_.size());
  for (const auto& [name, value] : labels_) views.push_back({name, value});
  return Labels::FromPairs(views);
}

namespace {

bool IsLegacyName(std::string_view name, bool colon) {
  const char* const end = name.data() + name.size();
  return !name.empty() && text::SkipName(name.data(), end, colon) == end;
}

}  // namespace

bool IsLegacyMetricName(std::string_view name) { return IsLegacyName(name, true); }
bool IsLegacyLabelName(std::string_view name) { return IsLegacyName(name, false); }

}  // namespace vigia
