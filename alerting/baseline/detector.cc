#include "alerting/baseline/detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace vigia::alerting::baseline {
namespace {

constexpr std::int64_t kWeek = 7 * kDay;
constexpr std::int64_t kSlot = 300;  // seconds: one piece of evidence, however often scraped
constexpr double kBand = 4.0;        // mean deviations, about 3.2 standard ones
constexpr double kAnomaly = 8.0;
constexpr double kWorthTelling = 5.8;  // of Surprise
constexpr double kWinsor = 1.5;
constexpr double kCut = 5.0;       // scales that a residual counts at most
constexpr double kToSigma = 1.25;  // mean absolute to standard deviation
constexpr double kMinSigma = 0.02;
constexpr int kTrusted = 6;            // values of an hour of the day
constexpr double kScaleSlots = 100.0;  // memory of an hour's scale
constexpr double kScaleOfAllSlots = 500.0;
constexpr double kStepRate = 1.02;

// A season is not known before it was seen: two days, and two weeks.
constexpr std::int64_t kLearnDays = 2 * kDay;
constexpr std::int64_t kLearnWeeks = 2 * kWeek;
constexpr std::int64_t kShiftsFrom = 2 * kDay;
constexpr std::int64_t kSeasonSurprises = 3 * kDay;
constexpr std::int64_t kLearnSlow = 20;  // values

constexpr double kGoneBack = 0.4;    // of the size
constexpr double kSizeForEnd = 0.5;  // log ratio at most that it is measured by
constexpr int kEndSlots = 24;
constexpr int kShortestEnd = 5;
constexpr std::int64_t kAcceptAfter = kWeek;
constexpr int kRebaseSlots = 60;

constexpr std::string_view kMagic = "vigia-baseline-1";

}  // namespace

std::string_view Name(State state) {
  constexpr std::array<std::string_view, 6> kNames{"learning",   "ok",          "anomaly",
                                                   "regression", "improvement", "nodata"};
  return kNames[static_cast<int>(state)];
}

// ln(x / e); where that has no meaning, the difference against the largest thing that is normal.
double Detector::LogRatio(double value, double expected, double scale) const {
  const double x = memory_.base + value;
  const double e = memory_.base + expected;
  if (x > 0.0 && e > 0.0) return std::log(x / e);
  const double difference = x - e;
  if (difference == 0.0) return 0.0;
  const double unit = std::max({std::abs(e), kBand * scale, options_.floor, 1e-300});
  return std::clamp(difference / unit, -10.0, 10.0);
}

Detector::Row Detector::Look(std::int64_t time, double value) const {
  const auto& m = memory_;
  Row row;
  row.time = time;
  row.value = value - m.base;
  row.hour = static_cast<int>((time % kDay + kDay) % kDay / 3600);
  row.scale = m.seen[row.hour] > kTrusted ? m.scale[row.hour] : m.scale_of_all;
  row.view = m.profile.Look(time, m.step, row.scale, options_.season);
  const double expected = row.view.known ? row.view.expected : row.value;
  row.residual = row.value - expected;
  row.log_ratio = LogRatio(row.value, expected, row.scale);
  row.sigma = std::max<double>(kMinSigma, m.sigma[row.hour]);
  return row;
}

bool Detector::Ready(std::int64_t age) const {
  const auto& m = memory_;
  if (m.rows < options_.min_samples) return false;
  if (Slow()) return m.rows >= kLearnSlow;
  switch (options_.season) {
    case Season::kNone:
      return age >= kEndSlots * kSlot;
    case Season::kDaily:
      return age >= kLearnDays;
    default:
      return age >= kLearnWeeks;
  }
}

// Follows the median of the distances: up by 2 % when one is longer, else down.
void Detector::FollowStep(std::int64_t time) {
  auto& m = memory_;
  if (m.rows == 0) {
    m.first_time = time;
    m.step = static_cast<double>(kSlot);
    return;
  }
  const auto distance = static_cast<double>(std::max<std::int64_t>(1, time - m.last_time));
  if (m.rows == 1) m.step = distance;
  m.step *= std::clamp(distance / m.step, 1.0 / kStepRate, kStepRate);
}

void Detector::ReadEvery(double seconds, double coarse) {
  constexpr double kDense = 1.5;
  auto& m = memory_;
  if (m.rows > 0 && m.step <= kDense * coarse) m.step = std::clamp(seconds, 1.0, m.step);
}

// A faster scrape is not to be learnt from faster: what has a memory counts slots.
double Detector::PartOfSlot() const { return std::min(1.0, memory_.step / kSlot); }

bool Detector::BeginsSlot(std::int64_t time) const {
  const auto& m = memory_;
  return m.rows == 0 || OneRowASlot() || time / kSlot != m.last_time / kSlot;
}

bool Detector::OneRowASlot() const { return memory_.step > 0.8 * kSlot; }

// Brings the slots up to the row. Values of one slot are one piece of evidence.
Shift::Found Detector::FollowShift(const Row& row) {
  auto& m = memory_;
  if (row.time - m.first_time <= (Slow() ? 0 : kShiftsFrom) || !row.view.known) return {};
  const std::int64_t slot = row.time / kSlot;
  const double scale = std::log1p(options_.min_change) / std::log(1.5);
  const bool quiet = m.held == State::kOk;
  Shift::Found found;
  const auto flush = [&](std::int64_t of) {
    found = m.shift.Add(m.slot_sum / m.slot_values, row.sigma, of * kSlot / 3600, scale, quiet);
    m.slot_sum = 0.0;
    m.slot_values = 0;
  };
  if (m.slot_values > 0 && m.slot != slot) flush(m.slot);
  m.slot = slot;
  m.slot_sum += row.log_ratio;
  ++m.slot_values;
  if (OneRowASlot()) flush(slot);
  return found;
}

void Detector::Begin(const Row& row, const Shift::Found& found) {
  auto& m = memory_;
  const double expected = m.base + row.view.expected;
  const double change =
      expected > 0.0 ? std::abs(std::expm1(found.size)) * expected : std::abs(row.residual);
  if (change < options_.floor) return;
  if (!options_.lesser_changes && std::abs(found.size) < std::log1p(options_.min_change)) return;
  const bool worse = options_.direction == Direction::kBoth ||
                     (found.size > 0.0) == (options_.direction == Direction::kUp);
  m.held = worse ? State::kRegression : State::kImprovement;
  m.held_size = static_cast<float>(found.size);
  const auto length =
      found.slots > 0
          ? static_cast<std::int64_t>((found.slots - 1) * std::max<double>(m.step, kSlot))
          : found.hours * std::int64_t{3600};
  m.held_since = row.time - length;
  if (!Slow()) m.since = std::max(m.held_since, m.since + 1);
}

// Is what was reported over, or has it become the normal?
void Detector::FollowHeld(const Row& row) {
  auto& m = memory_;
  const double recent = m.shift.Recent(HeldSlots(row.time));
  const double size = std::clamp<double>(m.held_size, -kSizeForEnd, kSizeForEnd);
  if (recent * size < kGoneBack * size * size) {
    m.held = State::kOk;
    m.shift.Clear();
    if (!Slow()) m.since = row.time;
  } else if (row.time - m.held_since > kAcceptAfter) {
    Rebase(m.shift.Level(kRebaseSlots));
  }
}

// Those since what is held began, as far as they say what it is like now.
int Detector::HeldSlots(std::int64_t time) const {
  const auto lasted =
      static_cast<double>(time - memory_.held_since) / std::max<double>(memory_.step, kSlot);
  return std::max(kShortestEnd, static_cast<int>(std::min<double>(lasted, kEndSlots)));
}

double Detector::HeldChange(std::int64_t time) const {
  return memory_.held == State::kOk ? 0.0 : std::expm1(memory_.shift.Level(HeldSlots(time)));
}

bool Detector::Anomalous(const Row& row) {
  auto& m = memory_;
  constexpr double kFar = 100.0;
  const double distance = row.residual == 0.0
                              ? 0.0
                              : std::clamp(row.residual / std::max(row.scale, 1e-300), -kFar, kFar);
  const double limit = kAnomaly / options_.sensitivity;
  const bool same_side = distance * m.last_distance > 0.0;
  if (same_side && std::min<double>(std::abs(distance), std::abs(m.last_distance)) > limit) {
    m.anomalous = true;
  } else if (std::abs(distance) < 0.5 * limit) {
    m.anomalous = false;
  }
  m.last_distance = static_cast<float>(distance);
  return m.anomalous;
}

void Detector::Learn(const Row& row) {
  auto& m = memory_;
  if (m.held != State::kOk) return;
  const double expected = row.view.known ? row.view.expected : row.value;
  double clean = row.value;
  if (m.rows >= 4 * kRecent && row.time - m.first_time >= kRecent * kSlot) {
    auto sorted = m.recent;
    std::sort(sorted.begin(), sorted.end());
    const double median = sorted[kRecent / 2];
    const double limit = kWinsor * row.scale;
    clean = std::clamp(row.value, std::min(expected, median) - limit,
                       std::max(expected, median) + limit);
  }
  m.profile.Learn(row.view, row.time, row.value, clean, m.step, row.scale);
  if (m.rows == 0) return;

  const double distance = std::abs(row.residual);
  const double cut = row.scale > 0.0 ? std::min(distance, kCut * row.scale) : distance;
  const auto rows = static_cast<double>(m.rows);
  m.scale_of_all += static_cast<float>(
      std::max(1.0 / (rows + 1.0), PartOfSlot() / kScaleOfAllSlots) * (cut - m.scale_of_all));
  auto& seen = m.seen[row.hour];
  const double gain = PartOfSlot() * std::max(1.0 / (seen + 1.0), 1.0 / kScaleSlots);
  if (seen < 250 && BeginsSlot(row.time)) ++seen;
  m.scale[row.hour] += static_cast<float>(gain * (cut - m.scale[row.hour]));
  if (row.time - m.first_time <= kDay && !Slow()) return;
  const double sigma = std::min(kToSigma * std::abs(row.log_ratio), std::max(3.0 * row.sigma, 0.1));
  m.sigma[row.hour] += static_cast<float>(gain * (sigma - m.sigma[row.hour]));
}

void Detector::Rebase(double size) {
  auto& m = memory_;
  // value -> factor * value, told of values relative to the base.
  m.last_factor = std::exp(size);
  m.last_offset = m.base * (m.last_factor - 1.0);
  m.profile.Rebase(m.last_factor, m.last_offset);
  m.shift.Clear();
  m.held = State::kOk;
}

bool Detector::Accept() {
  if (memory_.held == State::kOk) return false;
  Rebase(memory_.shift.Level(kRebaseSlots));
  return true;
}

bool Detector::Undo() {
  auto& m = memory_;
  if (m.last_factor <= 0.0) return false;
  m.profile.Rebase(1.0 / m.last_factor, -m.last_offset / m.last_factor);
  m.last_factor = m.last_offset = 0.0;
  m.shift.Clear();
  return true;
}

Verdict Detector::Step(std::int64_t time, std::optional<double> value, bool learn) {
  auto& m = memory_;
  Verdict verdict;
  verdict.since = m.since;
  if (!value || !std::isfinite(*value)) return verdict;
  if (m.rows == 0) m.base = *value;
  if (learn) FollowStep(time);
  const auto row = Look(time, *value);
  verdict.known = row.view.known;
  if (verdict.known) {
    const double half = kBand * row.scale / options_.sensitivity;
    verdict.expected = m.base + row.view.expected;
    verdict.lower = verdict.expected - half;
    verdict.upper = verdict.expected + half;
  }
  if (!learn) {
    verdict.state = Ready(time - m.first_time) ? m.held : State::kLearning;
    verdict.change = HeldChange(time);
    return verdict;
  }

  const bool seasonal = time - m.first_time > kSeasonSurprises;
  const auto surprise = m.surprise.Add(row.value, row.residual, seasonal ? row.view.strength : 0.0);
  const auto confidence = [&](double a) {
    return options_.sensitivity * a / (options_.sensitivity * a + kWorthTelling);
  };
  verdict.score = confidence(std::max(0.0, surprise.surprise));
  verdict.alert = confidence(surprise.event);

  const auto found = FollowShift(row);
  const bool ready = Ready(time - m.first_time);
  if (ready && m.held != State::kOk) {
    FollowHeld(row);
  } else if (ready && found) {
    Begin(row, found);
  }
  if (Slow() && m.change.Add(time, row.value)) m.since = m.change.at();
  const bool anomalous = Anomalous(row);
  verdict.since = m.since;
  verdict.state = !ready ? State::kLearning : m.held;
  if (verdict.state == State::kOk && anomalous) verdict.state = State::kAnomaly;
  verdict.change = HeldChange(time);
  Learn(row);
  if (BeginsSlot(time)) m.recent_at = static_cast<std::uint8_t>((m.recent_at + 1) % kRecent);
  m.recent[m.recent_at % kRecent] = static_cast<float>(row.value);
  m.last_time = time;
  ++m.rows;
  return verdict;
}

std::string_view Detector::StateFormat() { return kMagic; }

std::string Detector::Save() const {
  static_assert(std::is_trivially_copyable_v<Memory> && sizeof(Memory) <= 8192);
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&memory_), sizeof(memory_));
  return bytes;
}

bool Detector::Sound(const Memory& m) {
  return m.rows >= 0 && m.slot_values >= 0 && m.profile.Sound() && m.surprise.Sound() &&
         m.shift.Sound() && m.change.Sound() && Finite(m.scale) && Finite(m.sigma) &&
         Finite(m.recent) && (m.rows == 0 || m.step > 0.0) &&
         Finite({m.step, m.base, m.scale_of_all, m.last_distance, m.slot_sum, m.held_size,
                 m.last_factor, m.last_offset});
}

Status Detector::Restore(std::string_view bytes) {
  static_assert(std::is_standard_layout_v<Memory>);
  if (bytes.size() != kMagic.size() + sizeof(memory_) || !bytes.starts_with(kMagic)) {
    return Fail(ErrorCode::kCorrupt, "not the state of a baseline of this version");
  }
  bytes.remove_prefix(kMagic.size());
  // A bool or an enumerator has to be one before it is read as one.
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const auto held = State(byte(offsetof(Memory, held)));
  Memory read;
  if (byte(offsetof(Memory, anomalous)) <= 1 &&
      (held == State::kOk || held == State::kRegression || held == State::kImprovement)) {
    std::memcpy(&read, bytes.data(), sizeof(read));
    if (Sound(read)) {
      memory_ = read;
      return Ok();
    }
  }
  return Fail(ErrorCode::kCorrupt, "the state of a baseline is damaged");
}

}  // namespace vigia::alerting::baseline
