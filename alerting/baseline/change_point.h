// ChangePoint: when did the present regime of a slow series begin?
//
// The series since the last change is kept as at most 40 blocks, each with its count, means and
// centred moments; blocks are merged in pairs when they run out, so memory is fixed and the place
// of a change is known to one block. At every block boundary "one line" is compared with "two
// lines" by the log likelihood ratio of least squares under normal errors
//
//     llr = n / 2 * ln(rss of one / rss of two) * (1 - rho) / (1 + rho)
//
// where rho is the autocorrelation of the residuals, from the Durbin-Watson statistic
// (sum of squared differences / rss = 2 (1 - rho)); without it every random walk is full of
// changes (Bartlett 1935 on the effective number of samples). A change is located where llr is
// largest, once it exceeds 14 + ln(n) and the place has stood for five tests. This is binary
// segmentation (Scott & Knott 1974) done online, with lines in place of means.
//
// Plain data, copied and stored byte by byte. Not thread-safe.

#pragma once

#include <cstdint>

#include "alerting/baseline/cells.h"

namespace vigia::alerting::baseline {

class ChangePoint {
 public:
  // Adds a value; true when a change has been located, which began at at().
  bool Add(std::int64_t time, double value);

  // Unix seconds of the last change; 0 before the first.
  std::int64_t at() const { return at_; }

  // Whether the fields are such as Add() leaves them: a state read from a file may be damaged.
  bool Sound() const;

 private:
  static constexpr int kBlocks = 40;

  struct Block {
    std::int64_t time = 0;  // of the first sample
    std::int32_t n = 0;
    float mean = 0.0F;
    float square = 0.0F;      // centred sum of squares
    float cross = 0.0F;       // centred sum of products with the index
    float difference = 0.0F;  // sum of squared differences to the sample before
    float entry = 0.0F;       // of these, the first sample's
  };
  struct Moments;

  static Moments Of(const Block& block, double first);
  void Open(std::int64_t time);
  // The block that most likely begins another regime, or -1 when that is not likely enough.
  int Locate() const;

  Cells<Block, kBlocks> blocks_{};
  std::int32_t used_ = 0;
  std::int32_t block_size_ = 1;
  std::int32_t n_ = 0;
  std::int32_t untested_ = 0;
  std::int32_t stood_ = 0;
  std::int64_t candidate_ = 0;
  std::int64_t at_ = 0;
  double last_ = 0.0;
};

}  // namespace vigia::alerting::baseline
