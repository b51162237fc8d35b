#include "alerting/baseline/change_point.h"

#include <algorithm>
#include <cmath>

namespace vigia::alerting::baseline {
namespace {

constexpr double kThreshold = 14.0;
constexpr std::int32_t kShortest = 8;  // samples in a regime
constexpr std::int32_t kStands = 4;    // tests after the first
constexpr std::int32_t kTests = 100;   // a test per hundredth of the regime
constexpr double kMaxCorrelation = 0.99;
constexpr double kExact = 1e-9;  // share of the variance that is rounding

}  // namespace

// Count, means and centred moments of a run of samples (index i, value y); runs add up exactly.
struct ChangePoint::Moments {
  double n = 0.0, i = 0.0, y = 0.0;
  double ii = 0.0, yy = 0.0, iy = 0.0;
  double difference = 0.0;

  void Add(const Moments& other) {
    const double total = n + other.n;
    if (total <= 0.0) return;
    const double di = other.i - i;
    const double dy = other.y - y;
    const double k = n * other.n / total;
    ii += other.ii + di * di * k;
    yy += other.yy + dy * dy * k;
    iy += other.iy + di * dy * k;
    i += di * other.n / total;
    y += dy * other.n / total;
    n = total;
    difference += other.difference;
  }
  double Slope() const { return ii > 0.0 ? iy / ii : 0.0; }
  double Rss() const { return std::max(0.0, yy - Slope() * iy); }
  // Squared differences of neighbours around the line.
  double Detrended() const { return difference - n * Slope() * Slope(); }
};

ChangePoint::Moments ChangePoint::Of(const Block& block, double first) {
  const double n = block.n;
  return {n,           first + (n - 1.0) / 2.0, block.mean, n * (n * n - 1.0) / 12.0, block.square,
          block.cross, block.difference};
}

void ChangePoint::Open(std::int64_t time) {
  if (used_ == kBlocks) {
    for (int k = 0; k < kBlocks / 2; ++k) {
      const auto& left = blocks_[2 * k];
      const auto& right = blocks_[2 * k + 1];
      auto both = Of(left, 0.0);
      both.Add(Of(right, left.n));
      blocks_[k] = {left.time,
                    left.n + right.n,
                    static_cast<float>(both.y),
                    static_cast<float>(both.yy),
                    static_cast<float>(both.iy),
                    static_cast<float>(both.difference),
                    left.entry};
    }
    used_ = kBlocks / 2;
    block_size_ *= 2;
  }
  blocks_[used_] = Block{};
  blocks_[used_].time = time;
  ++used_;
}

int ChangePoint::Locate() const {
  Cells<Moments, kBlocks + 1> before{};
  for (int k = 0; k < used_; ++k) {
    before[k + 1] = before[k];
    before[k + 1].Add(Of(blocks_[k], before[k].n));
  }
  const Moments& all = before[used_];
  const double rounding = kExact * all.yy + 1e-300;
  Moments after;
  double best = kThreshold + std::log(all.n);
  int where = -1;
  for (int k = used_ - 1; k > 0; --k) {
    auto wider = Of(blocks_[k], before[k].n);
    wider.Add(after);
    after = wider;
    if (after.n < kShortest || before[k].n < kShortest) continue;
    const double rss = before[k].Rss() + after.Rss() + rounding;
    const double difference =
        before[k].Detrended() + after.Detrended() - static_cast<double>(blocks_[k].entry);
    const double rho = std::clamp(1.0 - difference / (2.0 * rss), 0.0, kMaxCorrelation);
    const double llr =
        0.5 * all.n * std::log((all.Rss() + rounding) / rss) * (1.0 - rho) / (1.0 + rho);
    if (llr > best) {
      best = llr;
      where = k;
    }
  }
  return where;
}

bool ChangePoint::Add(std::int64_t time, double value) {
  if (used_ == 0 || blocks_[used_ - 1].n >= block_size_) Open(time);
  auto& block = blocks_[used_ - 1];
  const double jump = n_ > 0 ? (value - last_) * (value - last_) : 0.0;
  if (block.n == 0) block.entry = static_cast<float>(jump);
  auto moments = Of(block, 0.0);
  moments.Add({1.0, static_cast<double>(block.n), value, 0.0, 0.0, 0.0, jump});
  block.n += 1;
  block.mean = static_cast<float>(moments.y);
  block.square = static_cast<float>(moments.yy);
  block.cross = static_cast<float>(moments.iy);
  block.difference = static_cast<float>(moments.difference);
  last_ = value;
  ++n_;
  if (n_ < 2 * kShortest || ++untested_ < std::max(1, n_ / kTests)) return false;
  untested_ = 0;

  const int where = Locate();
  if (where < 0) {
    stood_ = 0;
    return false;
  }
  stood_ = blocks_[where].time == candidate_ ? stood_ + 1 : 0;
  candidate_ = blocks_[where].time;
  if (stood_ < kStands) return false;

  at_ = candidate_;
  stood_ = 0;
  std::copy(blocks_.begin() + where, blocks_.begin() + used_, blocks_.begin());
  used_ -= where;
  blocks_[0].difference -= blocks_[0].entry;
  blocks_[0].entry = 0.0F;
  n_ = 0;
  for (int k = 0; k < used_; ++k) n_ += blocks_[k].n;
  return true;
}

bool ChangePoint::Sound() const {
  const auto finite = [](const Block& block) {
    return block.n >= 0 &&
           Finite({block.mean, block.square, block.cross, block.difference, block.entry});
  };
  return used_ >= 0 && used_ <= kBlocks && block_size_ >= 1 && n_ >= 0 && untested_ >= 0 &&
         stood_ >= 0 && Finite({last_}) && std::all_of(blocks_.begin(), blocks_.end(), finite);
}

}  // namespace vigia::alerting::baseline
