#include "collectors/probe/http.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "collectors/probe/http_transfer.h"

namespace vigia::collectors::probe {
// curl tells which sockets it waits for and when it wants to be called; the rest is epoll.
class HttpProber::Loop {
 public:
  Loop() : multi_(Init()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Loop::OnSocket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Loop::OnTimer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    // Nothing is reused; a pool would only keep descriptors.
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
  }
  ~Loop() {
    curl_multi_cleanup(multi_);
    for (CURL* easy : idle_) curl_easy_cleanup(easy);
    ::close(epoll_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::vector<Observation> Run(std::span<const HttpJob> jobs, std::size_t concurrency,
                               Deadline deadline) {
    observations_.assign(jobs.size(), {});
    clock_ = &deadline.clock();
    std::size_t next = 0;
    while (next < jobs.size() || !running_.empty()) {
      while (next < jobs.size() && running_.size() < concurrency && !deadline.Passed()) {
        Start(jobs[next], next, deadline);
        ++next;
      }
      if (deadline.Passed()) break;
      if (running_.empty()) continue;  // what could not even be asked has its verdict
      Wait(deadline);
      Collect();
    }
    for (; next < jobs.size(); ++next) {
      observations_[next].FailWith(Reason::kTimeout, "its turn did not come");
    }
    // What curl's own timeouts have not ended yet: a few milliseconds too late.
    while (!running_.empty()) Finish(*running_.back(), CURLE_OPERATION_TIMEDOUT);
    return std::move(observations_);
  }

 private:
  static CURLM* Init() {
    InitCurl();
    return curl_multi_init();
  }

  void Start(const HttpJob& job, std::size_t index, Deadline deadline) {
    CURL* easy = nullptr;
    if (!idle_.empty()) {
      easy = idle_.back();
      idle_.pop_back();
    } else {
      easy = curl_easy_init();
    }
    const auto own = Deadline::After(deadline.clock(), job.timeout);
    running_.push_back(std::make_unique<HttpTransfer>(easy, index, job,
                                                      own.at() < deadline.at() ? own : deadline));
    Ask(*running_.back());
  }

  void Ask(HttpTransfer& transfer) {
    if (auto status = transfer.Prepare(); !status) {
      observations_[transfer.index()] = transfer.FinishUnasked(status.error());
      Remove(transfer);
      return;
    }
    curl_multi_add_handle(multi_, transfer.easy());
  }

  void Wait(Deadline deadline) {
    auto timeout = deadline.Left();
    if (timer_) timeout = std::min(timeout, Deadline(*clock_, *timer_).Left());
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(timeout.count()));
    int left = 0;
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      int what = 0;
      if (event.events & EPOLLIN) what |= CURL_CSELECT_IN;
      if (event.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
      if (event.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
      curl_multi_socket_action(multi_, event.data.fd, what, &left);
    }
    if (timer_ && clock_->Now() >= *timer_) {
      timer_.reset();
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &left);
    }
  }

  void Collect() {
    int queued = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_, &queued)) {
      if (message->msg != CURLMSG_DONE) continue;
      HttpTransfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      Finish(*transfer, message->data.result);
    }
  }

  // A handle keeps pointers into the transfer that it served: it lets go of them.
  void PutAside(CURL* easy) {
    curl_easy_reset(easy);
    idle_.push_back(easy);
  }

  void Finish(HttpTransfer& transfer, CURLcode code) {
    const bool again = transfer.NeedsAnother(code);
    if (!again) observations_[transfer.index()] = transfer.Finish(code);
    curl_multi_remove_handle(multi_, transfer.easy());
    if (again) return Ask(transfer);
    Remove(transfer);
  }

  void Remove(HttpTransfer& transfer) {
    PutAside(transfer.easy());
    const auto same = [&](const auto& running) { return running.get() == &transfer; };
    running_.erase(std::find_if(running_.begin(), running_.end(), same));
    // A pool of as many handles as were ever on their way is memory that few runs need.
    constexpr std::size_t kMostIdle = 32;
    if (idle_.size() <= kMostIdle) return;
    curl_easy_cleanup(idle_.back());
    idle_.pop_back();
  }

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto& loop = *static_cast<Loop*>(self);
    epoll_event event{};
    event.data.fd = socket;
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, socket, &event);
      return 0;
    }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    // A descriptor may have been closed and given out again meanwhile: then it is not known.
    if (!known || ::epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, socket, &event) != 0) {
      ::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, socket, &event);
    }
    curl_multi_assign(loop.multi_, socket, self);
    return 0;
  }

  static int OnTimer(CURLM*, long milliseconds, void* self) {
    auto& loop = *static_cast<Loop*>(self);
    loop.timer_.reset();
    if (milliseconds >= 0) loop.timer_ = loop.clock_->Now() + Milliseconds(milliseconds);
    return 0;
  }

  CURLM* const multi_;
  const int epoll_;
  const Clock* clock_ = nullptr;  // of the run
  std::optional<Instant> timer_;  // when curl wants to be called
  std::vector<CURL*> idle_;
  std::vector<std::unique_ptr<HttpTransfer>> running_;
  std::vector<Observation> observations_;
};

HttpProber::HttpProber(std::size_t concurrency) : concurrency_(concurrency) {}

HttpProber::~HttpProber() = default;

std::vector<Observation> HttpProber::Run(std::span<const HttpJob> jobs, Deadline deadline) {
  if (jobs.empty()) return {};
  if (!loop_) loop_ = std::make_unique<Loop>();
  return loop_->Run(jobs, concurrency_, deadline);
}

}  // namespace vigia::collectors::probe
