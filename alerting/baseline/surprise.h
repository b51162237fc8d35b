// Surprise: how unlike its own past is this row, and is that news?
//
// Four features of a row, in units of the series' long mean deviation:
//
//     spike    distance of the value from the median of the last 9
//     level    distance of a fast mean (8 rows) from a slow one (300 rows)
//     season   fast mean (12 rows) of the residual from the seasonal expectation
//     range    how far the value lies outside of everything in the last 5000 rows
//
// Each is turned into a surprise: minus the decimal logarithm of the share of the series' own past
// rows that were at least as odd, from a decayed histogram in half octaves; beyond all of the past
// it grows by one half per half octave. This is the conformal p-value of anomaly detection
// (Laxhammar & Falkman 2010; Burnaev & Ishimtsev 2016), and makes a quiet series and a wild one
// comparable. The season counts by twice the share of the deviation that it explains, so that it is
// silent where there is none. The row's surprise is
//
//     max + 0.7 * sum of the others
//
// An alert is an event, not a level: it is given when the surprise exceeds an envelope that jumps
// to every alert and falls with a time constant of 300 rows (a refractory period).
//
// Plain data, copied and stored byte by byte. Not thread-safe.

#pragma once

#include <cstdint>

#include "alerting/baseline/cells.h"

namespace vigia::alerting::baseline {

class Surprise {
 public:
  struct Result {
    double surprise = 0.0;  // 0..about 20
    double event = 0.0;     // the surprise on a row that begins something new, else 0
  };

  // One value, its residual from the expectation, and how much the season explains (0..1; pass 0
  // until the season is known).
  Result Add(double value, double residual, double season_strength);

  // Whether the fields are such as Add() leaves them: a state read from a file may be damaged.
  bool Sound() const;

 private:
  static constexpr int kFeatures = 4;
  static constexpr int kBins = 36;
  static constexpr int kLast = 9;
  static constexpr int kBlocks = 6;

  // A histogram whose weights grow in place of decaying all bins.
  struct Histogram {
    Cells<float, kBins> bins{};
    float total = 0.0F;

    double Surprise(double position, float unit) const;
  };

  double Outside(double value) const;
  void LearnRange(double value);
  double Gain(double memory) const;
  double Level(double value);
  double Score(const Cells<double, kFeatures>& features, const Cells<double, kFeatures>& weights);

  std::int64_t rows_ = 0;
  double fast_ = 0.0, slow_ = 0.0, residual_ = 0.0, scale_ = 0.0;
  double envelope_ = 0.0;
  Cells<Histogram, kFeatures> histograms_{};
  float unit_ = 1.0F;  // weight of the newest row
  Cells<float, kLast> last_{};
  Cells<float, kBlocks> high_{}, low_{};
};

}  // namespace vigia::alerting::baseline
