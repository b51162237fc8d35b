// A small web application: an HTTP server on loopback whose views really take the time that a test
// sets, and which keeps their latencies on /metrics as django-prometheus does (histograms by view
// and method, in seconds). Visitors call a view again and again, so that there is something to
// measure.
//
//     WebApp app;
//     app.AddView("posts", 50ms);
//     const Visitors visitors(app, {"posts"});
//     app.SetLatency("posts", 80ms);
//
// Thread-safe.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vigia::test {

class WebApp {
 public:
  // django-prometheus' default ones, in seconds; +Inf comes after them.
  static constexpr std::array<double, 16> kBuckets{0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
                                                   1.0,  2.5,   5.0,  7.5,   10., 25.0, 50., 75.0};

  WebApp();
  ~WebApp();
  WebApp(const WebApp&) = delete;
  WebApp& operator=(const WebApp&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:<port><target>"
  std::string Url(const std::string& target = "/metrics") const;

  // `GET /<view>` takes `latency` from now on.
  void AddView(const std::string& view, std::chrono::microseconds latency);
  void SetLatency(const std::string& view, std::chrono::microseconds latency);

  // The page as it is now.
  std::string Metrics() const;

 private:
  struct View {
    std::chrono::microseconds latency;
    std::array<std::uint64_t, kBuckets.size() + 1> counts{};  // per bucket, not cumulative
    double sum = 0.0;                                         // seconds
  };

  void Accept();
  void Serve(int socket);
  std::string Answer(const std::string& target);
  void Observe(const std::string& view, double seconds);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread acceptor_;
  std::vector<std::thread> workers_;  // touched by the acceptor, then by the destructor

  mutable std::mutex mutex_;
  std::map<std::string, View> views_;  // guarded by mutex_
};

// One for each view, who asks again as soon as the answer is there.
class Visitors {
 public:
  Visitors(const WebApp& app, const std::vector<std::string>& views);

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace vigia::test
