// Profile: what a series usually is at this time of the day and of the week.
//
// Four layers of running means, each learnt from what the layers above leave over:
//
//     level         the slow mean                                (season none)
//     daily[288]    5 minutes of the day, UTC                    (season daily)
//     coarse[84]    2 hours of the week   } together             (season weekly)
//     fine[672]     15 minutes of the week}
//
// That is a seasonal decomposition by backfitting (Cleveland et al., "STL", 1990) in one pass, with
// running means in place of loess. A bucket is the mean of its visits (a visit is one day, or one
// week) with a limited memory:
//
//     gain = max(1 / (visits * samples per visit + samples of this visit + 1),
//                1 / (memory * samples per visit))
//
// What a bucket says beyond its surroundings (daily) or beyond the layer above (weekly) counts as
// far as it is significant, by the positive-part shrinkage of James and Stein (1961):
//
//     used = x * max(0, 1 - c * scale^2 / (n * x^2))
//
// so that a bump seen twice is expected, and noise is not. With season `auto` the forecasts of the
// level, of the day and of the week are scored by their decayed mean absolute error, and the
// best is used.
//
// Values are relative to the first one of the series, which keeps floats exact enough for series
// far from zero. Plain data, copied and stored byte by byte. Not thread-safe.

#pragma once

#include <cstdint>

#include "alerting/baseline/cells.h"

namespace vigia::alerting::baseline {

enum class Season : std::uint8_t { kAuto, kNone, kDaily, kWeekly };

inline constexpr std::int64_t kDay = 86'400;  // seconds

class Profile {
 public:
  // What the profile says of one moment.
  struct View {
    int daily_bucket = 0, coarse_bucket = 0, fine_bucket = 0;
    bool known = false;  // false before the first value
    bool daily_known = false, weekly_known = false;
    double level = 0.0, daily = 0.0, weekly = 0.0;
    Season season = Season::kNone;  // the one that `expected` comes from
    double expected = 0.0;
    // Share of the mean deviation from the level that the season explains, 0..1.
    double strength = 0.0;
  };

  // At `time` (Unix seconds), for a series of one value per `step` seconds whose mean absolute
  // residual is `scale`.
  View Look(std::int64_t time, double step, double scale, Season wanted) const;

  // Learns a value. `clean` is the value without what makes it an outlier.
  void Learn(const View& view, std::int64_t time, double value, double clean, double step,
             double scale);

  // Moves everything to where value v becomes factor * v + offset.
  void Rebase(double factor, double offset);

  // Whether the fields are such as Learn() leaves them: a state read from a file may be damaged.
  bool Sound() const;

 private:
  static constexpr int kDaily = 288;
  static constexpr int kCoarse = 84;
  static constexpr int kFine = 672;
  static constexpr int kForecasts = 3;  // level, daily, weekly

  // The bucket that samples are arriving in.
  struct Visit {
    std::int16_t bucket = -1;
    std::uint16_t samples = 0;

    // Notes a sample; counts a visit that ends, if it was more than a glimpse.
    void Note(int at, std::uint8_t* visits, double per_visit);
    bool Within(int buckets) const { return bucket >= -1 && bucket < buckets; }
  };

  double DailyAt(int bucket, double scale, bool& known) const;
  double WeeklyAt(const View& view, double step, double scale) const;
  Season Choose(Season wanted, bool weekly_known) const;
  double Error(int forecast) const;
  void Judge(const View& view, std::int64_t time, double value, double step, double scale);

  double level_ = 0.0;
  std::int64_t first_ = 0;
  double samples_ = 0.0;
  Cells<float, kDaily> daily_{};
  Cells<float, kCoarse> coarse_{};
  Cells<float, kFine> fine_{};
  Cells<std::uint8_t, kDaily> daily_visits_{};
  Cells<std::uint8_t, kCoarse> coarse_visits_{};  // of the fine buckets, too
  Visit daily_visit_, coarse_visit_, fine_visit_;
  Cells<float, kForecasts> error_{};
  Cells<float, kForecasts> error_weight_{};
};

}  // namespace vigia::alerting::baseline
