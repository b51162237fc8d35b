#include "core/batch.h"

#include <algorithm>
#include <cstring>

#include "core/hash.h"
#include "core/number.h"
#include "core/slot_table.h"
#include "core/text/utf8.h"

namespace vigia {
namespace {

// The identity of a series within its family, as bytes: for each label the lengths of name
// and value, then both. Labels stand in the order in which the collector gave them.
void AppendKey(std::string& out, std::span<const LabelView> labels) {
  for (const auto& label : labels) {
    const std::uint32_t lengths[] = {static_cast<std::uint32_t>(label.name.size()),
                                     static_cast<std::uint32_t>(label.value.size())};
    out.append(reinterpret_cast<const char*>(lengths), sizeof lengths);
    out += label.name;
    out += label.value;
  }
}

// Whether `key` is what AppendKey would write for `labels`.
bool KeyEquals(std::string_view key, std::span<const LabelView> labels) {
  const char* at = key.data();
  const char* const end = at + key.size();
  for (const auto& label : labels) {
    const std::uint32_t lengths[] = {static_cast<std::uint32_t>(label.name.size()),
                                     static_cast<std::uint32_t>(label.value.size())};
    const auto needed =
        static_cast<std::ptrdiff_t>(sizeof lengths + label.name.size() + label.value.size());
    if (end - at < needed || std::memcmp(at, lengths, sizeof lengths) != 0) return false;
    at += sizeof lengths;
    if (std::memcmp(at, label.name.data(), label.name.size()) != 0) return false;
    at += label.name.size();
    if (!label.value.empty() && std::memcmp(at, label.value.data(), label.value.size()) != 0) {
      return false;
    }
    at += label.value.size();
  }
  return at == end;
}

}  // namespace

// The series of one family: those of the last reading ("known", in its order), followed by
// those that this run added.
//
// As long as a run adds the known series in their order, nothing but values is written.
// At the first departure from it the run becomes "scattered": order_ then lists the slots
// in the order of this run. The slot after the last one is still tried first, a hash table
// finds the others.
class Batch::FamilyBuffer {
 public:
  FamilyBuffer(const Metric& metric, const Labels& constant_labels)
      : head_(std::make_shared<const FamilyHead>(
            FamilyHead{std::string(metric.name), std::string(metric.help), std::string(metric.unit),
                       metric.type})),
        constant_labels_(constant_labels) {}

  enum class Outcome { kAdded, kDuplicate, kRefused };

  // Refuses a series that is not known if `full`.
  Outcome Add(std::span<const LabelView> labels, double value, Timestamp time, bool full) {
    if (!scattered_) {
      const std::size_t next = values_.size();
      if (next < known_ && KeyEquals(Key(next), labels)) {
        Record(value, time);
        return Outcome::kAdded;
      }
      Scatter();
    }
    std::uint32_t slot = Find(labels);
    if (slot == kNone) {
      if (full) return Outcome::kRefused;
      slot = Insert(labels);
    } else if (seen_[slot]) {
      return Outcome::kDuplicate;
    }
    seen_[slot] = true;
    order_.push_back(slot);
    next_ = slot + 1;
    Record(value, time);
    return Outcome::kAdded;
  }

  std::size_t count() const { return values_.size(); }

  // Removes all but the first `count` of this run.
  void Rewind(std::size_t count) {
    if (count >= values_.size()) return;
    if (scattered_) {
      for (std::size_t i = count; i < order_.size(); ++i) seen_[order_[i]] = false;
      order_.resize(count);
      next_ = count == 0 ? 0 : order_.back() + 1;
    }
    values_.resize(count);
    if (!times_.empty()) times_.resize(count);
  }

  // Removes up to `excess` series from the end, the new ones only or any; returns how many.
  std::size_t Trim(std::size_t excess, bool only_new) {
    if (excess == 0 || values_.empty() || (only_new && !scattered_)) return 0;
    if (!scattered_) Scatter();
    std::size_t removed = 0;
    for (std::size_t i = values_.size(); i-- > 0 && removed < excess;) {
      if (only_new && order_[i] < known_) continue;
      const auto at = static_cast<std::ptrdiff_t>(i);
      order_.erase(order_.begin() + at);
      values_.erase(values_.begin() + at);
      if (!times_.empty()) times_.erase(times_.begin() + at);
      ++removed;
    }
    return removed;
  }

  // Ends the run; a family without series in this run gives a reading without values.
  FamilyReading Finish() {
    if (scattered_ || values_.size() != known_) Regenerate();
    FamilyReading reading{family_, std::move(values_), std::move(times_)};
    values_ = {};
    times_ = {};
    values_.reserve(known_);
    return reading;
  }

  void Discard() {
    values_.clear();
    times_.clear();
    if (scattered_) Forget();
  }

 private:
  static constexpr std::uint32_t kNone = SlotTable::kNone;

  std::string_view Key(std::size_t slot) const {
    const std::size_t begin = slot == 0 ? 0 : key_ends_[slot - 1];
    return {keys_.data() + begin, key_ends_[slot] - begin};
  }

  void Record(double value, Timestamp time) {
    values_.push_back(value);
    if (time != 0 || !times_.empty()) {
      times_.resize(values_.size(), 0);
      times_.back() = time;
    }
  }

  void Scatter() {
    scattered_ = true;
    order_.resize(values_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    seen_.assign(known_, false);
    std::fill_n(seen_.begin(), values_.size(), true);
    next_ = static_cast<std::uint32_t>(values_.size());
    slots_.Reset(known_);
    for (std::uint32_t i = 0; i < known_; ++i) slots_.Insert(HashBytes(Key(i)), i);
  }

  std::uint32_t Find(std::span<const LabelView> labels) {
    // A series that is gone or new leaves the others in their order.
    for (auto slot = next_; slot < known_ && slot <= next_ + 1; ++slot) {
      if (KeyEquals(Key(slot), labels)) return slot;
    }
    scratch_.clear();
    AppendKey(scratch_, labels);
    return slots_.Find(HashBytes(scratch_),
                       [&](std::uint32_t slot) { return Key(slot) == scratch_; });
  }

  // After Find, whose key is still in scratch_.
  std::uint32_t Insert(std::span<const LabelView> labels) {
    const auto slot = static_cast<std::uint32_t>(key_ends_.size());
    keys_ += scratch_;
    key_ends_.push_back(static_cast<std::uint32_t>(keys_.size()));
    new_labels_.push_back(BuildLabels(labels));
    seen_.push_back(false);
    slots_.Insert(HashBytes(scratch_), slot);
    return slot;
  }

  Labels BuildLabels(std::span<const LabelView> labels) const {
    std::vector<LabelView> all;
    std::vector<std::string> repaired;
    repaired.reserve(labels.size());
    all.reserve(labels.size() + constant_labels_.size() + 1);
    all.push_back({kMetricName, head_->name});
    for (const auto& label : constant_labels_) all.push_back(label);
    for (auto label : labels) {
      if (!text::IsUtf8(label.value)) {
        repaired.push_back(text::RepairUtf8(label.value));
        label.value = repaired.back();
      }
      all.push_back(label);
    }
    return Labels::FromPairs(all);
  }

  // Makes the series of this run the known ones, with a Family of their own.
  void Regenerate() {
    if (!scattered_) Scatter();
    std::string keys;
    std::vector<std::uint32_t> key_ends;
    std::vector<Labels> labels;
    keys.reserve(keys_.size());
    key_ends.reserve(order_.size());
    labels.reserve(order_.size());
    for (const auto slot : order_) {
      keys += Key(slot);
      key_ends.push_back(static_cast<std::uint32_t>(keys.size()));
      labels.push_back(slot < known_ ? family_->labels(slot)
                                     : std::move(new_labels_[slot - known_]));
    }
    family_ = family_ ? std::make_shared<const Family>(*family_, std::move(labels), order_)
                      : std::make_shared<const Family>(head_, std::move(labels));
    keys_ = std::move(keys);
    key_ends_ = std::move(key_ends);
    known_ = order_.size();
    Forget();
  }

  // Leaves the scattered state; only the known series remain.
  void Forget() {
    scattered_ = false;
    key_ends_.resize(known_);
    keys_.resize(known_ == 0 ? 0 : key_ends_.back());
    new_labels_ = {};
    order_ = {};
    seen_ = {};
    slots_.Clear();
  }

  const std::shared_ptr<const FamilyHead> head_;
  const Labels& constant_labels_;

  // One entry per slot: first the known ones, then (while scattered) the new ones.
  std::string keys_;
  std::vector<std::uint32_t> key_ends_;
  std::size_t known_ = 0;
  std::shared_ptr<const Family> family_;  // of the known slots
  std::vector<Labels> new_labels_;        // of the others

  // This run.
  std::vector<double> values_;
  std::vector<Timestamp> times_;
  bool scattered_ = false;
  std::vector<std::uint32_t> order_;  // values_[i] belongs to slot order_[i]
  std::vector<bool> seen_;
  std::uint32_t next_ = 0;  // the slot that is likely to come next
  SlotTable slots_;
  std::string scratch_;
};

Batch::Batch(Options options) : options_(std::move(options)) {}
Batch::~Batch() = default;

Batch::FamilyBuffer& Batch::BufferFor(const Metric& metric) {
  if (&metric == last_metric_) return *last_buffer_;
  auto& buffer = by_metric_[&metric];
  if (!buffer) {
    buffers_.push_back(std::make_unique<FamilyBuffer>(metric, options_.constant_labels));
    buffer = buffers_.back().get();
  }
  last_metric_ = &metric;
  last_buffer_ = buffer;
  return *buffer;
}

void Batch::AddAt(const Metric& metric, std::span<const LabelView> labels, double value,
                  Timestamp time) {
  auto& buffer = BufferFor(metric);
  const bool full = size_ >= options_.budget;
  switch (buffer.Add(labels, value, time, full)) {
    case FamilyBuffer::Outcome::kAdded:
      ++size_;
      break;
    case FamilyBuffer::Outcome::kDuplicate:
      if (running_duplicates_++ == 0) {
        running_first_duplicate_ = metric.name;
        running_first_duplicate_ += Labels::FromPairs(labels).ToString();
      }
      break;
    case FamilyBuffer::Outcome::kRefused:
      ++running_dropped_;
      break;
  }
}

void Batch::AddSample(const Metric& metric, std::string_view sample_name,
                      std::span<const LabelView> labels, double value, Timestamp time) {
  if (sample_name == metric.name) return AddAt(metric, labels, value, time);
  std::vector<LabelView> named(labels.begin(), labels.end());
  named.push_back({kMetricName, sample_name});
  AddAt(metric, named, value, time);
}

void Batch::AddHistogram(const Metric& metric, std::span<const LabelView> labels,
                         const HistogramValue& value) {
  const bool summary = metric.type == MetricType::kSummary;
  const std::string name(metric.name);
  std::vector<LabelView> pairs(labels.begin(), labels.end());
  const auto add = [&](const std::string& sample, double number) {
    pairs.push_back({kMetricName, sample});
    AddAt(metric, pairs, number, 0);
    pairs.pop_back();
  };
  const auto add_bucket = [&](double bound, double number) {
    char text[kMaxDoubleChars];
    const char* const end = WriteDouble(text, bound);
    pairs.push_back({summary ? "quantile" : "le", {text, end}});
    add(summary ? name : name + "_bucket", number);
    pairs.pop_back();
  };
  for (const auto& bucket : value.buckets) add_bucket(bucket.upper_bound, bucket.value);
  if (!summary && (value.buckets.empty() || value.buckets.back().upper_bound != kInfinity)) {
    add_bucket(kInfinity, value.count);
  }
  add(name + "_sum", value.sum);
  add(name + "_count", value.count);
}

void Batch::EnforceBudget() {
  for (const bool only_new : {true, false}) {
    for (std::size_t i = buffers_.size(); i-- > 0 && size_ > options_.budget;) {
      const std::size_t removed = buffers_[i]->Trim(size_ - options_.budget, only_new);
      size_ -= removed;
      running_dropped_ += removed;
    }
  }
}

Batch& Batch::OnFailure() {
  if (!on_failure_) on_failure_ = std::make_unique<Batch>(options_);
  return *on_failure_;
}

std::shared_ptr<const Reading> Batch::FinishFailure(Timestamp time) {
  Discard();
  if (!on_failure_ || on_failure_->size_ == 0) return nullptr;
  return on_failure_->Finish(time);
}

Batch::Mark Batch::Here() const {
  Mark mark{{}, running_dropped_, running_duplicates_};
  mark.counts.reserve(buffers_.size());
  for (const auto& buffer : buffers_) mark.counts.push_back(buffer->count());
  return mark;
}

void Batch::Rewind(const Mark& mark) {
  size_ = 0;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    buffers_[i]->Rewind(i < mark.counts.size() ? mark.counts[i] : 0);
    size_ += buffers_[i]->count();
  }
  running_dropped_ = mark.dropped;
  running_duplicates_ = mark.duplicates;
  if (running_duplicates_ == 0) running_first_duplicate_.clear();
}

void Batch::Withhold(const Metric& metric, LabelView label) {
  withheld_.push_back(
      {std::string(metric.name), std::string(label.name), std::string(label.value)});
}

std::shared_ptr<const Reading> Batch::Finish(Timestamp time) {
  if (on_failure_) on_failure_->Discard();
  if (size_ > options_.budget) EnforceBudget();
  auto reading = std::make_shared<Reading>();
  reading->time = time;
  reading->families.reserve(buffers_.size());
  for (const auto& buffer : buffers_) {
    auto family = buffer->Finish();
    if (!family.values.empty()) reading->families.push_back(std::move(family));
  }
  reading->withheld = std::exchange(withheld_, {});
  dropped_ = std::exchange(running_dropped_, 0);
  duplicates_ = std::exchange(running_duplicates_, 0);
  first_duplicate_ = std::exchange(running_first_duplicate_, {});
  size_ = 0;
  return reading;
}

void Batch::Discard() {
  for (const auto& buffer : buffers_) buffer->Discard();
  withheld_.clear();
  running_dropped_ = running_duplicates_ = size_ = 0;
  running_first_duplicate_.clear();
}

}  // namespace vigia
