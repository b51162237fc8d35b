// Shift: has a series moved to another level, and does it stay there?
//
// The input is a series of log ratios u = ln(value / expected), each with its usual deviation
// sigma. Over windows of the last 5 to 64 slots the weighted mean
//
//     mean = sum(u / sigma^2) / sum(1 / sigma^2)        se = 1 / sqrt(sum(1 / sigma^2))
//
// is tested as in a generalised likelihood ratio (Basseville & Nikiforov, "Detection of Abrupt
// Changes", 1993, ch. 2.4). Values are winsorised, and se is inflated by the root mean square of
// mean / se in quiet times, which takes in autocorrelation and what the seasonal model does not
// explain. A window reports a shift when
//
//     |mean| >= effect(window)              a short window has to show more than a long one
//     |mean| >  k * inflated se             it is not noise
//     it lasts                              nearly every slot (short windows) or each quarter of
//     the
//                                           window (long ones) shows it: a spike does not
//     it is no burst                        an outage is more than double the expectation and ends
//                                           within an hour: a short window whose mean is beyond
//                                           double shows nothing, and a long one has to show the
//                                           shift without the slots of a burst
//
// For shifts that are smaller or slower, the same is asked of the last 9 to 20 hourly means.
// Effects are proportional to ln(1 + min_change); those below are for +50 %.
//
// Plain data, copied and stored byte by byte. Not thread-safe.

#pragma once

#include <cstdint>

#include "alerting/baseline/cells.h"

namespace vigia::alerting::baseline {

class Shift {
 public:
  struct Found {
    double size = 0.0;       // log ratio; 0 when there is no shift
    std::int32_t slots = 0;  // length of the window that shows it
    std::int32_t hours = 0;  // the same for hourly means

    explicit operator bool() const { return size != 0.0; }
  };

  // Adds a slot of the hour `hour` (any count that grows by one an hour). `scale` multiplies all
  // effects. `calibrate`: times are quiet, learn what is usual.
  Found Add(double u, double sigma, std::int64_t hour, double scale, bool calibrate);

  // Weighted mean of the last `slots` slots, winsorised: whether there is a change.
  double Recent(int slots) const;
  // Their median: how large it is.
  double Level(int slots) const;

  void Clear();

  // Whether the fields are such as Add() leaves them: a state read from a file may be damaged.
  bool Sound() const;

 private:
  static constexpr int kSlots = 64;
  static constexpr int kHours = 20;
  static constexpr int kWindows = 10;
  static constexpr int kHourWindows = 4;

  // The mean square of a statistic in quiet times.
  struct Usual {
    float mean_square = 0.0F;
    float seen = 0.0F;
    void Learn(double square, double memory, double floor);
  };

  int At(int back) const { return (head_ - 1 - back + 2 * kSlots) % kSlots; }
  bool Lasts(int window, double sign, double effect, const Cells<double, kSlots + 1>& sum,
             const Cells<double, kSlots + 1>& weight) const;
  struct Sums;
  Sums SumUp() const;
  // Whether a window shows a shift.
  bool Shows(int window, double effect, double inflation, const Sums& sums) const;
  Found Windows(double scale, bool calibrate);
  bool AddHour(double clipped, double weight, std::int64_t hour);
  Found HourWindows(double scale, bool calibrate);

  Cells<float, kSlots> u_{};        // as given
  Cells<float, kSlots> clipped_{};  // winsorised
  Cells<float, kSlots> weight_{};
  std::int32_t head_ = 0, count_ = 0;
  Cells<Usual, kWindows> usual_{};

  Cells<float, kHours> hourly_{};  // newest last
  std::int32_t hours_ = 0;
  std::int64_t hour_ = 0;
  double hour_sum_ = 0.0, hour_weight_ = 0.0;
  Cells<Usual, kHourWindows> hour_usual_{};
};

}  // namespace vigia::alerting::baseline
