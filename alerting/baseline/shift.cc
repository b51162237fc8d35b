#include "alerting/baseline/shift.h"

#include <algorithm>
#include <cmath>

namespace vigia::alerting::baseline {
namespace {

constexpr double kMaxRatio = 1.2;   // |u| beyond counts as this in a mean: a factor of 3.3
constexpr double kMinSigma = 0.03;  // nobody's latency repeats itself better
constexpr double kWinsor = 0.5;     // |u|, or
constexpr double kWinsorSigmas = 2.0;
constexpr double kMinInflation = 0.7;
constexpr double kMaxSquare = 16.0;  // of a statistic that is learnt, in its mean squares

// In slots. The effects fall in proportion to the logarithm of the length, from 0.34 (+40 %) at 9
// slots to 0.2 (+22 %) at 64: a busy holiday adds nearly that for some hours. Windows shorter than
// 9 are for changes that are beyond doubt.
struct Window {
  int length;
  double effect;
  double errors;   // standard errors that the mean has to exceed
  int exceptions;  // slots that need not show it; -1: quarters are asked
  double part;     // share of the effect that slots or quarters have to show
};
constexpr Window kTable[] = {
    Window{5, 0.480, 3.0, 0, 0.8},   Window{7, 0.480, 3.0, 0, 0.8},
    Window{9, 0.340, 3.0, 1, 0.7},   Window{11, 0.326, 3.0, 1, 0.7},
    Window{14, 0.308, 3.0, -1, 0.7}, Window{20, 0.283, 2.0, -1, 0.7},
    Window{28, 0.259, 2.0, -1, 0.7}, Window{40, 0.234, 2.0, -1, 0.7},
    Window{52, 0.215, 2.0, -1, 0.7}, Window{64, 0.200, 2.0, -1, 0.7},
};
constexpr int kQuarters = 4;

// An outage is more than double for up to an hour; what lasts longer is a level. A short window
// whose mean is beyond double is taken for an outage. Such slots, where there are several in a row,
// are no evidence in a long window: it has to show the change without them.
constexpr double kDouble = 0.693;  // ln 2, of a mean
constexpr double kBurst = 0.8;     // of a slot
constexpr int kBurstSlots = 12;

struct HourWindow {
  int length;
  double effect;
};
constexpr HourWindow kHourTable[] = {HourWindow{9, 0.180}, HourWindow{12, 0.162},
                                     HourWindow{16, 0.144}, HourWindow{20, 0.130}};
constexpr double kHourErrors = 1.5;
constexpr double kHourPart = 0.7;
constexpr int kThirds = 3;

constexpr double kMemory = 4000.0;  // slots
constexpr double kHourMemory = 400.0;

}  // namespace

void Shift::Usual::Learn(double square, double memory, double floor) {
  const double gain = std::max(1.0 / (seen + 1.0), 1.0 / memory);
  const double most = kMaxSquare * std::max<double>(mean_square, floor);
  mean_square += static_cast<float>(gain * (std::min(square, most) - mean_square));
  seen = std::min(seen + 1.0F, 1e6F);
}

void Shift::Clear() {
  head_ = count_ = 0;
  hours_ = 0;
  hour_sum_ = hour_weight_ = 0.0;
}

double Shift::Recent(int slots) const {
  double sum = 0.0;
  double weight = 0.0;
  for (int i = 0; i < std::min<int>(slots, count_); ++i) {
    sum += clipped_[At(i)] * weight_[At(i)];
    weight += weight_[At(i)];
  }
  return weight > 0.0 ? sum / weight : 0.0;
}

double Shift::Level(int slots) const {
  Cells<float, kSlots> last{};
  const int n = std::min<int>(slots, count_);
  if (n == 0) return 0.0;
  for (int i = 0; i < n; ++i) last[i] = u_[At(i)];
  std::nth_element(last.begin(), last.begin() + n / 2, last.begin() + n);
  return last[n / 2];
}

bool Shift::Lasts(int window, double sign, double effect, const Cells<double, kSlots + 1>& sum,
                  const Cells<double, kSlots + 1>& weight) const {
  const auto& w = kTable[window];
  const double least = w.part * effect;
  if (w.exceptions >= 0) {
    int missing = 0;
    for (int i = 0; i < w.length; ++i) missing += sign * u_[At(i)] < least ? 1 : 0;
    return missing <= w.exceptions;
  }
  for (int k = 0; k < kQuarters; ++k) {
    const int from = k * w.length / kQuarters;
    const int to = (k + 1) * w.length / kQuarters;
    if (sign * (sum[to] - sum[from]) < least * (weight[to] - weight[from])) return false;
  }
  return true;
}

// Sums over the last slots: [n] is that of n of them.
struct Shift::Sums {
  Cells<double, kSlots + 1> clipped{}, weight{};    // all
  Cells<double, kSlots + 1> calm{}, calm_weight{};  // those that are not part of a burst
  Cells<double, kSlots + 1> raw{};
  Cells<int, kSlots + 1> bursting{};
};

Shift::Sums Shift::SumUp() const {
  Sums out;
  const auto bursts = [&](int i) { return i >= 0 && i < count_ && std::abs(u_[At(i)]) > kBurst; };
  for (int i = 0; i < count_; ++i) {
    const int at = At(i);
    const double evidence = clipped_[at] * weight_[at];
    const bool calm = !bursts(i) || (!bursts(i - 1) && !bursts(i + 1));
    out.clipped[i + 1] = out.clipped[i] + evidence;
    out.weight[i + 1] = out.weight[i] + weight_[at];
    out.calm[i + 1] = out.calm[i] + (calm ? evidence : 0.0);
    out.calm_weight[i + 1] = out.calm_weight[i] + (calm ? weight_[at] : 0.0);
    out.raw[i + 1] = out.raw[i] + std::clamp<double>(u_[at], -kMaxRatio, kMaxRatio) * weight_[at];
    out.bursting[i + 1] = out.bursting[i] + (bursts(i) ? 1 : 0);
  }
  return out;
}

bool Shift::Shows(int window, double effect, double inflation, const Sums& sums) const {
  const auto& w = kTable[window];
  const int n = w.length;
  const bool is_short = n < kBurstSlots;
  if (is_short && (2 * sums.bursting[n] > n || std::abs(sums.raw[n]) > kDouble * sums.weight[n])) {
    return false;
  }
  const auto shows = [&](const auto& sum, const auto& weight) {
    if (weight[n] <= 0.0) return false;
    const double mean = sum[n] / weight[n];
    return std::abs(mean) > effect && std::abs(mean) * std::sqrt(weight[n]) > w.errors * inflation;
  };
  const double sign = sums.clipped[n] > 0.0 ? 1.0 : -1.0;
  if (!shows(sums.clipped, sums.weight)) return false;
  if (sums.bursting[n] == 0 || sums.bursting[n] > kBurstSlots) {
    return Lasts(window, sign, effect, sums.clipped, sums.weight);
  }
  if (is_short) {
    // Few slots are left: enough to show the effect, not to exclude noise once more.
    return sign * sums.calm[n] > effect * sums.calm_weight[n] &&
           Lasts(window, sign, effect, sums.clipped, sums.weight);
  }
  return sign * sums.calm[n] > 0.0 && shows(sums.calm, sums.calm_weight) &&
         Lasts(window, sign, effect, sums.calm, sums.calm_weight);
}

Shift::Found Shift::Windows(double scale, bool calibrate) {
  const auto sums = SumUp();
  Found found;
  for (int k = 0; k < kWindows && kTable[k].length <= count_; ++k) {
    const int n = kTable[k].length;
    const double mean = sums.clipped[n] / sums.weight[n];
    const double inflation =
        std::max(kMinInflation, std::sqrt(usual_[k].seen > 0.0F ? usual_[k].mean_square : 1.0));
    if (calibrate) usual_[k].Learn(mean * mean * sums.weight[n], kMemory, 1.0);
    if (!found && Shows(k, scale * kTable[k].effect, inflation, sums)) found = {mean, n, 0};
  }
  return found;
}

bool Shift::AddHour(double clipped, double weight, std::int64_t hour) {
  const bool closes = hour_weight_ > 0.0 && hour != hour_;
  if (closes) {
    std::rotate(hourly_.begin(), hourly_.begin() + 1, hourly_.end());
    hourly_[kHours - 1] = static_cast<float>(hour_sum_ / hour_weight_);
    hours_ = std::min(hours_ + 1, kHours);
    hour_sum_ = hour_weight_ = 0.0;
  }
  hour_sum_ += clipped * weight;
  hour_weight_ += weight;
  hour_ = hour;
  return closes;
}

Shift::Found Shift::HourWindows(double scale, bool calibrate) {
  Cells<double, kHours + 1> sum{};
  for (int i = 0; i < hours_; ++i) sum[i + 1] = sum[i] + hourly_[kHours - 1 - i];
  Found found;
  for (int k = 0; k < kHourWindows && kHourTable[k].length <= hours_; ++k) {
    const auto& w = kHourTable[k];
    const double mean = sum[w.length] / w.length;
    if (calibrate) hour_usual_[k].Learn(mean * mean, kHourMemory, 1e-4);
    const double effect = scale * w.effect;
    if (found || std::abs(mean) < effect ||
        std::abs(mean) < kHourErrors * std::sqrt(hour_usual_[k].mean_square)) {
      continue;
    }
    const double sign = mean > 0.0 ? 1.0 : -1.0;
    bool lasts = true;
    for (int part = 0; part < kThirds; ++part) {
      const int from = part * w.length / kThirds;
      const int to = (part + 1) * w.length / kThirds;
      lasts = lasts && sign * (sum[to] - sum[from]) >= kHourPart * effect * (to - from);
    }
    if (lasts) found = {mean, 0, w.length};
  }
  return found;
}

Shift::Found Shift::Add(double u, double sigma, std::int64_t hour, double scale, bool calibrate) {
  sigma = std::max(sigma, kMinSigma);
  const double most = std::max(kWinsor * std::max(1.0, scale), kWinsorSigmas * sigma);
  const double clipped = std::clamp(u, -most, most);
  const double weight = 1.0 / (sigma * sigma);
  u_[head_] = static_cast<float>(u);
  clipped_[head_] = static_cast<float>(clipped);
  weight_[head_] = static_cast<float>(weight);
  head_ = (head_ + 1) % kSlots;
  count_ = std::min(count_ + 1, kSlots);

  auto found = Windows(scale, calibrate);
  if (AddHour(clipped, weight, hour)) {
    const auto slow = HourWindows(scale, calibrate);
    if (!found) found = slow;
  }
  return found;
}

bool Shift::Sound() const {
  const auto usual = [](const Usual& one) { return Finite({one.mean_square, one.seen}); };
  return head_ >= 0 && head_ < kSlots && count_ >= 0 && count_ <= kSlots && hours_ >= 0 &&
         hours_ <= kHours && Finite(u_) && Finite(clipped_) && Finite(weight_) && Finite(hourly_) &&
         Finite({hour_sum_, hour_weight_}) && std::all_of(usual_.begin(), usual_.end(), usual) &&
         std::all_of(hour_usual_.begin(), hour_usual_.end(), usual);
}

}  // namespace vigia::alerting::baseline
