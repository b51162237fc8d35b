// The server under slow, greedy and vanishing clients, and while it stops.

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/http/stand.h"
#include "tests/support/http_client.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::Ask;
using vigia::test::Get;
using vigia::test::RawConnection;

namespace {

Router Hello() {
  Router router;
  router.Get("/hello", [](const Request&) { return Response::Text(200, "hello\n"); });
  router.Add({.method = "POST",
              .pattern = "/echo",
              .handler = [](const Request& request) { return Response::Text(200, request.body); },
              .max_body = 10'000'000});
  return router;
}

// Sends a byte every 50 ms, up to 30 s long; how long the other side put up with it.
std::chrono::duration<double> Drip(const RawConnection& connection, char byte) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < 30s) {
    if (!connection.Send(std::string(1, byte)) || !connection.ReadAll(50ms).empty()) break;
  }
  return std::chrono::steady_clock::now() - start;
}

}  // namespace

TEST_CASE("idle connections do not keep others from being answered", "[http]") {
  const Stand stand(Hello(), {});
  std::vector<std::unique_ptr<RawConnection>> idle;
  for (int i = 0; i < 400; ++i) {
    idle.push_back(std::make_unique<RawConnection>(stand.port));
    REQUIRE(idle.back()->connected());
  }
  std::vector<double> milliseconds;
  for (int i = 0; i < 200; ++i) {
    const auto answer = Get(stand.port, "/hello");
    REQUIRE(answer.status == 200);
    milliseconds.push_back(answer.took.count() * 1000);
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << "400 idle connections: p50 " << milliseconds[100] << " ms, p99 " << milliseconds[198]
            << " ms\n";
  CHECK(milliseconds[198] < 500);
}

TEST_CASE("more idle connections than threads make room and requests under way stay", "[http]") {
  std::atomic<bool> go = false;
  std::atomic<int> slow = 0;
  Router router = Hello();
  router.Get("/slow", [&](const Request&) {
    ++slow;
    while (!go) std::this_thread::sleep_for(1ms);
    return Response::Text(200, "slow\n");
  });
  const Stand stand(std::move(router), {.workers = 16});
  const RawConnection asking(stand.port);
  asking.Send("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  while (slow == 0) std::this_thread::yield();

  std::vector<std::unique_ptr<RawConnection>> idle;
  for (int i = 0; i < 300; ++i) idle.push_back(std::make_unique<RawConnection>(stand.port));
  for (int i = 0; i < 20; ++i) {
    const auto answer = Get(stand.port, "/hello");
    REQUIRE(answer.status == 200);
    CHECK(answer.took < 5s);  // far less than an idle connection may last
  }
  // The oldest were hung up.
  const auto start = std::chrono::steady_clock::now();
  CHECK(idle.front()->ReadAll(10s).empty());
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  go = true;
  CHECK(StatusLine(asking.ReadAll(5s)) == "HTTP/1.1 200 OK");
}

TEST_CASE("a head that trickles in is cut", "[http]") {
  const Stand stand(Hello(), {.workers = 4, .request_timeout = 300ms});
  const RawConnection client(stand.port);
  client.Send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  CHECK(Drip(client, 'x') < 20s);
  CHECK(Get(stand.port, "/hello").status == 200);
}

TEST_CASE("a body that trickles in is cut", "[http]") {
  const Stand stand(Hello(), {.workers = 4, .body_timeout = 300ms});
  const RawConnection client(stand.port);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  CHECK(Drip(client, 'x') < 20s);
  CHECK(Get(stand.port, "/hello").status == 200);
}

TEST_CASE("an answer that nobody takes is cut", "[http]") {
  std::atomic<int> ended = 0;
  std::string error;
  std::mutex mutex;
  Router router = Hello();
  router.Get("/large", [body = std::make_shared<const std::string>(50'000'000, 'x')](
                           const Request&) { return Response{.shared_body = body}; });
  Stand stand(std::move(router), {.workers = 4,
                                  .request_timeout = 60s,
                                  .write_timeout = 300ms,
                                  .on_access = [&](const AccessRecord& record) {
                                    const std::lock_guard lock(mutex);
                                    error = record.error;
                                    ++ended;
                                  }});
  const RawConnection client(stand.port);
  client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (ended == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  REQUIRE(ended == 1);
  const std::lock_guard lock(mutex);
  CHECK(error == "the client went away");
}

TEST_CASE("idle connections are closed after a while", "[http]") {
  const Stand stand(Hello(), {.workers = 4, .keep_alive_timeout = 200ms});
  const RawConnection client(stand.port);
  client.Send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto start = std::chrono::steady_clock::now();
  CHECK(StatusLine(client.ReadAll(30s)) == "HTTP/1.1 200 OK");
  CHECK(std::chrono::steady_clock::now() - start < 20s);
}

TEST_CASE("a stop in the middle of a flood loses no answer that was begun", "[http]") {
  std::atomic<int> handled = 0;
  Router router;
  const auto body = std::make_shared<const std::string>(300'000, 'x');
  router.Get("/page", [&](const Request&) {
    ++handled;
    return Response{.shared_body = body};
  });
  Stand stand(std::move(router), {.workers = 32});
  std::atomic<int> whole = 0;
  std::atomic<int> broken = 0;
  std::atomic<bool> refused = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      while (!refused) {
        const auto answer = Get(stand.port, "/page");
        if (answer.status == 200) ++(answer.body.size() == 300'000 ? whole : broken);
        if (answer.status == 0) refused = true;
      }
    });
  }
  while (handled < 50) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  stand.server->Stop(5s);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  for (auto& client : clients) client.join();
  std::cout << "stopped in " << took.count() * 1000 << " ms after " << handled << " answers\n";
  CHECK(broken == 0);
  CHECK(whole == handled);
}

TEST_CASE("a stop does not wait for ever for a client that takes nothing", "[http]") {
  Router router;
  std::atomic<bool> entered = false;
  router.Get("/large", [&](const Request&) {
    entered = true;
    return Response{.body = std::string(50'000'000, 'x')};
  });
  Stand stand(std::move(router), {.workers = 4});
  const RawConnection client(stand.port);
  client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!entered) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  stand.server->Stop(100ms);
  CHECK(std::chrono::steady_clock::now() - start < 20s);
}
