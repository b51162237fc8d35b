#include "exporter/baselines/back_fill.h"

#include <algorithm>

#include "core/log.h"
#include "exporter/baselines/datasource.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

constexpr auto kLook = std::chrono::seconds(2);  // for baselines that are new
constexpr auto kFirstPause = std::chrono::seconds(15);
constexpr auto kLongestPause = std::chrono::minutes(10);

}  // namespace

void BackFill::Apply(std::shared_ptr<const DatasourceConfig> config) {
  const std::lock_guard lock(mutex_);
  config_ = std::move(config);
}

void BackFill::Start() {
  worker_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void BackFill::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  Duration pause = kFirstPause;
  while (!stop.stop_requested()) {
    Duration wait = kLook;
    if (const auto config = config_; config && !config->url.empty()) {
      lock.unlock();
      Sum sum;
      const auto status = Round(*config, stop, sum);
      if (!stop.stop_requested()) Tell(*config, status, sum);
      wait = status ? Duration(kLook) : pause;
      pause = status ? Duration(kFirstPause) : std::min<Duration>(2 * pause, kLongestPause);
      lock.lock();
    }
    clock_.WaitUntil(lock, changed_, stop, clock_.Now() + wait, [] { return false; });
  }
}

Status BackFill::Round(const DatasourceConfig& config, std::stop_token stop, Sum& sum) {
  if (fingerprint_ != config.fingerprint) done_.clear();
  fingerprint_ = config.fingerprint;
  for (const auto& definition : book_.Lacking()) {
    if (stop.stop_requested()) return Ok();
    const auto done = done_.find(definition.name);
    if (done != done_.end() && done->second == definition.expression) continue;
    Datasource datasource(config);
    auto past = book_.NewPast(definition);
    const auto interval = definition.interval.count();
    const auto step = baseline::PastStep(interval);
    const auto end = clock_.Wall() / interval * interval - interval;
    auto status = datasource.Read(
        definition.expression, {end - baseline::kPastLength / step * step, end, step},
        [&](const Labels& labels, Timestamp time, double value) { past.Add(labels, time, value); },
        stop);
    if (!status && status.error().code() != ErrorCode::kInvalid) {
      return Fail(status.error().In(definition.name));
    }
    done_[definition.name] = definition.expression;
    if (!status) {
      log::Warn("the datasource refuses to tell the past of a baseline",
                {{"url", config.url},
                 {"baseline", definition.name},
                 {"error", status.error().message()}});
      continue;
    }
    const auto taken = book_.TakePast(definition, std::move(past), clock_.Wall());
    ++sum.baselines;
    sum.series += taken;
    sum.left_out += datasource.left_out();
  }
  return Ok();
}

void BackFill::Tell(const DatasourceConfig& config, const Status& status, const Sum& sum) {
  if (sum.baselines > 0) {
    log::Info("baselines read their past from the datasource",
              {{"url", config.url},
               {"baselines", std::to_string(sum.baselines)},
               {"series", std::to_string(sum.series)},
               {"ambiguous", std::to_string(sum.left_out)}});
  }
  if (!status && !failing_) {
    log::Warn("the datasource does not tell the past of baselines; they are asked for again",
              {{"url", config.url}, {"error", status.error().message()}});
  }
  failing_ = !status;
}

}  // namespace vigia::exporter
