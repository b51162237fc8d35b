// An endpoint against receivers that are well, slow, away, overloaded or opinionated.

#include <atomic>
#include <bit>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "query/history/journal.h"
#include "query/remote_write/remote_write.h"
#include "tests/remote_write/receiver.h"
#include "tests/support/temp_dir.h"

namespace vigia::remote_write {
namespace {

using history::History;
using test::Content;
using test::Message;
using test::Receiver;

// A history on a clock that moves only when told, and remote write from it.
class Fixture {
 public:
  explicit Fixture(history::Options given = {}) : options_(std::move(given)) {
    options_.folder = dir.path() / "history";
    Open();
  }
  ~Fixture() { Close(); }

  void Open() {
    history = std::move(*History::Open(options_, clock));
    remote = std::make_unique<RemoteWrite>(*history, options_.folder, clock);
  }
  void Close() {
    remote.reset();
    history.reset();
  }

  // Appends `count` samples at 1 s steps to each of `series` series, and flushes them.
  void Fill(int series, int count) {
    std::vector<SeriesSink::Entry> entries;
    for (int i = 0; i < count; ++i, next_ += 1000) {
      for (int j = 0; j < series; ++j) {
        const double value = j == 0 ? 1.0 / (i + 3) : i * 10 + j;
        const Labels labels{{"__name__", "m"}, {"j", std::to_string(j)}};
        entries.push_back({labels, {next_, value}});
        written[labels.ToString()].emplace_back(next_, std::bit_cast<std::uint64_t>(value));
      }
    }
    const auto outcome = history->Append(entries);
    REQUIRE(outcome);
    REQUIRE(outcome->stored == entries.size());
    REQUIRE(history->Sync());
  }

  static Endpoint EndpointOf(const Receiver& receiver) {
    Endpoint endpoint;
    endpoint.name = "test";
    endpoint.url = receiver.url();
    endpoint.metadata.send = false;
    return endpoint;
  }

  void Start(Endpoint endpoint, Queue::Context context = {}) {
    context.on_change = [this](std::string_view message, const std::string&, const Error*) {
      const std::lock_guard lock(mutex_);
      said_.emplace_back(message);
    };
    std::vector<Endpoint> endpoints;
    endpoints.push_back(std::move(endpoint));
    remote->Apply(std::move(endpoints), std::move(context));
  }
  void Start(const Receiver& receiver) { Start(EndpointOf(receiver)); }

  // Lets time pass until `ready`; false if it is not in a minute of ours.
  bool Await(const std::function<bool()>& ready, Duration step = 250ms) {
    const Instant end = SystemClock().Now() + 1min;
    while (!ready()) {
      if (SystemClock().Now() > end) return false;
      if (clock.waiters() > 0) clock.Advance(step);
      std::this_thread::yield();
    }
    return true;
  }

  EndpointStats stats() const { return remote->stats().at(0); }
  std::vector<std::string> said() const {
    const std::lock_guard lock(mutex_);
    return said_;
  }

  vigia::test::TempDir dir;
  ManualClock clock;
  Content written;
  std::unique_ptr<History> history;
  std::unique_ptr<RemoteWrite> remote;

 private:
  history::Options options_;
  Timestamp next_ = clock.Wall() - 3'000'000;
  mutable std::mutex mutex_;
  std::vector<std::string> said_;
};

Content WithoutRepeats(Content content) {
  for (auto& [name, samples] : content) {
    std::sort(samples.begin(), samples.end());
    samples.erase(std::unique(samples.begin(), samples.end()), samples.end());
  }
  return content;
}

}  // namespace

TEST_CASE("everything appended arrives in order and bit by bit", "[remote_write]") {
  Fixture fixture({.out_of_order_window = 2h});
  Receiver receiver;
  fixture.Fill(30, 100);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return receiver.content() == fixture.written; }));
  for (int i = 0; i < 5; ++i) {
    fixture.Fill(30, 3);
    if (i == 2) REQUIRE(fixture.history->Seal());
  }
  REQUIRE(fixture.Await([&] { return receiver.content() == fixture.written; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  const auto stats = fixture.stats();
  REQUIRE(stats.samples == 30 * 115);
  REQUIRE(stats.rejected == 0);
  REQUIRE(stats.gaps == 0);
  REQUIRE(stats.newest == fixture.written.begin()->second.back().first);
  REQUIRE(fixture.said().empty());
  const auto headers = receiver.stub.requests()[0].headers;
  REQUIRE(headers.at("content-encoding") == "snappy");
  REQUIRE(headers.at("content-type") == "application/x-protobuf");
  REQUIRE(headers.at("x-prometheus-remote-write-version") == "0.1.0");
}

TEST_CASE("a few samples wait for others, at most until batch_send_deadline", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  auto endpoint = Fixture::EndpointOf(receiver);
  endpoint.queue.batch_send_deadline = 5s;
  fixture.Start(std::move(endpoint));
  fixture.clock.AwaitWaiters(1);
  fixture.Fill(1, 1);
  for (int i = 0; i < 10; ++i) {
    fixture.clock.Advance(500ms);
    fixture.clock.AwaitWaiters(1);
    REQUIRE(receiver.requests() == 0);
  }
  REQUIRE(fixture.Await([&] { return receiver.requests() == 1; }));
}

TEST_CASE("an outage loses nothing, and is told once", "[remote_write]") {
  Fixture fixture({.journal_keep_bytes = 10 << 20});
  Receiver receiver;
  receiver.AnswerAll(503);
  fixture.Start(receiver);
  fixture.Fill(20, 200);
  REQUIRE(fixture.Await([&] { return receiver.requests() >= 5; }));
  for (int i = 0; i < 4; ++i) {
    fixture.Fill(20, 100);
    REQUIRE(fixture.history->Seal());  // releases what nobody needs
  }
  receiver.stub.Stop();
  REQUIRE(fixture.Await([&] { return fixture.stats().failures > 20; }));
  receiver.stub.Start();
  receiver.AnswerAll(200);
  REQUIRE(fixture.Await([&] { return receiver.content() == fixture.written; }));
  REQUIRE(fixture.said() == std::vector<std::string>{"remote write fails and is tried again",
                                                     "remote write works again"});
  // The journal does not stay longer than it is needed.
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  fixture.Fill(20, 1);
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  REQUIRE(fixture.Await([&] {
    REQUIRE(fixture.history->Seal());
    return history::ListSegments(fixture.dir.path() / "history").size() <= 1;
  }));
}

TEST_CASE("429 is obeyed for as long as Retry-After says", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  receiver.AnswerWith({.status = 429, .headers = {{"Retry-After", "60"}}});
  fixture.Fill(1, 1);
  auto endpoint = Fixture::EndpointOf(receiver);
  endpoint.queue.max_backoff = 1s;
  fixture.Start(std::move(endpoint));
  REQUIRE(fixture.Await([&] { return receiver.requests() == 1; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().failures == 1; }));
  fixture.clock.AwaitWaiters(1);
  fixture.clock.Advance(59s);
  fixture.clock.AwaitWaiters(1);
  REQUIRE(receiver.requests() == 1);
  receiver.AnswerAll(204);
  fixture.clock.Advance(2s);
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 1; }));
  REQUIRE(receiver.requests() == 2);
}

TEST_CASE("what the receiver refuses is dropped and counted, the rest goes on", "[remote_write]") {
  for (const int status : {401, 403, 404, 413, 400}) {
    Fixture fixture;
    Receiver receiver;
    receiver.AnswerAll(status);
    fixture.Fill(1, 10);
    fixture.Start(receiver);
    REQUIRE(fixture.Await([&] { return fixture.stats().rejected == 10; }));
    REQUIRE(receiver.requests() == 1);
    receiver.AnswerAll(200);
    fixture.Fill(1, 5);
    REQUIRE(fixture.Await([&] { return fixture.stats().samples == 5; }));
    REQUIRE(fixture.stats().refusals == 1);
    REQUIRE(fixture.said() ==
            std::vector<std::string>{"remote write is refused, samples are dropped",
                                     "remote write works again"});
  }
}

TEST_CASE("of a request that is bad in part the good part is delivered", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  receiver.AnswerBy([](const Message& message) {
    for (const auto& [labels, samples] : message.series) {
      if (labels == "m{j=\"77\"}") return vigia::test::StubAnswer{.status = 400};
    }
    return vigia::test::StubAnswer{.status = 204};
  });
  fixture.Fill(200, 3);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return fixture.stats().rejected == 3; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 199 * 3; }));
  auto expected = fixture.written;
  expected.erase("m{j=\"77\"}");
  REQUIRE(receiver.content() == expected);
}

TEST_CASE("a receiver that finds everything bad is not asked for each series", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  receiver.AnswerAll(400);
  fixture.Fill(500, 2);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return fixture.stats().rejected == 1000; }));
  REQUIRE(receiver.requests() < 70);
  fixture.Fill(500, 2);
  REQUIRE(fixture.Await([&] { return fixture.stats().rejected == 2000; }));
  REQUIRE(receiver.requests() < 72);
}

TEST_CASE("a restart goes on where it was, also in the midst of an outage", "[remote_write]") {
  Fixture fixture({.journal_keep_bytes = 10 << 20});
  Receiver receiver;
  fixture.Fill(10, 100);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return receiver.content() == fixture.written; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  fixture.Close();
  fixture.Open();
  receiver.AnswerAll(500);
  fixture.Fill(10, 50);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return fixture.stats().failures > 3; }));
  fixture.Close();
  receiver.AnswerAll(200);
  fixture.Open();
  fixture.Fill(10, 50);
  fixture.Start(receiver);
  // Nothing twice, nothing missing.
  REQUIRE(fixture.Await([&] { return receiver.content() == fixture.written; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  REQUIRE(receiver.content() == fixture.written);
}

TEST_CASE("what was under way is sent again in the same requests", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  std::atomic<int> answered = 0;
  // Of four requests two are accepted, then the receiver is away.
  receiver.AnswerBy([&](const Message&) {
    return vigia::test::StubAnswer{.status = answered++ < 2 ? 200 : 500};
  });
  auto endpoint = Fixture::EndpointOf(receiver);
  endpoint.queue.max_samples_per_send = 100;
  endpoint.queue.max_shards = 1;
  fixture.Fill(20, 20);
  fixture.Start(endpoint);
  REQUIRE(fixture.Await([&] { return answered > 3; }));
  fixture.Close();
  const auto before = receiver.stub.requests();
  REQUIRE(before[0].body != before[1].body);
  fixture.Open();
  fixture.Fill(20, 20);  // more has come meanwhile
  receiver.AnswerAll(200);
  fixture.Start(endpoint);
  REQUIRE(fixture.Await([&] { return WithoutRepeats(receiver.content()) == fixture.written; }));
  const auto after = receiver.stub.requests();
  REQUIRE(after[before.size()].body == before[0].body);
  REQUIRE(after[before.size() + 1].body == before[1].body);
  REQUIRE(after[before.size() + 2].body == before[2].body);
}

TEST_CASE("a journal that is gone is a gap, counted and told", "[remote_write]") {
  Fixture fixture;  // keeps no journal
  Receiver receiver;
  fixture.Fill(2, 10);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 20; }));
  REQUIRE(fixture.Await([&] { return fixture.stats().pending_bytes == 0; }));
  fixture.remote->Stop();
  fixture.Fill(2, 10);
  REQUIRE(fixture.history->Seal());
  fixture.Fill(2, 10);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 20; }));
  REQUIRE(fixture.stats().gaps == 1);
  REQUIRE(fixture.said() == std::vector<std::string>{"remote write has lost samples"});
}

TEST_CASE("stopping does not wait for a receiver that hangs", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  receiver.AnswerWith({.manner = vigia::test::StubAnswer::Manner::kHang});
  fixture.Fill(1, 1);
  fixture.Start(receiver);
  REQUIRE(fixture.Await([&] { return receiver.requests() == 1; }));
  const Instant begin = SystemClock().Now();
  fixture.remote->Stop();
  REQUIRE(SystemClock().Now() - begin < 10s);
}

TEST_CASE("metadata is sent at once and then once per interval", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  auto endpoint = Fixture::EndpointOf(receiver);
  endpoint.metadata = {.send = true, .send_interval = 1min, .max_samples_per_send = 2};
  Queue::Context context;
  context.metadata = [] {
    return std::vector<MetricMetadata>{{"a", MetricType::kGauge, "A.", ""},
                                       {"b", MetricType::kCounter, "B.", ""},
                                       {"c", MetricType::kHistogram, "C.", "seconds"}};
  };
  fixture.Start(std::move(endpoint), std::move(context));
  REQUIRE(fixture.Await([&] { return receiver.metadata().size() == 3; }));
  REQUIRE(receiver.requests() == 2);
  REQUIRE(receiver.metadata()[2].name == "c");
  fixture.clock.AwaitWaiters(1);
  fixture.clock.Advance(59s);
  REQUIRE(receiver.requests() == 2);
  REQUIRE(fixture.Await([&] { return receiver.metadata().size() == 6; }));
}

TEST_CASE("tokens are asked for, used, and renewed when refused", "[remote_write]") {
  Fixture fixture;
  Receiver receiver;
  std::atomic<int> tokens = 0;
  receiver.stub.Decide("/token", [&](const vigia::test::StubRequest& request) {
    REQUIRE(request.body == "grant_type=client_credentials&scope=a+b");
    REQUIRE(request.headers.at("authorization") == "Basic dmlnaWE6cyUyNmNyZXQ=");  // s%26cret
    return vigia::test::StubAnswer{.body = R"({"access_token":"t)" + std::to_string(++tokens) +
                                           R"(","expires_in":3600})"};
  });
  std::atomic<bool> refuse = false;
  receiver.AnswerBy([&](const Message&) {
    return vigia::test::StubAnswer{.status = refuse.exchange(false) ? 401 : 200};
  });
  auto endpoint = Fixture::EndpointOf(receiver);
  endpoint.oauth2 = {.client_id = "vigia",
                     .client_secret = Secret::FromValue("s&cret"),
                     .token_url = receiver.stub.Url("/token"),
                     .scopes = {"a", "b"}};
  fixture.Fill(1, 1);
  fixture.Start(std::move(endpoint));
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 1; }));
  REQUIRE(receiver.stub.requests().back().headers.at("authorization") == "Bearer t1");
  refuse = true;
  fixture.Fill(1, 1);
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 2; }));
  REQUIRE(receiver.stub.requests().back().headers.at("authorization") == "Bearer t2");
  REQUIRE(fixture.stats().rejected == 0);
}

TEST_CASE("a proxy is asked where the endpoint has one", "[remote_write]") {
  vigia::test::HttpStub proxy;
  proxy.Answer("http://nowhere.example/api/v1/write", {.status = 204});
  Fixture fixture;
  fixture.Fill(2, 3);
  Endpoint endpoint;
  endpoint.name = "test";
  endpoint.url = "http://nowhere.example/api/v1/write";
  endpoint.metadata.send = false;
  endpoint.http.proxy.url = proxy.Url("");
  fixture.Start(std::move(endpoint));
  REQUIRE(fixture.Await([&] { return fixture.stats().samples == 6; }));
  REQUIRE(fixture.stats().newest == fixture.stats().newest_stored);
}

}  // namespace vigia::remote_write
