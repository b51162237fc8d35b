#include "exporter/daemon.h"

#include <malloc.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "core/log.h"
#include "exporter/cli/exit.h"
#include "exporter/config/config.h"
#include "exporter/endpoints/endpoints.h"
#include "exporter/http/gate.h"
#include "exporter/http/server.h"
#include "exporter/http_metrics.h"
#include "exporter/page/cache.h"
#include "exporter/self_collector.h"
#include "exporter/service.h"
#include "exporter/version.h"

namespace vigia::exporter {
namespace {

// The instance that reports on all others.
const InstanceId kSelf{"vigia", "vigia"};

Config Load(const Daemon::Options& options, config::Diagnostics& diagnostics) {
  Config config =
      options.config.empty() ? DefaultConfig() : LoadConfig(options.config, diagnostics);
  if (!options.listen.empty()) config.listen = options.listen;
  if (!options.data_dir.empty()) config.data_dir = options.data_dir;
  if (options.log_level == "debug") config.log.level = log::Level::kDebug;
  if (options.log_level == "info") config.log.level = log::Level::kInfo;
  if (options.log_level == "warn") config.log.level = log::Level::kWarn;
  if (options.log_level == "error") config.log.level = log::Level::kError;
  return config;
}

// Signals come to this thread alone: blocked before any other is started.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }

  // The next signal, or 0 if none comes in time.
  int Wait(std::chrono::milliseconds timeout) const {
    const timespec time{timeout.count() / 1000, (timeout.count() % 1000) * 1'000'000};
    const int signal = ::sigtimedwait(&set_, nullptr, &time);
    return signal < 0 ? 0 : signal;
  }

 private:
  sigset_t set_{};
};

// What runs, in the order of dependence.
class Running {
 public:
  explicit Running(const Daemon::Options& options)
      : options_(options),
        reload_successful_(
            prometheus::BuildGauge()
                .Name("vigia_config_last_reload_successful")
                .Help("Whether the last attempt to load the configuration succeeded.")
                .Register(registry_)
                .Add({})),
        reload_time_(prometheus::BuildGauge()
                         .Name("vigia_config_last_reload_success_timestamp_seconds")
                         .Help("When the configuration was last loaded, in Unix time.")
                         .Register(registry_)
                         .Add({})),
        http_metrics_(registry_) {}

  Status Start(Config config) {
    scheduler_.emplace(SystemClock(),
                       collectors::Scheduler::Options{
                           .scrape_wait = config.scrape_wait,
                           .seed = static_cast<std::uint64_t>(::getpid()) * 2654435761U});
    if (auto status = OpenGate(config); !status) return status;
    auto http = MakeServerOptions(config);
    Apply(std::move(config));

    http::Router router;
    AddEndpoints(router, {.scheduler = *scheduler_,
                          .pages = pages_,
                          .reload = [this] { return Reload(); },
                          .ready = [this] { return ready_.load(); }});
    auto server = http::Server::Start(std::move(router), std::move(http));
    if (!server) return Fail(server.error());
    server_ = *std::move(server);
    for (const auto& address : server_->addresses()) {
      log::Info("listening", {{"address", address}});
    }
    ready_ = true;
    log::Info("ready", {{"version", kVersion}, {"config", options_.config.string()}});
    return Ok();
  }

  // All or nothing; the old configuration stays if anything is wrong. Returns the faults.
  Status Reload() {
    const std::lock_guard lock(reload_mutex_);
    config::Diagnostics diagnostics(options_.config.string());
    Config config = Load(options_, diagnostics);
    Status status = Ok();
    if (!diagnostics.ok()) {
      status = Fail(ErrorCode::kInvalid, diagnostics.ToString());
    } else {
      status = log::Configure(config.log);
    }
    if (!status) {
      reload_successful_.Set(0);
      for (const auto& line : diagnostics.Lines())
        log::Error("configuration refused", {{"fault", line}});
      return status;
    }
    Apply(std::move(config));
    log::Info("configuration reloaded", {{"config", options_.config.string()}});
    return Ok();
  }

  void Stop() {
    ready_ = false;
    if (server_) server_->Stop();
    if (scheduler_) scheduler_->Stop();
  }

 private:
  void Apply(Config config) {
    collectors::Instance self;
    self.id = kSelf;
    self.worker = "vigia";
    // In step with the fastest of those it reports on.
    self.interval = 15s;
    for (const auto& instance : config.collectors) {
      self.interval = std::min(self.interval, std::max<Milliseconds>(instance.interval, 1s));
    }
    self.fingerprint = FormatDuration(self.interval);
    self.impl = MakeSelfCollector(registry_, [this] { return scheduler_->States(); });
    config.collectors.push_back(std::move(self));
    scheduler_->Apply(std::move(config.collectors), kSelf);
    reload_successful_.Set(1);
    reload_time_.Set(static_cast<double>(SystemClock().Wall()) / 1000);
  }

  Status OpenGate(const Config& config) {
    http::Gate::Options options;
    options.web_config = config.web_config;
    options.client_rate = {config.http.rate, config.http.burst};
    options.report = [](std::string_view what) {
      log::Warn("web configuration", {{"report", std::string(what)}});
    };
    auto gate = http::Gate::Open(SystemClock(), std::move(options));
    if (!gate) return Fail(gate.error());
    gate_ = *std::move(gate);
    return Ok();
  }

  http::Server::Options MakeServerOptions(const Config& config) {
    http::Server::Options http;
    http.listen = config.listen;
    http.workers = config.http.workers;
    http.request_timeout = config.http.request_timeout;
    http.keep_alive_timeout = config.http.keep_alive_timeout;
    http.tls = gate_->tls();
    http.admit = [this](http::Request& request) { return gate_->Admit(request); };
    http.header_lines = [this] { return gate_->HeaderLines(); };
    http.on_access = [this](const http::AccessRecord& record) { http_metrics_.Record(record); };
    return http;
  }

  const Daemon::Options options_;
  prometheus::Registry registry_;
  prometheus::Gauge& reload_successful_;
  prometheus::Gauge& reload_time_;
  HttpMetrics http_metrics_;
  PageCache pages_;
  std::mutex reload_mutex_;
  std::atomic<bool> ready_ = false;
  std::optional<collectors::Scheduler> scheduler_;
  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<http::Server> server_;
};

int Fatal(const std::string& message, int code) {
  std::fprintf(stderr, "vigia: %s\n", message.c_str());
  return code;
}

// Returns once a signal says to stop.
void ServeSignals(const Signals& signals, Running& running) {
  const auto watchdog = service::WatchdogInterval();
  while (true) {
    const int signal = signals.Wait(watchdog.value_or(std::chrono::hours(1)));
    service::NotifyWatchdog();
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) {
      service::NotifyReloading();
      static_cast<void>(running.Reload());  // it has logged what is wrong
      service::NotifyReady("watching");
    }
  }
}

}  // namespace

int Daemon::Main(const Options& options) {
  // Hundreds of threads with an arena each would keep memory that nobody uses.
  ::mallopt(M_ARENA_MAX, 2);
  const Signals signals;

  config::Diagnostics diagnostics(options.config.string());
  Config config = Load(options, diagnostics);
  if (!diagnostics.ok()) {
    std::fputs(diagnostics.ToString().c_str(), stderr);
    return kExitUsage;
  }
  if (auto status = log::Configure(config.log); !status) {
    return Fatal("log: " + status.error().message(), kExitUsage);
  }
  Running running(options);
  if (auto status = running.Start(std::move(config)); !status) {
    return Fatal(status.error().message(),
                 status.error().code() == ErrorCode::kInvalid ? kExitUsage : kExitError);
  }
  service::NotifyReady("watching");
  ServeSignals(signals, running);
  service::NotifyStopping();
  log::Info("stopping");
  running.Stop();
  log::Info("stopped");
  return kExitFine;
}

}  // namespace vigia::exporter
