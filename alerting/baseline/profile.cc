#include "alerting/baseline/profile.h"

#include <algorithm>
#include <cmath>

namespace vigia::alerting::baseline {
namespace {

// Two weeks of working days, and a month and a half of weeks: long against a regression that
// nobody has noticed yet, short against a product that grows.
constexpr double kDailyMemory = 10.0;
constexpr double kWeeklyMemory = 6.0;
constexpr double kLevelMemory = static_cast<double>(kDay);
constexpr double kLevelMemoryRows = 50.0;  // at least, for series of few values
constexpr double kErrorMemory = 3.0 * kDay;

constexpr double kDailyLength = 300.0;
constexpr double kCoarseLength = 7200.0;
constexpr double kFineLength = 900.0;

// Buckets on either side that a daily bucket is compared with, and how far to look when those
// have never been seen.
constexpr int kAround = 4;
constexpr int kFarAround = 12;

constexpr double kDailyShrink = 2.0;
constexpr double kWeeklyShrink = 1.0;

// The weekly forecast contains the daily one, so it may win by a hair's breadth.
constexpr double kWeeklyHandicap = 1.005;
constexpr float kJudged = 0.05F;  // weight from which an error is believed

double Gain(double visits, double samples, double per_visit, double memory) {
  return std::max(1.0 / (visits * per_visit + samples + 1.0), 1.0 / (memory * per_visit));
}

// x as far as it stands out from the error of a mean of n samples.
double Shrink(double x, double scale, double n, double c) {
  if (x == 0.0) return 0.0;
  return x * std::max(0.0, 1.0 - c * scale * scale / (n * x * x));
}

bool Seasonal(double step) { return step <= kDay / 4.0; }

}  // namespace

void Profile::Visit::Note(int at, std::uint8_t* visits, double per_visit) {
  if (bucket == at) {
    if (samples < 65'000) ++samples;
    return;
  }
  if (visits != nullptr && bucket >= 0 && visits[bucket] < 250 && 3 * (samples + 1) >= per_visit) {
    ++visits[bucket];
  }
  bucket = static_cast<std::int16_t>(at);
  samples = 0;
}

double Profile::DailyAt(int bucket, double scale, bool& known) const {
  double around = 0.0;
  double weight = 0.0;
  for (int reach = 1; reach <= kFarAround; ++reach) {
    for (int other : {bucket - reach, bucket + reach}) {
      if (other < 0) other += kDaily;
      if (other >= kDaily) other -= kDaily;
      const double w = std::min<double>(daily_visits_[other], kDailyMemory) / reach;
      around += w * daily_[other];
      weight += w;
    }
    if (reach >= kAround && weight > 0.0) break;
  }
  const bool here = bucket == daily_visit_.bucket && daily_visit_.samples > 0;
  const double own = daily_visits_[bucket] + (here ? 1.0 : 0.0);
  known = own > 0.0 || weight > 0.0;
  if (!known) return 0.0;
  if (weight == 0.0) return daily_[bucket];
  around /= weight;
  if (own == 0.0) return around;
  const double n = std::min(own, kDailyMemory);
  return around + Shrink(daily_[bucket] - around, scale, n, kDailyShrink);
}

double Profile::WeeklyAt(const View& view, double step, double scale) const {
  const double visits = std::min<double>(coarse_visits_[view.coarse_bucket], kWeeklyMemory);
  if (visits < 1.0) return 0.0;
  // Half of the samples: neighbours in time repeat each other, and all those within 5 minutes do.
  const double apart = std::max(step, kDailyLength);
  const auto samples = [&](double length) { return 0.5 * visits * std::max(1.0, length / apart); };
  return Shrink(coarse_[view.coarse_bucket], scale, samples(kCoarseLength), kWeeklyShrink) +
         Shrink(fine_[view.fine_bucket], scale, samples(kFineLength), kWeeklyShrink);
}

double Profile::Error(int forecast) const {
  return error_weight_[forecast] > kJudged ? error_[forecast] / error_weight_[forecast] : 1e300;
}

Season Profile::Choose(Season wanted, bool weekly_known) const {
  if (wanted == Season::kWeekly) return weekly_known ? Season::kWeekly : Season::kDaily;
  if (wanted != Season::kAuto) return wanted;
  const double level = Error(0);
  const double daily = Error(1);
  const double weekly = weekly_known ? Error(2) : 1e300;
  const bool day = daily < level;
  if (weekly < (day ? kWeeklyHandicap * daily : level)) return Season::kWeekly;
  return day ? Season::kDaily : Season::kNone;
}

Profile::View Profile::Look(std::int64_t time, double step, double scale, Season wanted) const {
  View view;
  view.known = samples_ > 0.0;
  view.level = view.expected = level_;
  if (!Seasonal(step)) return view;
  // 1970-01-01 was a Thursday: weeks begin on Monday.
  const std::int64_t week = ((time + 3 * kDay) % (7 * kDay) + 7 * kDay) % (7 * kDay);
  view.daily_bucket = static_cast<int>(week % kDay / 300);
  view.coarse_bucket = static_cast<int>(week / 7200);
  view.fine_bucket = static_cast<int>(week / 900);
  view.daily = DailyAt(view.daily_bucket, scale, view.daily_known);
  view.weekly_known = view.daily_known && coarse_visits_[view.coarse_bucket] > 0;
  view.weekly = view.daily + WeeklyAt(view, step, scale);
  if (!view.daily_known || time - first_ < kDay) return view;
  view.season = Choose(wanted, view.weekly_known);
  if (view.season == Season::kDaily) view.expected = view.daily;
  if (view.season == Season::kWeekly) view.expected = view.weekly;
  if (view.season != Season::kNone && Error(0) < 1e300 && Error(0) > 0.0) {
    view.strength = std::clamp(1.0 - Error(1) / Error(0), 0.0, 1.0);
  }
  return view;
}

void Profile::Judge(const View& view, std::int64_t time, double value, double step, double scale) {
  if (samples_ <= 0.0 || time - first_ < kDay) return;
  const double gain = std::min(0.5, step / kErrorMemory);
  const auto note = [&](int k, double forecast) {
    const double error = std::min(std::abs(value - forecast), 9.0 * scale);
    error_[k] += static_cast<float>(gain * (error - error_[k]));
    error_weight_[k] += static_cast<float>(gain * (1.0 - error_weight_[k]));
  };
  note(0, view.level);
  if (view.daily_known) note(1, view.daily);
  if (view.weekly_known && time - first_ > 7 * kDay) note(2, view.weekly);
}

void Profile::Learn(const View& view, std::int64_t time, double value, double clean, double step,
                    double scale) {
  if (samples_ <= 0.0) {
    first_ = time;
    level_ = clean;
  }
  if (Seasonal(step)) Judge(view, time, value, step, scale);
  samples_ = std::min(samples_ + 1.0, 1e9);
  level_ += std::max(1.0 / samples_, 1.0 / std::max(kLevelMemory / step, kLevelMemoryRows)) *
            (clean - level_);
  if (!Seasonal(step)) return;

  const double per_day = std::max(kDailyLength / step, 1.0);
  const double per_coarse = std::max(kCoarseLength / step, 1.0);
  const double per_fine = std::max(kFineLength / step, 1.0);
  daily_visit_.Note(view.daily_bucket, daily_visits_.begin(), per_day);
  fine_visit_.Note(view.fine_bucket, nullptr, per_fine);
  coarse_visit_.Note(view.coarse_bucket, coarse_visits_.begin(), per_coarse);

  float& daily = daily_[view.daily_bucket];
  const double days = daily_visits_[view.daily_bucket];
  if (days == 0.0 && daily_visit_.samples == 0) {
    daily = static_cast<float>(view.daily_known ? 0.5 * (view.daily + clean) : clean);
  } else {
    daily += static_cast<float>(Gain(days, daily_visit_.samples, per_day, kDailyMemory) *
                                (clean - daily));
  }
  const double left = clean - (view.daily_known ? view.daily : clean);
  const double weeks = coarse_visits_[view.coarse_bucket];
  float& coarse = coarse_[view.coarse_bucket];
  float& fine = fine_[view.fine_bucket];
  coarse += static_cast<float>(Gain(weeks, coarse_visit_.samples, per_coarse, kWeeklyMemory) *
                               (left - coarse));
  fine += static_cast<float>(Gain(weeks, fine_visit_.samples, per_fine, kWeeklyMemory) *
                             (left - coarse - fine));
}

bool Profile::Sound() const {
  return Finite({level_, samples_}) && Finite(daily_) && Finite(coarse_) && Finite(fine_) &&
         Finite(error_) && Finite(error_weight_) && daily_visit_.Within(kDaily) &&
         coarse_visit_.Within(kCoarse) && fine_visit_.Within(kFine);
}

void Profile::Rebase(double factor, double offset) {
  level_ = factor * level_ + offset;
  for (auto& x : daily_) x = static_cast<float>(factor * x + offset);
  for (auto& x : coarse_) x = static_cast<float>(factor * x);
  for (auto& x : fine_) x = static_cast<float>(factor * x);
}

}  // namespace vigia::alerting::baseline
