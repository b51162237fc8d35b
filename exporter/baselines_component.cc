#include <condition_variable>
#include <mutex>
#include <thread>

#include "alerting/baseline/book.h"
#include "core/log.h"
#include "exporter/component.h"
#include "exporter/config/baselines.h"

namespace vigia::exporter {
namespace {

constexpr auto kTick = 1s;
constexpr auto kSaveEvery = 60s;

class BaselinesComponent final : public Component {
 public:
  explicit BaselinesComponent(const Ground& ground)
      : ground_(ground),
        book_({.source = ground.history,
               .engine = ground.engine,
               .sink = ground.history,
               .database = ground.database}) {
    if (auto status = book_.Open(); !status) {
      log::Error("baselines cannot be read, they begin anew",
                 {{"error", status.error().message()}});
    }
  }

  Status Apply(const Config& config) override {
    book_.Apply(config.baselines->definitions);
    return Ok();
  }

  void Start() override {
    worker_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
  }

  void Stop() override {
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
      book_.Evaluate(ground_.clock.Wall());
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
  alerting::baseline::Book book_;
  bool saved_ = true;
  std::jthread worker_;
};

}  // namespace

std::unique_ptr<Component> MakeBaselinesComponent(const Ground& ground) {
  return std::make_unique<BaselinesComponent>(ground);
}

}  // namespace vigia::exporter
