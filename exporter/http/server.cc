#include "exporter/http/server.h"

#include <condition_variable>
#include <mutex>

#include "exporter/http/call.h"
#include "exporter/http/hang_up.h"
#include "exporter/http/transport.h"
#include "exporter/http/watchdog.h"

namespace vigia::http {

Status CheckAddress(std::string_view text) {
  auto address = ParseListenAddress(text);
  if (!address) return Fail(address.error().In("listen"));
  return Ok();
}

class Server::Impl {
 public:
  Impl(Router router, Options options)
      : router_(std::move(router)),
        options_(std::move(options)),
        watchdog_(*options_.clock),
        hang_ups_(*options_.clock) {}
  ~Impl() { Stop(std::chrono::milliseconds(0)); }

  Status Start();
  void Stop(std::chrono::milliseconds grace);
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  void Serve(Exchange& exchange);

  // Counts a request as served when it goes, however that comes.
  struct Leave {
    ~Leave() {
      if (!counted) return;
      const std::lock_guard lock(server.mutex_);
      if (--server.serving_ == 0) server.served_.notify_all();
    }
    Impl& server;
    const bool counted;
  };

  // Constant after Start().
  const Router router_;
  const Options options_;
  std::vector<std::string> addresses_;

  Watchdog watchdog_;
  HangUpWatch hang_ups_;
  std::mutex mutex_;
  std::condition_variable_any served_;
  // Guarded by mutex_.
  bool stopping_ = false;
  int serving_ = 0;  // requests that came before stopping_

  // Its threads use all of the above: it goes first.
  std::unique_ptr<Transport> transport_;
};

Status Server::Impl::Start() {
  TransportOptions options{.workers = options_.workers,
                           .max_head = options_.max_head,
                           .head_timeout = options_.request_timeout,
                           .idle_timeout = options_.keep_alive_timeout,
                           .tls = options_.tls};
  for (const auto& text : options_.listen) {
    auto address = ParseListenAddress(text);
    if (!address) return Fail(address.error().In("cannot listen on"));
    options.listen.push_back(*std::move(address));
  }
  auto started = Transport::Start(options, [this](Exchange& exchange) { Serve(exchange); });
  if (!started) return Fail(started.error());
  transport_ = *std::move(started);
  for (std::size_t i = 0; i < options.listen.size(); ++i) {
    addresses_.push_back(options.listen[i].address + ':' + std::to_string(transport_->ports()[i]));
  }
  return Ok();
}

void Server::Impl::Serve(Exchange& exchange) {
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
    if (!stopping) ++serving_;
  }
  const Leave leave{*this, !stopping};
  Call(router_, options_, watchdog_, hang_ups_, exchange).Run(stopping);
}

void Server::Impl::Stop(std::chrono::milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    options_.clock->WaitUntil(lock, served_, {}, options_.clock->Now() + grace,
                              [&] { return serving_ == 0; });
  }
  if (transport_) transport_->Stop();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(Router router, Options options) {
  auto impl = std::make_unique<Impl>(std::move(router), std::move(options));
  if (auto status = impl->Start(); !status) return Fail(status.error());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::vector<std::string>& Server::addresses() const { return impl_->addresses(); }

void Server::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace vigia::http
