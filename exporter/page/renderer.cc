#include "exporter/page/renderer.h"

#include <charconv>
#include <cstring>
#include <span>

#include "core/number.h"
#include "core/sample.h"

namespace vigia::exporter {
namespace {

constexpr std::size_t kMaxTimeChars = 24;

// Writes into a string that is longer than what has been written; cut to size at the end.
class PageWriter {
 public:
  PageWriter(std::string& page, text::Format format) : page_(page), format_(format) {
    page_.resize(page_.capacity());
  }

  void Append(std::string_view text) {
    Reserve(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void AppendSeries(const PageLayout::Source& source, const FamilyReading& reading) {
    const auto count = reading.values.size();
    if (count == 0) return;
    Reserve(source.line_ends[count - 1] + count * (kMaxDoubleChars + kMaxTimeChars + 1));
    const bool plain = source.skipped.empty() && reading.times.empty();
    std::size_t begin = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t end = source.line_ends[i];
      const double value = reading.values[i];
      const auto line = std::exchange(begin, end);
      if (IsStale(value)) continue;
      if (!plain && !source.skipped.empty() && source.skipped[i]) continue;
      std::memcpy(at_, source.lines + line, end - line);
      at_ = WriteDouble(at_ + (end - line), value);
      if (!plain && !reading.times.empty() && reading.times[i] != 0) WriteTime(reading.times[i]);
      *at_++ = '\n';
    }
  }

  std::size_t size() const { return at_ ? static_cast<std::size_t>(at_ - page_.data()) : 0; }
  void CutTo(std::size_t size) { at_ = page_.data() + size; }
  void Finish() { page_.resize(size()); }

 private:
  void Reserve(std::size_t bytes) {
    const std::size_t used = size();
    if (page_.size() < used + bytes) page_.resize(std::max(used + bytes, page_.size() * 3 / 2));
    at_ = page_.data() + used;
  }

  // Milliseconds, or seconds with three decimals where they are not whole.
  void WriteTime(Timestamp time) {
    *at_++ = ' ';
    const bool seconds = format_ == text::Format::kOpenMetrics;
    if (seconds && time < 0) *at_++ = '-';
    const auto magnitude = seconds && time < 0 ? -time : time;
    at_ = std::to_chars(at_, at_ + kMaxTimeChars, seconds ? magnitude / 1000 : magnitude).ptr;
    const auto rest = static_cast<int>(magnitude % 1000);
    if (!seconds || rest == 0) return;
    *at_++ = '.';
    for (const int unit : {100, 10, 1}) *at_++ = static_cast<char>('0' + rest / unit % 10);
  }

  std::string& page_;
  const text::Format format_;
  char* at_ = nullptr;
};

void Fill(const PageLayout& layout, std::span<const FamilyReading* const> readings,
          text::Format format, std::string& page) {
  PageWriter writer(page, format);
  for (const auto& block : layout.blocks()) {
    const auto before = writer.size();
    writer.Append(block.header);
    const auto empty = writer.size();
    for (const auto& source : block.sources) writer.AppendSeries(source, *readings[source.index]);
    if (writer.size() == empty) writer.CutTo(before);
  }
  if (format == text::Format::kOpenMetrics) writer.Append("# EOF\n");
  writer.Finish();
}

}  // namespace

void PageRenderer::Render(const Snapshot& snapshot, std::string& page) {
  readings_.clear();
  for (const auto& entry : snapshot.entries) {
    for (const auto& family : entry.reading->families) readings_.push_back(&family);
  }
  if (!layout_ || !layout_->Adjust(readings_)) {
    layout_ = std::make_unique<PageLayout>(readings_, style_, false, layout_.get());
  }
  Fill(*layout_, readings_, style_.format, page);
}

std::string RenderFiltered(const Snapshot& snapshot, const PageFilter& filter, PageStyle style) {
  std::vector<const FamilyReading*> readings;
  for (const auto& entry : snapshot.entries) {
    if (!filter.Shows(*entry.instance)) continue;
    for (const auto& family : entry.reading->families) {
      if (filter.ShowsFamily(family.family->head().name)) readings.push_back(&family);
    }
  }
  const PageLayout layout(readings, style, !filter.target.empty(), nullptr);
  std::string page;
  Fill(layout, readings, style.format, page);
  return page;
}

}  // namespace vigia::exporter
