// Detector: what is normal for one series, and what has happened to it.
//
// A value goes in, a Verdict comes out that was computed before the value was learnt; nothing looks
// ahead, nothing is random, and the state has a fixed size. The parts:
//
//     Profile      what is expected at this time of the day and the week
//     Surprise     how unlike its own past the row is: the score, and alerts as events
//     Shift        whether the series has moved to another level: regression, improvement
//     ChangePoint  when the regime of a slow series (under four values a day) began
//
// What it says of a value x with expectation e and mean absolute residual s at this hour of the
// day:
//
//     band         e -+ 4 s / sensitivity
//     score        a / (a + 5.8), a = sensitivity * Surprise; 0.5 is worth telling
//     anomaly      two values in a row more than 8 s / sensitivity from e on the same side
//     regression   Shift found a lasting change of ln(x / e) in the bad direction; it ends when the
//                  change has gone back by more than half, or becomes the normal after a week
//     improvement  the same in the good direction
//     nodata       no value
//
// While a regression or improvement lasts nothing is learnt. Values are learnt without what makes
// them outliers: cut to 1.5 s around the expectation and the median of the last five
// (Huber 1964). Band, score, anomaly and change points do not depend on the unit or the origin of
// the values; a regression is a ratio, so it depends on where zero is.
//
// Not thread-safe.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "alerting/baseline/cells.h"
#include "alerting/baseline/change_point.h"
#include "alerting/baseline/profile.h"
#include "alerting/baseline/shift.h"
#include "alerting/baseline/surprise.h"
#include "core/result.h"

namespace vigia::alerting::baseline {

enum class State : std::uint8_t { kLearning, kOk, kAnomaly, kRegression, kImprovement, kNoData };

// "learning", "ok", ...
std::string_view Name(State state);

// Which change is for the worse.
enum class Direction : std::uint8_t { kUp, kDown, kBoth };

struct Verdict {
  bool known = false;  // whether there is an expectation: the next three mean something
  double expected = 0.0;
  double lower = 0.0, upper = 0.0;
  double score = 0.0;
  double alert = 0.0;
  State state = State::kNoData;
  std::int64_t since = 0;  // Unix seconds of the last change; 0 before the first
  double change = 0.0;     // size of a regression or improvement: 0.6 is +60 %
};

class Detector {
 public:
  struct Options {
    Season season = Season::kAuto;
    Direction direction = Direction::kUp;
    double min_change = 0.5;       // ratio - 1 that is reported at once
    bool lesser_changes = true;    // whether lesser ones are, once they have lasted for hours
    double floor = 0.0;            // absolute change under which nothing is reported
    double sensitivity = 1.0;      // 2: half the band
    std::int64_t min_samples = 0;  // values before which the state is learning

    friend bool operator==(const Options&, const Options&) = default;
  };

  explicit Detector(const Options& options) : options_(options) {}

  // What is known stays.
  void SetOptions(const Options& options) { options_ = options; }

  // What was seen so far was read from a past in steps of `coarse` seconds; from now on values come
  // every `seconds`. Without it the memories, which count by the distance of values, would take an
  // hour to notice. A series with fewer values than steps keeps its own distance.
  void ReadEvery(double seconds, double coarse);

  // One value, or none, at `time` (Unix seconds, not decreasing). With `learn` false (declared
  // maintenance) the verdict is given and nothing is remembered.
  Verdict Step(std::int64_t time, std::optional<double> value, bool learn = true);

  // The present level is the normal from now on. False when it is already.
  bool Accept();
  // Takes back the last Accept(), or the one that a week of regression brought. False when there
  // was none.
  bool Undo();

  // The state as bytes, for the same kind of machine. Restore fails with kCorrupt on anything else,
  // and then changes nothing.
  static std::string_view StateFormat();
  std::string Save() const;
  Status Restore(std::string_view bytes);

  static constexpr std::size_t StateBytes() { return sizeof(Memory); }

  // Unix seconds of the first and the last value; 0 before there is one.
  std::int64_t first_time() const { return memory_.first_time; }
  std::int64_t last_time() const { return memory_.last_time; }
  std::int64_t rows() const { return memory_.rows; }
  double step() const { return memory_.step; }

 private:
  static constexpr int kHoursOfDay = 24;
  static constexpr int kRecent = 5;

  struct Memory {
    std::int64_t rows = 0;
    std::int64_t first_time = 0, last_time = 0;
    double step = 0.0;  // seconds; follows the median
    double base = 0.0;  // the first value; all else is relative to it
    Profile profile;
    Surprise surprise;
    Shift shift;
    ChangePoint change;

    Cells<float, kHoursOfDay> scale{};  // mean absolute residual
    Cells<float, kHoursOfDay> sigma{};  // deviation of the log ratio
    Cells<std::uint8_t, kHoursOfDay> seen{};
    float scale_of_all = 0.0F;
    float last_distance = 0.0F;      // of the value before, in scales
    Cells<float, kRecent> recent{};  // the last value of each of the last slots

    std::int64_t slot = 0;
    double slot_sum = 0.0;
    std::int32_t slot_values = 0;
    bool anomalous = false;
    State held = State::kOk;  // kOk, kRegression or kImprovement
    std::uint8_t recent_at = 0;
    float held_size = 0.0F;  // log ratio
    std::int64_t held_since = 0;
    std::int64_t since = 0;
    double last_factor = 0.0, last_offset = 0.0;  // of the last rebase; 0: none
  };

  static bool Sound(const Memory& memory);

  // What is known of a row before it is learnt.
  struct Row {
    std::int64_t time = 0;
    double value = 0.0;     // relative to base
    double residual = 0.0;  // from the expectation
    double scale = 0.0;
    double log_ratio = 0.0;
    double sigma = 0.0;
    int hour = 0;
    Profile::View view;
  };

  Row Look(std::int64_t time, double value) const;
  double LogRatio(double value, double expected, double scale) const;
  bool Ready(std::int64_t age) const;
  bool Slow() const { return memory_.step > kDay / 4.0; }
  void FollowStep(std::int64_t time);
  double PartOfSlot() const;
  bool OneRowASlot() const;
  bool BeginsSlot(std::int64_t time) const;
  void Follow(const Row& row);
  Shift::Found FollowShift(const Row& row);
  void Begin(const Row& row, const Shift::Found& found);
  void FollowHeld(const Row& row);
  int HeldSlots(std::int64_t time) const;
  double HeldChange(std::int64_t time) const;
  bool Anomalous(const Row& row);
  void Learn(const Row& row);
  void Rebase(double size);

  Options options_;
  Memory memory_;
};

}  // namespace vigia::alerting::baseline
