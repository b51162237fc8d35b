#include "exporter/daemon.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "core/log.h"
#include "exporter/api/api.h"
#include "exporter/cli/exit.h"
#include "exporter/component.h"
#include "exporter/config/config.h"
#include "exporter/discovery.h"
#include "exporter/endpoints/endpoints.h"
#include "exporter/endpoints/health.h"
#include "exporter/history_metrics.h"
#include "exporter/history_options.h"
#include "exporter/http/gate.h"
#include "exporter/http/server.h"
#include "exporter/http_metrics.h"
#include "exporter/memory.h"
#include "exporter/page/cache.h"
#include "exporter/reload_metrics.h"
#include "exporter/self_collector.h"
#include "exporter/service.h"
#include "exporter/version.h"
#include "query/history/history.h"
#include "query/history/recorder.h"
#include "query/promql/engine.h"

namespace vigia::exporter {

#define COMPONENT(function) std::unique_ptr<Component> function(const Ground& ground);
#include "exporter/components.def"
#undef COMPONENT

namespace {

// The instance that reports on all others.
const InstanceId kSelf{"vigia", "vigia"};
const InstanceId kHistory{"vigia.history", "vigia"};

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

promql::EngineOptions MakeEngineOptions(const QueryConfig& query) {
  promql::EngineOptions options;
  options.semantics =
      query.prometheus2 ? promql::Semantics::kPrometheus2 : promql::Semantics::kPrometheus3;
  options.max_samples = query.max_samples;
  options.timeout = query.timeout;
  options.lookback = query.lookback;
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return Ok();
  return Fail(ErrorCode::kUnavailable, folder.string() + ": " + error.message() +
                                           "; name another folder by --data-dir or data_dir");
}

// Passes readings on to the history. vigia's readings of itself only while something else is
// watched: who watches nothing keeps a history of what others send, and of nothing else.
class OwnReadingsFilter final : public ReadingSink {
 public:
  explicit OwnReadingsFilter(ReadingSink& next) : next_(next) {}

  void PassOwn(bool pass) { pass_own_ = pass; }

  void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) override {
    if (Passes(instance)) next_.Publish(instance, std::move(reading));
  }
  void Withdraw(const InstanceId& instance, Timestamp time,
                std::shared_ptr<const Reading> last_words) override {
    if (Passes(instance)) next_.Withdraw(instance, time, std::move(last_words));
  }

 private:
  bool Passes(const InstanceId& instance) const {
    const std::string_view kind = instance.collector;
    if (kind == kBaselineSeries) return false;  // they are there
    if (kind == kBaselines) return true;        // it speaks of what others send, too
    return pass_own_ || (kind != kSelf.collector && !kind.starts_with("vigia."));
  }

  ReadingSink& next_;
  std::atomic<bool> pass_own_ = true;
};

// What runs, in the order of dependence.
class Running {
 public:
  explicit Running(const Daemon::Options& options)
      : options_(options), reload_metrics_(registry_), http_metrics_(registry_) {}

  Status Start(Config config) {
    started_with_ = {config.history, config.query};
    if (auto status = MakeFolder(config.data_dir); !status) return status;
    if (auto status = OpenHistory(config); !status) return status;
    OpenState(config);
    if (auto status = OpenGate(config); !status) return status;
    scheduler_.emplace(SystemClock(),
                       collectors::Scheduler::Options{
                           .scrape_wait = config.scrape_wait,
                           .seed = static_cast<std::uint64_t>(::getpid()) * 2654435761U},
                       std::vector<ReadingSink*>{&*own_filter_, &bell_});
    http::Router router;
    AddRoutes(router, config);
    auto http = MakeServerOptions(config);
    if (auto status = Apply(std::move(config)); !status) return status;
    for (auto& component : components_) component->Start();

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
      reload_metrics_.Failed();
      for (const auto& line : diagnostics.Lines())
        log::Error("configuration refused", {{"fault", line}});
      return status;
    }
    if (options_.config.empty()) AddDiscovered(config);
    if (started_with_ != StartOptions{config.history, config.query}) {
      log::Warn("history and query take effect at the next start");
    }
    status = Apply(std::move(config));
    if (status) log::Info("configuration reloaded", {{"config", options_.config.string()}});
    return status;
  }

  void Stop() {
    ready_ = false;
    if (server_) server_->Stop();
    for (auto one = components_.rbegin(); one != components_.rend(); ++one) (*one)->Stop();
    if (scheduler_) scheduler_->Stop();
  }

 private:
  struct StartOptions {
    HistoryConfig history;
    QueryConfig query;
    friend bool operator==(const StartOptions&, const StartOptions&) = default;
  };

  Status OpenHistory(const Config& config) {
    auto history = history::History::Open(HistoryOptions(config), SystemClock());
    if (!history) return Fail(history.error().In("history"));
    history_ = *std::move(history);
    history_->Start();
    recorder_ = std::make_unique<history::Recorder>(*history_);
    own_filter_.emplace(*recorder_);
    engine_ = std::make_unique<promql::Engine>(MakeEngineOptions(config.query));
    return Ok();
  }

  void OpenState(const Config& config) {
    database_ = alerting::state::Database::Open({.data_dir = config.data_dir}, SystemClock());
    journal_ = std::make_unique<alerting::state::Journal>(*database_, SystemClock());
    journal_thread_ = std::jthread([this](std::stop_token stop) { journal_->Run(stop); });
    ::pthread_setname_np(journal_thread_.native_handle(), "journal");
  }

  std::string AtRisk() const {
    std::string out;
    if (const auto health = database_->health(); !health.persistent) {
      out += "at risk: state is in memory only: " + health.problem + "\n";
    } else if (!health.writable) {
      out += "at risk: state file cannot be written: " + health.problem + "\n";
    }
    if (history_->stats().at_risk != 0) {
      out += "at risk: the history cannot write its journal\n";
    }
    return out;
  }

  void AddRoutes(http::Router& router, const Config& config) {
    AddEndpoints(router, {.scheduler = *scheduler_,
                          .pages = pages_,
                          .reload = [this] { return Reload(); },
                          .ready = [this] { return ready_.load(); },
                          .at_risk = [this] { return AtRisk(); }});
    AddHealth(router, *scheduler_, SystemClock(),
              {.max_age = config.health_max_age, .private_details = !OnlyLoopback(config.listen)});
    api::AddApi(router, {.history = *history_,
                         .engine = *engine_,
                         .metadata = metadata_,
                         .max_concurrency = config.query.max_concurrency,
                         .clock = SystemClock(),
                         .scheduler = *scheduler_,
                         .config_file = options_.config,
                         .started = SystemClock().Wall(),
                         .retention = config.history.retention});
    const Ground ground{.clock = SystemClock(),
                        .history = *history_,
                        .engine = *engine_,
                        .metadata = metadata_,
                        .current = [this] { return scheduler_->Current(); },
                        .bell = bell_,
                        .alerts = relay_,
                        .database = *database_,
                        .journal = *journal_,
                        .registry = registry_,
                        .router = router,
                        .data_dir = config.data_dir,
                        .external_url = ExternalUrl(config)};
    for (const auto make : Makers()) components_.push_back(make(ground));
  }

  static std::string ExternalUrl(const Config& config) {
    if (!config.external_url.empty()) return config.external_url;
    return "http://" + config.listen.front();
  }

  Status Apply(Config config) {
    own_filter_->PassOwn(!config.collectors.empty());
    for (auto& component : components_) {
      if (auto status = component->Apply(config); !status) return status;
      for (auto& instance : component->Instances()) {
        config.collectors.push_back(std::move(instance));
      }
    }
    AddOwnInstances(config.collectors);
    scheduler_->Apply(std::move(config.collectors), kSelf);
    reload_metrics_.Succeeded();
    return Ok();
  }

  // In step with the fastest of those that they report on.
  void AddOwnInstances(std::vector<collectors::Instance>& instances) {
    Milliseconds interval = 15s;
    for (const auto& instance : instances) {
      interval = std::min(interval, std::max<Milliseconds>(instance.interval, 1s));
    }
    const auto add = [&](InstanceId id, std::unique_ptr<collectors::Collector> impl) {
      auto own = OwnInstance(id.collector, FormatDuration(interval), std::move(impl));
      own.id = std::move(id);
      own.brief = true;
      own.interval = interval;
      instances.push_back(std::move(own));
    };
    add(kHistory, MakeHistoryCollector(*history_));
    add(kSelf, MakeSelfCollector(registry_, [this] { return scheduler_->States(); }));
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

  static std::vector<MakeComponent*> Makers() {
    return {
#define COMPONENT(function) function,
#include "exporter/components.def"
#undef COMPONENT
    };
  }

  const Daemon::Options options_;
  StartOptions started_with_;
  prometheus::Registry registry_;
  ReloadMetrics reload_metrics_;
  HttpMetrics http_metrics_;
  PageCache pages_;
  std::mutex reload_mutex_;
  std::atomic<bool> ready_ = false;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<history::Recorder> recorder_;
  std::optional<OwnReadingsFilter> own_filter_;
  std::unique_ptr<promql::Engine> engine_;
  api::MetadataStore metadata_;
  std::unique_ptr<alerting::state::Database> database_;
  std::unique_ptr<alerting::state::Journal> journal_;
  std::jthread journal_thread_;
  ReadingBell bell_;
  AlertRelay relay_;
  std::optional<collectors::Scheduler> scheduler_;
  std::vector<std::unique_ptr<Component>> components_;
  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<http::Server> server_;
};

int Fatal(const std::string& message, int code) {
  std::fprintf(stderr, "vigia: %s\n", message.c_str());
  return code;
}

// Returns once a signal says to stop.
void ServeSignals(const Signals& signals, Running& running) {
  constexpr std::chrono::milliseconds kTurn = 5s;
  const auto turn = std::min(service::WatchdogInterval().value_or(kTurn), kTurn);
  SpareHeap spare_heap;
  while (true) {
    const int signal = signals.Wait(turn);
    service::NotifyWatchdog();
    spare_heap.Return();
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
  // Hundreds of threads with an arena each would keep memory that nobody uses, and the free end of
  // any but the first is never given back by malloc_trim().
  ::mallopt(M_ARENA_MAX, 1);
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
  if (options.config.empty()) AddDiscovered(config);
  Running running(options);
  if (auto status = running.Start(std::move(config)); !status) {
    return Fatal(status.error().message(),
                 status.error().code() == ErrorCode::kInvalid ? kExitUsage : kExitError);
  }
  service::NotifyReady("watching");
  ReturnStartupMemory();
  ServeSignals(signals, running);
  service::NotifyStopping();
  log::Info("stopping");
  running.Stop();
  log::Info("stopped");
  return kExitFine;
}

}  // namespace vigia::exporter
