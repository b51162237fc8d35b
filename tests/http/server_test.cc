#include "exporter/http/server.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <stop_token>
#include <thread>

#include "tests/http/stand.h"
#include "tests/support/http_client.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::Ask;
using vigia::test::Get;
using vigia::test::RawConnection;
using namespace std::chrono_literals;

namespace {

Router Routes() {
  Router router;
  router.Get("/hello", [](const Request& request) {
    return Response::Text(200, "hello " + std::string(request.Parameter("name")) + "\n");
  });
  router.Get("/label/{name}/values", [](const Request& request) {
    return Response::Text(200, request.path_parameters.at("name"));
  });
  router.Add({.method = "POST",
              .pattern = "/echo",
              .handler = [](const Request& request) { return Response::Text(200, request.body); },
              .max_body = 1000});
  router.Get("/throw", [](const Request&) -> Response { throw std::runtime_error("broken"); });
  router.Get("/stream", [](const Request&) {
    Response response = Response::Text(200, "");
    response.stream = [](const Sink& sink) {
      for (int i = 0; i < 3; ++i) sink("piece " + std::to_string(i) + "\n");
      return Ok();
    };
    return response;
  });
  return router;
}

}  // namespace

TEST_CASE("a handler answers its exact path and parameters are decoded", "[http]") {
  const Stand stand(Routes());
  REQUIRE(Get(stand.port, "/hello?name=a%20b+c").body == "hello a b c\n");
  REQUIRE(Get(stand.port, "/hello/more").status == 404);
  REQUIRE(Get(stand.port, "/hell").status == 404);
  REQUIRE(Get(stand.port, "/label/job/values").body == "job");
  REQUIRE(Get(stand.port, "/label//values").status == 404);
}

TEST_CASE("other methods are told what is allowed", "[http]") {
  const Stand stand(Routes());
  const auto answer = Ask(stand.port, {.method = "POST", .path = "/hello"});
  REQUIRE(answer.status == 405);
  REQUIRE(answer.headers.at("allow") == "GET, HEAD");
}

TEST_CASE("HEAD is GET without a body", "[http]") {
  const Stand stand(Routes());
  const auto answer = Ask(stand.port, {.method = "HEAD", .path = "/hello"});
  REQUIRE(answer.status == 200);
  REQUIRE(answer.headers.at("content-length") == "7");
  REQUIRE(answer.body == "");
}

TEST_CASE("bodies are bounded while they are read", "[http]") {
  const Stand stand(Routes());
  const auto post = [&](std::size_t size) {
    return Ask(stand.port, {.method = "POST", .path = "/echo", .body = std::string(size, 'x')});
  };
  REQUIRE(post(1000).body == std::string(1000, 'x'));
  REQUIRE(post(1001).status == 413);

  const RawConnection chunked(stand.port);
  chunked.Send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) chunked.Send("64\r\n" + std::string(100, 'x') + "\r\n");
  chunked.Send("0\r\n\r\n");
  REQUIRE(StatusLine(chunked.ReadAll(2s)) == "HTTP/1.1 413 Content Too Large");
}

TEST_CASE("a handler that throws answers 500 and the server goes on", "[http]") {
  const Stand stand(Routes());
  REQUIRE(Get(stand.port, "/throw").status == 500);
  REQUIRE(Get(stand.port, "/hello").status == 200);
}

TEST_CASE("a handler that recurses gets the stack for it", "[http]") {
  // Touches a megabyte of stack, ten times what a worker has.
  const auto deep = [] {
    std::array<volatile char, 1'000'000> room;
    for (std::size_t i = 0; i < room.size(); i += 4096) room[i] = 1;
    return room[4096] == 1;
  };
  Router router;
  router.Add({.method = "GET",
              .pattern = "/deep",
              .handler =
                  [&](const Request& request) {
                    Response response = Response::Text(deep() ? 200 : 500, "");
                    if (!request.Parameter("throw").empty()) throw std::runtime_error("broken");
                    response.stream = [&](const Sink& sink) {
                      sink(deep() ? "deep" : "");
                      return Ok();
                    };
                    return response;
                  },
              .large_stack = true});
  const Stand stand(std::move(router));
  CHECK(Get(stand.port, "/deep").body == "deep");
  CHECK(Get(stand.port, "/deep?throw=1").status == 500);
}

TEST_CASE("a streamed answer arrives whole", "[http]") {
  const Stand stand(Routes());
  REQUIRE(Get(stand.port, "/stream").body == "piece 0\npiece 1\npiece 2\n");
}

TEST_CASE("a client that goes away ends its stream", "[http]") {
  std::atomic<bool> ended = false;
  Router router;
  router.Get("/endless", [&](const Request&) {
    Response response = Response::Text(200, "");
    response.stream = [&](const Sink& sink) {
      const std::string piece(65536, 'x');
      while (sink(piece)) {
      }
      ended = true;
      return Ok();
    };
    return response;
  });
  Stand stand(std::move(router));
  {
    const RawConnection client(stand.port);
    client.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (!ended && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  REQUIRE(ended);
}

TEST_CASE("an empty piece sends what was gathered", "[http]") {
  std::promise<void> seen;
  Router router;
  router.Get("/slow", [&](const Request&) {
    Response response = Response::Text(200, "");
    response.stream = [&](const Sink& sink) {
      sink("first\n");
      sink({});
      const bool came = seen.get_future().wait_for(30s) == std::future_status::ready;
      sink(came ? "second\n" : "the first was held back\n");
      return Ok();
    };
    return response;
  });
  const Stand stand(std::move(router));
  const RawConnection client(stand.port);
  client.Send("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  REQUIRE(client.ReadUntil("first\n").ends_with("first\n"));
  seen.set_value();
  REQUIRE(client.ReadAll().find("second\n") != std::string::npos);
}

TEST_CASE("a stream is told that its client has hung up", "[http]") {
  std::promise<bool> told;
  Router router;
  router.Add({.method = "GET",
              .pattern = "/long",
              .handler =
                  [&](const Request& request) {
                    Response response = Response::Text(200, "");
                    response.stream = [&told, gone = request.gone](const Sink&) {
                      std::promise<void> stopped;
                      const std::stop_callback stop(gone, [&] { stopped.set_value(); });
                      told.set_value(stopped.get_future().wait_for(30s) ==
                                     std::future_status::ready);
                      return Ok();
                    };
                    return response;
                  },
              .cancellable = true});
  const Stand stand(std::move(router));
  {
    const RawConnection client(stand.port);
    client.Send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  REQUIRE(told.get_future().get());
}

TEST_CASE("requests on one connection are answered in order", "[http]") {
  const Stand stand(Routes());
  const RawConnection client(stand.port);
  client.Send(
      "GET /hello?name=1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /hello?name=2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto answer = client.ReadAll(5s);
  REQUIRE(answer.find("hello 1\n") < answer.find("hello 2\n"));
  REQUIRE(answer.find("hello 2\n") != std::string::npos);
}

TEST_CASE("a request id is taken if it is harmless and made otherwise", "[http]") {
  const Stand stand(Routes());
  REQUIRE(Get(stand.port, "/hello", {{"X-Request-Id", "abc-1.2_3"}}).headers.at("x-request-id") ==
          "abc-1.2_3");
  const auto made =
      Get(stand.port, "/hello", {{"X-Request-Id", "a b\""}}).headers.at("x-request-id");
  REQUIRE(made.size() == 32);
}

TEST_CASE("stopping waits for the answers under way", "[http]") {
  std::atomic<bool> entered = false;
  std::atomic<bool> release = false;
  Router router;
  router.Get("/slow", [&](const Request&) {
    entered = true;
    while (!release) std::this_thread::yield();
    return Response::Text(200, "done\n");
  });
  router.Get("/quick", [](const Request&) { return Response::Text(200, "quick\n"); });
  Stand stand(std::move(router));
  test::HttpAnswer answer;
  std::thread client([&] { answer = Get(stand.port, "/slow"); });
  while (!entered) std::this_thread::yield();
  std::thread stopper([&] { stand.server->Stop(30s); });
  // New requests are turned away meanwhile.
  const auto until = std::chrono::steady_clock::now() + 20s;
  int status = 200;
  while (status == 200 && std::chrono::steady_clock::now() < until) {
    status = Get(stand.port, "/quick").status;
  }
  release = true;
  stopper.join();
  client.join();
  REQUIRE(status == 503);
  REQUIRE(answer.status == 200);
  REQUIRE(answer.body == "done\n");
}

TEST_CASE("addresses that cannot be listened on are explained", "[http]") {
  const auto error = [](const std::string& address) {
    Server::Options options;
    options.listen = {address};
    options.workers = 4;
    const auto started = Server::Start({}, std::move(options));
    return started ? std::string("started") : started.error().message();
  };
  REQUIRE(error("[::1]:9845").find("cannot listen on IPv6 addresses") != std::string::npos);
  REQUIRE(error("unix:/run/x").find("cannot listen on unix sockets") != std::string::npos);
  REQUIRE(error("127.0.0.1:99999").find("a number up to 65535") != std::string::npos);
  const Stand stand(Routes());
  REQUIRE(error("127.0.0.1:" + std::to_string(stand.port)).find("--listen") != std::string::npos);
}

TEST_CASE("changes are refused to other sites pages", "[http]") {
  Router router;
  router.Add({.method = "POST",
              .pattern = "/change",
              .handler = [](const Request&) { return Response::Text(200, "changed\n"); },
              .changes_state = true});
  const Stand stand(std::move(router));
  REQUIRE(Ask(stand.port, {.method = "POST", .path = "/change"}).status == 200);
  REQUIRE(Ask(stand.port,
              {.method = "POST", .path = "/change", .headers = {{"Sec-Fetch-Site", "cross-site"}}})
              .status == 403);
}
