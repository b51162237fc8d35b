// Pushes a synthetic fleet's samples by remote write, for bench/history.sh:
//
//   fleet_push URL SERIES HOURS END [live]
//
// URL is that of the endpoint, END the time of the last sample (Unix seconds); samples go in slices
// of ten minutes, in requests of about 3 MB before compression. Prints one line of JSON with the
// number of samples and the seconds that the server took to answer. With `live`, one sample per
// series and interval follows until it is killed.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "bench/fleet.h"
#include "core/clock.h"
#include "core/http_client.h"
#include "query/remote_write/message.h"

namespace vigia::bench {
namespace {

constexpr std::size_t kSlice = 40;
constexpr std::size_t kSamplesPerRequest = 130'000;
// What `live` may push: an hour.
constexpr std::size_t kMostLive = 240;

class Pusher {
 public:
  explicit Pusher(std::string url) : url_(std::move(url)) {}

  // The samples `begin` to `end` of all series.
  void Push(const Fleet& fleet, std::size_t begin, std::size_t end) {
    std::vector<remote_write::SeriesPart> parts;
    std::size_t count = 0;
    for (std::size_t series = 0; series < fleet.size(); ++series) {
      auto& part = parts.emplace_back(remote_write::SeriesPart{fleet.labels(series), {}});
      for (std::size_t i = begin; i < end; ++i) {
        part.samples.push_back({fleet.TimeOf(i), fleet.Value(series, i)});
      }
      count += end - begin;
      if (count < kSamplesPerRequest && series + 1 < fleet.size()) continue;
      Send(remote_write::EncodeSeries(parts));
      samples_ += count;
      parts.clear();
      count = 0;
    }
  }

  void Print() const {
    std::printf("{\"samples\": %zu, \"requests\": %zu, \"body_bytes\": %zu, \"wait_s\": %.3f}\n",
                samples_, requests_, bytes_, wait_.count());
    std::fflush(stdout);
  }

 private:
  void Send(std::string body) {
    bytes_ += body.size();
    ++requests_;
    const HttpRequest request{.method = "POST",
                              .url = url_,
                              .headers = {{"Content-Encoding", "snappy"},
                                          {"Content-Type", "application/x-protobuf"},
                                          {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                              .body = std::move(body)};
    const auto sent = std::chrono::steady_clock::now();
    const auto answer = client_.Send(request, Deadline::After(SystemClock(), 2min));
    wait_ += std::chrono::steady_clock::now() - sent;
    if (answer && answer->status / 100 == 2) return;
    std::fprintf(stderr, "fleet_push: %s: %s\n", url_.c_str(),
                 answer ? answer->body.c_str() : answer.error().message().c_str());
    std::exit(1);
  }

  const std::string url_;
  HttpClient client_;
  std::size_t samples_ = 0;
  std::size_t requests_ = 0;
  std::size_t bytes_ = 0;
  std::chrono::duration<double> wait_{};
};

int Main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: fleet_push URL SERIES HOURS END [live]\n", stderr);
    return 2;
  }
  const auto series = static_cast<std::size_t>(std::atoi(argv[2]));
  const auto samples = static_cast<std::size_t>(std::atof(argv[3]) * 240) + 1;
  const Timestamp end = std::atoll(argv[4]) * 1000;
  const Fleet fleet(series, samples + kMostLive,
                    end - static_cast<Timestamp>(samples - 1) * Fleet::kStep);
  Pusher pusher(argv[1]);
  for (std::size_t i = 0; i < samples; i += kSlice) {
    pusher.Push(fleet, i, std::min(samples, i + kSlice));
  }
  pusher.Print();
  for (std::size_t i = samples; argc > 5 && i < samples + kMostLive; ++i) {
    const std::chrono::milliseconds due(fleet.TimeOf(i) - SystemClock().Wall());
    if (due > 0ms) std::this_thread::sleep_for(due);
    pusher.Push(fleet, i, i + 1);
  }
  return 0;
}

}  // namespace
}  // namespace vigia::bench

int main(int argc, char** argv) { return vigia::bench::Main(argc, argv); }
