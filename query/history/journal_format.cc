#include "query/history/journal_format.h"

#include <optional>
#include <vector>

#include "query/history/checksum.h"
#include "query/history/decimal.h"

namespace vigia::history {
namespace {

// A sample's first byte: how the value is written, how many zero bytes are left out below it, and
// whether steps of id and time stand in between.
constexpr unsigned kFormMask = 15;  // 0..8: so many bytes of XOR; from kDecimal on: a difference
constexpr unsigned kDecimal = 9;    // of decimals, whose exponent is what is above kDecimal
constexpr unsigned kMaxShort = kFormMask - kDecimal;
constexpr unsigned kSkippedShift = 4;
constexpr unsigned kSkippedMask = 7;
constexpr unsigned kHasSteps = 128;

// How many values of a series are not looked at after one was no short decimal.
constexpr std::uint8_t kPause = 32;

// The difference of two decimals of a short exponent, which goes to `exponent`.
std::optional<std::int64_t> DecimalStep(double from, double to, unsigned exponent) {
  const auto before = ToDecimal(from, exponent);
  const auto after = before ? ToDecimal(to, exponent) : std::nullopt;
  if (!after) return std::nullopt;
  return *after - *before;
}

// Finds the exponent that fits both, the one that did last time first.
std::optional<std::int64_t> FindStep(double from, double to, std::uint8_t& hint) {
  if (hint > kMaxShort) {
    hint = hint == kMaxShort + 1 ? 0 : hint - 1;
    return std::nullopt;
  }
  for (unsigned exponent = hint; exponent <= kMaxShort; ++exponent) {
    if (const auto step = DecimalStep(from, to, exponent)) {
      hint = static_cast<std::uint8_t>(exponent);
      return step;
    }
  }
  hint = kMaxShort + kPause;
  return std::nullopt;
}

// Writes a changed value behind its steps; returns what the first byte says of it.
unsigned WriteValue(char*& at, double value, PreviousValue& previous) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  std::uint64_t changed = bits ^ previous.bits;
  const auto step = FindStep(std::bit_cast<double>(previous.bits), value, previous.hint);
  const auto skipped = static_cast<unsigned>(std::countr_zero(changed)) / 8;
  changed >>= 8 * skipped;
  const auto count = (static_cast<unsigned>(std::bit_width(changed)) + 7) / 8;
  if (step && Zigzag(*step) >> (7 * count) == 0) {
    at = WriteVarint(at, Zigzag(*step));
    return kDecimal + previous.hint;
  }
  std::memcpy(at, &changed, 8);
  at += count;
  return count | skipped << kSkippedShift;
}

// The value that was written, from `in`; false if the bytes are none.
bool ReadValue(ByteReader& in, unsigned control, std::uint64_t& bits) {
  const unsigned form = control & kFormMask;
  const unsigned skipped = (control >> kSkippedShift) & kSkippedMask;
  if (form >= kDecimal) {
    const unsigned exponent = form - kDecimal;
    const auto before = ToDecimal(std::bit_cast<double>(bits), exponent);
    const std::int64_t step = in.SignedVarint();
    if (!before || skipped != 0) return false;
    bits = std::bit_cast<std::uint64_t>(FromDecimal(WrappingAdd(*before, step), exponent));
    return true;
  }
  if (form + skipped > 8) return false;
  const auto bytes = in.Bytes(form);
  std::uint64_t changed = 0;
  bytes.copy(reinterpret_cast<char*>(&changed), sizeof changed);
  bits ^= changed << (8 * skipped);
  return true;
}

}  // namespace

std::string SegmentHeader(std::uint32_t segment) {
  std::string header(kJournalMagic);
  AppendFixed(header, kJournalVersion);
  AppendFixed(header, segment);
  AppendFixed(header, Checksum(header));
  return header;
}

bool IsSegmentHeader(std::string_view bytes, std::uint32_t segment) {
  return bytes.substr(0, kSegmentHeaderBytes) == SegmentHeader(segment);
}

std::size_t BeginRecord(std::string& out) {
  const std::size_t begin = out.size();
  out.append(kRecordHeaderBytes, '\0');
  return begin;
}

void EndRecord(std::string& out, std::size_t begin) {
  const std::string_view payload = std::string_view(out).substr(begin + kRecordHeaderBytes);
  const auto size = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t checksum = Checksum(payload);
  std::memcpy(out.data() + begin, &size, sizeof size);
  std::memcpy(out.data() + begin + sizeof size, &checksum, sizeof checksum);
}

void DefinitionWriter::Append(std::string& out, SeriesId id, const Labels& labels) {
  AppendVarint(out, id);
  AppendVarint(out, labels.size());
  for (const auto [name, value] : labels) {
    for (const auto text : {name, value}) {
      const auto [found, fresh] = numbers_.try_emplace(text, numbers_.size() + 1);
      AppendVarint(out, fresh ? 0 : found->second);
      if (!fresh) continue;
      AppendVarint(out, text.size());
      out += text;
    }
  }
}

char* SampleWriter::Write(char* out, SeriesId id, Sample sample, PreviousValue& previous) {
  char* at = out + 1;
  const std::int64_t id_step = WrappingSub(id, id_);
  const std::int64_t time_step = WrappingSub(sample.time, time_);
  unsigned control = 0;
  if (id_step != id_step_ || time_step != time_step_) {
    control |= kHasSteps;
    at = WriteVarint(at, Zigzag(id_step));
    at = WriteVarint(at, Zigzag(time_step));
    id_step_ = id_step;
    time_step_ = time_step;
  }
  id_ = id;
  time_ = sample.time;
  const auto bits = std::bit_cast<std::uint64_t>(sample.value);
  if (bits != previous.bits) control |= WriteValue(at, sample.value, previous);
  previous.bits = bits;
  *out = static_cast<char>(control);
  return at;
}

SegmentDecoder::Outcome SegmentDecoder::Next(std::string_view& bytes, const OnSample& on_sample) {
  if (bytes.empty()) return Outcome::kEnd;
  if (bytes.size() < kRecordHeaderBytes) return Outcome::kTorn;
  const auto size = LoadFixed<std::uint32_t>(bytes.data());
  const auto checksum = LoadFixed<std::uint32_t>(bytes.data() + 4);
  const auto rest = bytes.substr(kRecordHeaderBytes);
  const bool zeros = bytes.find_first_not_of('\0') == bytes.npos;
  if (zeros) return Outcome::kTorn;  // room that a crash of the system left unwritten
  if (size == 0 || size > kMaxRecordBytes) return Outcome::kCorrupt;
  if (size > rest.size()) return Outcome::kTorn;
  const auto payload = rest.substr(0, size);
  if (Checksum(payload) != checksum) {
    return size == rest.size() ? Outcome::kTorn : Outcome::kCorrupt;
  }
  ByteReader in(payload);
  bool valid = false;
  switch (static_cast<RecordType>(in.Byte())) {
    case RecordType::kSeries:
      valid = ReadSeries(in);
      break;
    case RecordType::kSamples:
      valid = ReadSamples(in, on_sample);
      break;
    case RecordType::kRestart:
      ++restarts_;
      valid = payload == kRestartMark;
      break;
  }
  if (!valid) return Outcome::kCorrupt;
  bytes.remove_prefix(kRecordHeaderBytes + size);
  return Outcome::kRecord;
}

bool SegmentDecoder::SkipToRestart(std::string_view& bytes) {
  // Not the record that stands at the front already.
  for (std::size_t from = kRecordHeaderBytes + 1;;) {
    const std::size_t mark = bytes.find(kRestartMark, from);
    if (mark == bytes.npos) return false;
    const auto record = bytes.substr(mark - kRecordHeaderBytes);
    if (LoadFixed<std::uint32_t>(record.data()) == kRestartMark.size() &&
        LoadFixed<std::uint32_t>(record.data() + 4) == Checksum(kRestartMark)) {
      bytes = record;
      return true;
    }
    from = mark + 1;
  }
}

bool SegmentDecoder::ReadSeries(ByteReader& in) {
  std::vector<LabelView> labels;
  std::vector<std::string_view> strings;
  const auto read_string = [&]() -> std::string_view {
    const std::uint64_t number = in.Varint();
    if (number != 0) return number <= strings.size() ? strings[number - 1] : std::string_view{};
    strings.push_back(in.Bytes(in.Varint()));
    return strings.back();
  };
  while (in.left() > 0) {
    const std::uint64_t id = in.Varint();
    const std::uint64_t count = in.Varint();
    if (id == 0 || id > ~SeriesId{0} || count > in.left()) return false;
    labels.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      LabelView label;
      label.name = read_string();
      label.value = read_string();
      labels.push_back(label);
    }
    if (in.failed()) return false;
    known_[static_cast<SeriesId>(id)] = {Labels::FromPairs(labels), nullptr, 0, restarts_};
  }
  return true;
}

bool SegmentDecoder::ReadSamples(ByteReader& in, const OnSample& on_sample) {
  std::int64_t id = 0;
  std::int64_t time = 0;
  std::int64_t id_step = 0;
  std::int64_t time_step = 0;
  while (in.left() > 0) {
    const unsigned control = in.Byte();
    if ((control & kHasSteps) != 0) {
      id_step = in.SignedVarint();
      time_step = in.SignedVarint();
    }
    id = WrappingAdd(id, id_step);
    time = WrappingAdd(time, time_step);
    if (in.failed()) return false;
    const auto found = known_.find(static_cast<SeriesId>(id));
    if (id <= 0 || id > std::int64_t{~SeriesId{0}} || found == known_.end()) {
      std::uint64_t unused = 0;
      ++orphans_;
      if (!ReadValue(in, control, unused)) return false;
      continue;
    }
    Known& known = found->second;
    if (known.restart != restarts_) {
      known.restart = restarts_;
      known.bits = 0;
    }
    if (!ReadValue(in, control, known.bits) || in.failed()) return false;
    on_sample(known, {time, std::bit_cast<double>(known.bits)});
  }
  return true;
}

}  // namespace vigia::history
