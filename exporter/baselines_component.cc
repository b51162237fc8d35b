#include <condition_variable>
#include <mutex>
#include <thread>

#include "alerting/baseline/book.h"
#include "core/log.h"
#include "exporter/baselines/back_fill.h"
#include "exporter/baselines/calls.h"
#include "exporter/baselines/mark_calls.h"
#include "exporter/baselines/marks.h"
#include "exporter/baselines/metrics.h"
#include "exporter/baselines/regressions.h"
#include "exporter/component.h"
#include "exporter/config/baselines.h"

namespace vigia::exporter {
namespace {

constexpr auto kTick = 1s;
constexpr auto kSaveEvery = 60s;
// Each baseline has a budget of its own.
constexpr std::size_t kMaxSeries = 1'000'000;

class BaselinesComponent final : public Component {
 public:
  explicit BaselinesComponent(const Ground& ground)
      : ground_(ground),
        marks_(ground.journal),
        book_({.source = ground.history,
               .engine = ground.engine,
               .sink = ground.history,
               .database = ground.database,
               .learns = [this](Timestamp now) { return !marks_.InMaintenance(now); }}),
        regressions_(ground.journal, marks_),
        back_fill_(ground.clock, book_) {
    AddMarkCalls(ground_.router, marks_, ground_.clock);
    AddBaselineCalls(ground_.router, book_, ground_.clock);
    if (auto status = marks_.Load(); !status) {
      log::Error("declared deploys and maintenance cannot be read",
                 {{"error", status.error().message()}});
    }
    if (auto status = book_.Open(); !status) {
      log::Error("baselines cannot be read, they begin anew",
                 {{"error", status.error().message()}});
    }
  }

  Status Apply(const Config& config) override {
    book_.Apply(config.baselines->definitions);
    back_fill_.Apply(config.datasource);
    interval_ = std::chrono::seconds(15);
    for (const auto& definition : config.baselines->definitions) {
      interval_ = std::min(interval_, std::max<Milliseconds>(definition.interval, kTick));
    }
    return Ok();
  }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    const auto add = [&](const char* name, std::unique_ptr<collectors::Collector> impl) {
      auto own = OwnInstance(name, FormatDuration(interval_), std::move(impl));
      own.interval = interval_;
      own.max_series = kMaxSeries;
      out.push_back(std::move(own));
    };
    add(kBaselines, MakeBaselineMetrics(book_, marks_, regressions_));
    add(kBaselineSeries, MakeBaselineSeries(book_));
    return out;
  }

  void Start() override {
    worker_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
    back_fill_.Start();
  }

  void Stop() override {
    back_fill_.Stop();
    worker_ = {};
    Save();
  }

 private:
  void Run(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    auto save_at = ground_.clock.Now() + kSaveEvery;
    while (!stop.stop_requested()) {
      const Timestamp now = ground_.clock.Wall();
      book_.Evaluate(now);
      regressions_.Look(book_.Pages(), now);
      if (ground_.clock.Now() >= save_at) {
        Save();
        save_at = ground_.clock.Now() + kSaveEvery;
      }
      ground_.clock.WaitUntil(lock, never, stop, ground_.clock.Now() + kTick, [] { return false; });
    }
  }

  // A failure shows in the state file's own metrics; the states wait for the next time.
  void Save() {
    const auto status = book_.Save();
    if (status.has_value() == saved_) return;
    saved_ = status.has_value();
    if (!saved_) {
      log::Warn("baselines cannot be written", {{"error", status.error().message()}});
    }
  }

  const Ground ground_;
  Marks marks_;
  alerting::baseline::Book book_;
  Regressions regressions_;
  BackFill back_fill_;
  Milliseconds interval_ = std::chrono::seconds(15);
  bool saved_ = true;
  std::jthread worker_;
};

}  // namespace

std::unique_ptr<Component> MakeBaselinesComponent(const Ground& ground) {
  return std::make_unique<BaselinesComponent>(ground);
}

}  // namespace vigia::exporter
