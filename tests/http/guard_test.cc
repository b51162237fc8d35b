// What the server refuses, what it reads, and what it leaves on the connection.

#include <catch2/catch.hpp>

#include "tests/http/stand.h"
#include "tests/support/http_client.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::Get;
using vigia::test::RawConnection;

namespace {

Router Routes() {
  Router router;
  router.Get("/hello", [](const Request&) { return Response::Text(200, "hello\n"); });
  router.Add({.method = "POST",
              .pattern = "/echo",
              .handler = [](const Request& request) { return Response::Text(200, request.body); },
              .max_body = 100'000});
  return router;
}

// What the server sends back before it closes, or falls silent.
std::string Talk(int port, const std::string& bytes) {
  const RawConnection client(port);
  client.Send(bytes);
  return client.ReadAll(5s);
}

struct Row {
  std::string request;
  std::string status;
};

}  // namespace

TEST_CASE("ambiguous and malformed requests are refused and harm nothing", "[http]") {
  const Stand stand(Routes());
  const std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\n";
  const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  std::string many = head;
  for (int i = 0; i < 70; ++i) many += "X-" + std::to_string(i) + ": a\r\n";
  const Row rows[]{
      {"GET /hello HTTP/1.1\r\n\r\n", "400"},
      {head + "Host: b\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: a\r\nX \t: b\r\n\r\n", "400"},
      {head + "X-Folded: a\r\n b\r\nX: c\r\n\r\n", "400"},
      {head + " X: c\r\n\r\n", "400"},
      {head + ": no name\r\n\r\n", "400"},
      {head + "no colon\r\n\r\n", "400"},
      {head + "X-Bad(Name): a\r\n\r\n", "400"},
      {head + "X: a\nY: b\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\nHost: a\n\n", "400"},
      {"GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
      {"GET /hello\r\n\r\n", "400"},
      {"NONSENSE\r\n\r\n", "400"},
      {"BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /hello HTTP/9.9\r\nHost: a\r\n\r\n", "505"},
      {"GET /hello HTTP/1.11\r\nHost: a\r\n\r\n", "505"},
      {"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /hel%zzlo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"},
      {"GET /../hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404"},
      {"GET //hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404"},
      {"GET /hello%00x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404"},
      {"GET /" + std::string(40000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {many + "\r\n", "400"},
      {std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), "400"},
      {head + "X: a" + std::string(1, '\0') + "b\r\n\r\n", "400"},
      {"\x16\x03\x01\x02", "400"},
      {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400"},
      {post + "Content-Length: +1\r\n\r\nx", "400"},
      {post + "Content-Length: 1x\r\n\r\nx", "400"},
      {post + "Content-Length: -1\r\n\r\n", "400"},
      {post + "Content-Length: 99999999999999999999\r\n\r\n", "400"},
      {post + "Content-Length: 9223372036854775807\r\n\r\n", "413"},
      {post + "Transfer-Encoding: identity\r\n\r\n", "501"},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", "400"},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "501"},
      {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", "400"},
      {post + "Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n", "400"},
      {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc\r\n0\r\n\r\n", "400"},
      {post + "Expect: tea\r\nContent-Length: 1\r\n\r\nx", "417"},
  };
  for (const auto& row : rows) {
    const RawConnection client(stand.port);
    client.Send(row.request);
    if (row.request.size() < 5) client.Finish();
    const auto line = StatusLine(client.ReadAll(20s));
    INFO(row.request.substr(0, 90) << " -> " << line);
    CHECK(line.starts_with("HTTP/1.1 " + row.status));
  }
  CHECK(Get(stand.port, "/hello").status == 200);
}

TEST_CASE("a refused request is not followed by another one on its connection", "[http]") {
  const Stand stand(Routes());
  const auto answer = Talk(stand.port,
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                           "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.find("HTTP/1.1", 1) == std::string::npos);
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("simple clients are understood", "[http]") {
  const Stand stand(Routes());
  CHECK(Talk(stand.port, "GET /hello HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nhello\n"));
  CHECK(Talk(stand.port, "GET /hello HTTP/1.0\r\nHost: a\r\n\r\n").ends_with("\r\n\r\nhello\n"));
  CHECK(Talk(stand.port, "GET /hello?x HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")
            .ends_with("\r\n\r\nhello\n"));
  CHECK(Talk(stand.port, "\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .ends_with("\r\n\r\nhello\n"));
}

TEST_CASE("a head of almost the largest size is read", "[http]") {
  const Stand stand(Routes());
  const std::string before = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";
  const std::string head = before + std::string(8192 - before.size() - 4, 'x') + "\r\n\r\n";
  REQUIRE(head.size() == 8192);
  CHECK(StatusLine(Talk(stand.port, head)) == "HTTP/1.1 200 OK");
  CHECK(StatusLine(Talk(stand.port, head.substr(0, 8188) + "x\r\n\r\n")) ==
        "HTTP/1.1 400 Bad Request");
}

TEST_CASE("a body that ends early is refused", "[http]") {
  const Stand stand(Routes());
  const RawConnection client(stand.port);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  client.Finish();
  CHECK(StatusLine(client.ReadAll(20s)) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("chunked bodies are put together", "[http]") {
  const Stand stand(Routes());
  const auto answer = Talk(stand.port,
                           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(answer.ends_with("\r\n\r\nabcde"));
}

TEST_CASE("a client that expects to be asked for its body is asked", "[http]") {
  const Stand stand(Routes());
  const RawConnection client(stand.port);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\n");
  CHECK(client.ReadAll(300ms) == "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  CHECK(client.ReadAll(20s).ends_with("\r\n\r\nhello"));
  // Not for a body that is refused anyway.
  CHECK(StatusLine(Talk(stand.port,
                        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n"
                        "Expect: 100-continue\r\n\r\n")) == "HTTP/1.1 413 Content Too Large");
}

TEST_CASE("a body that nobody wants does not become the next request", "[http]") {
  const Stand stand(Routes());
  const std::string body = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto answer =
      Talk(stand.port,
           "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body + "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("405") == std::string::npos);
  CHECK(answer.find("hello\n") != answer.rfind("hello\n"));
}

TEST_CASE("a client learns that its body is too large while it sends", "[http]") {
  const Stand stand(Routes());
  const RawConnection client(stand.port);
  // Far beyond what the buffers of a connection hold: it gets there only if somebody reads.
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n" +
              std::string(20'000'000, 'x'));
  const auto answer = client.ReadAll(20s);
  CHECK(StatusLine(answer) == "HTTP/1.1 413 Content Too Large");
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("values of header fields cannot begin new ones", "[http]") {
  Router router;
  router.Get("/", [](const Request& request) {
    Response response = Response::Text(200, "");
    response.headers.emplace_back("x-echo", request.Parameter("value"));
    return response;
  });
  const Stand stand(std::move(router));
  const auto answer = Get(stand.port, "/?value=a%0d%0aSet-Cookie:%20b");
  CHECK(answer.headers.at("x-echo") == "a  Set-Cookie: b");
  CHECK(answer.headers.count("set-cookie") == 0);
}

TEST_CASE("a stream that fails is seen to be incomplete", "[http]") {
  Router router;
  router.Get("/", [](const Request&) {
    Response response = Response::Text(200, "");
    response.stream = [](const Sink& sink) -> Status {
      sink(std::string(20'000, 'x'));
      return Fail(ErrorCode::kUnavailable, "the source went away");
    };
    return response;
  });
  const Stand stand(std::move(router));
  const auto answer = Talk(stand.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.size() > 20'000);
  CHECK_FALSE(answer.ends_with("0\r\n\r\n"));
  // HEAD does not run it, HTTP/1.0 gets it without chunks.
  CHECK(Talk(stand.port, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .ends_with("\r\n\r\n"));
  CHECK(
      Talk(stand.port, "GET / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\n" + std::string(20'000, 'x')));
}

TEST_CASE("a stream without chunks ends with its connection, whatever the client would like",
          "[http]") {
  Router router;
  router.Get("/", [](const Request&) {
    Response response = Response::Text(200, "");
    response.stream = [](const Sink& sink) -> Status {
      sink("whole");
      return Ok();
    };
    return response;
  });
  const Stand stand(std::move(router));
  const auto answer = Talk(stand.port, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\nwhole"));
}

TEST_CASE("answers say when and for how long they hold and nothing of the server", "[http]") {
  const Stand stand(Routes());
  const auto answer = Get(stand.port, "/hello");
  CHECK(answer.headers.at("cache-control") == "no-store");
  CHECK(answer.headers.at("date").ends_with(" GMT"));
  CHECK(answer.headers.count("server") == 0);
}
