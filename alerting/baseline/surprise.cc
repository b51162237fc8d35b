#include "alerting/baseline/surprise.h"

#include <algorithm>
#include <cmath>

namespace vigia::alerting::baseline {
namespace {

constexpr double kFastRows = 8.0;
constexpr double kSlowRows = 300.0;
constexpr double kSeasonRows = 12.0;
constexpr double kMemoryRows = 4000.0;
constexpr double kRangeRows = 5000.0;
constexpr double kRefractoryRows = 300.0;

constexpr double kOthers = 0.7;
constexpr double kSeasonWeight = 2.0;
constexpr double kMaxSurprise = 3.5;  // a histogram of 4000 rows can tell no more
constexpr double kBeyondPerBin = 0.5;
constexpr double kMaxBeyond = 3.0;
constexpr double kSmallOutside = 0.02;  // of the range: exceeding it by less is hardly news
constexpr double kWorthAnEvent = 2.0;
constexpr std::int64_t kFirstEvent = 50;  // rows before which nothing is judged
constexpr std::int64_t kFirstCounted = 10;
constexpr float kGlimpse = 0.3F;  // weight, in rows, under which a bin counts as empty

constexpr double kLowestOctave = -8.0;
constexpr int kSeason = 2;  // place of the feature

// Where in the histogram a feature falls, in half octaves.
double Position(double feature, int bins) {
  if (feature <= 0.0) return 0.0;
  return std::clamp(2.0 * (std::log2(feature) - kLowestOctave), 0.0, bins - 1.001);
}

}  // namespace

double Surprise::Histogram::Surprise(double position, float unit) const {
  const int bin = static_cast<int>(position);
  float above = 0.0F;
  for (int k = bin + 1; k < kBins; ++k) above += bins[k];
  const double as_odd = (above + (1.0 - (position - bin)) * bins[bin]) / unit;
  double surprise = std::min(kMaxSurprise, -std::log10((as_odd + 0.5) / (total / unit + 1.0)));
  if (total > 0.0F && above + bins[bin] < kGlimpse * unit) {
    int top = bin;
    while (top > 0 && bins[top] < kGlimpse * unit) --top;
    surprise += std::clamp(kBeyondPerBin * (position - top - 1.0), 0.0, kMaxBeyond);
  }
  return surprise;
}

double Surprise::Outside(double value) const {
  const double high = *std::max_element(high_.begin(), high_.end());
  const double low = *std::min_element(low_.begin(), low_.end());
  return std::max({value - high, low - value, 0.0});
}

void Surprise::LearnRange(double value) {
  constexpr auto kRowsPerBlock = static_cast<std::int64_t>(kRangeRows / kBlocks);
  const auto x = static_cast<float>(value);
  const auto block = rows_ / kRowsPerBlock % kBlocks;
  if (rows_ == 0) {
    high_.Fill(x);
    low_.Fill(x);
  } else if (rows_ % kRowsPerBlock == 0) {
    high_[block] = low_[block] = x;
  } else {
    high_[block] = std::max(high_[block], x);
    low_[block] = std::min(low_[block], x);
  }
}

// Of a mean over all rows while they are few.
double Surprise::Gain(double memory) const {
  return std::max(1.0 / (static_cast<double>(rows_) + 1.0), 1.0 / memory);
}

double Surprise::Level(double value) {
  fast_ += Gain(kFastRows) * (value - fast_);
  return std::abs(fast_ - slow_);
}

double Surprise::Score(const Cells<double, kFeatures>& features,
                       const Cells<double, kFeatures>& weights) {
  double most = 0.0;
  double sum = 0.0;
  for (int k = 0; k < kFeatures; ++k) {
    if (k == kSeason && weights[k] <= 0.0) continue;  // nothing is known of it
    auto& histogram = histograms_[k];
    const double position = Position(features[k], kBins);
    const double surprise = weights[k] * histogram.Surprise(position, unit_);
    most = std::max(most, surprise);
    sum += surprise;
    if (rows_ > kFirstCounted) {
      histogram.bins[static_cast<int>(position)] += unit_;
      histogram.total += unit_;
    }
  }
  unit_ *= static_cast<float>(1.0 / (1.0 - 1.0 / kMemoryRows));
  if (unit_ > 1e6F) {
    for (auto& histogram : histograms_) {
      for (auto& bin : histogram.bins) bin /= unit_;
      histogram.total /= unit_;
    }
    unit_ = 1.0F;
  }
  return most + kOthers * (sum - most);
}

Surprise::Result Surprise::Add(double value, double residual, double season_strength) {
  if (rows_ == 0) {
    fast_ = slow_ = value;
    last_.Fill(static_cast<float>(value));
    LearnRange(value);
  }
  auto sorted = last_;
  std::nth_element(sorted.begin(), sorted.begin() + kLast / 2, sorted.end());
  const double spike = std::abs(value - sorted[kLast / 2]);
  const double level = Level(value);
  residual_ += (residual - residual_) / kSeasonRows;
  const double outside = Outside(value);
  const double width =
      *std::max_element(high_.begin(), high_.end()) - *std::min_element(low_.begin(), low_.end());
  const double unit = std::max(scale_, 1e-300);
  const double season = kSeasonWeight * season_strength;
  const double news = outside > 0.0 ? outside / (outside + kSmallOutside * width + 1e-300) : 0.0;

  Result result;
  result.surprise = Score({spike / unit, level / unit, std::abs(residual_) / unit, outside / unit},
                          {1.0, 1.0, season, news});
  if (rows_ <= kFirstEvent) result.surprise = 0.0;
  envelope_ *= 1.0 - 1.0 / kRefractoryRows;
  if (result.surprise > std::max(envelope_, kWorthAnEvent)) {
    result.event = envelope_ = result.surprise;
  }

  slow_ += Gain(kSlowRows) * (value - slow_);
  scale_ += Gain(kMemoryRows) * (std::abs(value - slow_) - scale_);
  if (rows_ > 0) LearnRange(value);
  last_[rows_ % kLast] = static_cast<float>(value);
  ++rows_;
  return result;
}

bool Surprise::Sound() const {
  const auto finite = [](const Histogram& histogram) {
    return Finite(histogram.bins) && Finite({histogram.total});
  };
  return rows_ >= 0 && Finite({fast_, slow_, residual_, scale_, envelope_, unit_}) &&
         unit_ > 0.0F && std::all_of(histograms_.begin(), histograms_.end(), finite) &&
         Finite(last_) && Finite(high_) && Finite(low_);
}

}  // namespace vigia::alerting::baseline
