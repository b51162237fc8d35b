// WebSocket probes against a real server, and against answers byte by byte.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "collectors/probe/websocket_frame.h"
#include "tests/probe/certificate.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {
namespace {

using namespace std::string_literals;
using collectors::probe::WebsocketAccept;

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

std::string Probe(const std::string& url, const std::string& more = "") {
  return ProbeTarget("{ name: x, timeout: 2s, websocket: \"" + url + "\"" + more + " }");
}

// Answers one connection: `answer` is given the head of the request, and returns what is sent. What
// comes then is kept until the client closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::function<std::string(const std::string&)> answer) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 1);
    thread_ = std::thread([this, answer = std::move(answer)] { Serve(answer); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/live?x=1"; }
  // What came after the answer.
  std::string Rest() {
    thread_.join();
    return rest_;
  }

 private:
  void Serve(const std::function<std::string(const std::string&)>& answer) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    const timeval patience{5, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(connection, &byte, 1, 0) == 1) head += byte;
    const auto bytes = answer(head);
    ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    while (::recv(connection, &byte, 1, 0) == 1) rest_ += byte;
    ::close(connection);
  }

  int listener_ = -1;
  int port_ = 0;
  std::string rest_;
  std::thread thread_;
};

// What agrees to the handshake of `head`.
std::string Agreement(const std::string& head) {
  const std::string name = "Sec-WebSocket-Key: ";
  const auto at = head.find(name) + name.size();
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, "
         "upgrade\r\nSec-WebSocket-Accept: " +
         WebsocketAccept(head.substr(at, head.find('\r', at) - at)) + "\r\n\r\n";
}

// As a client's frames have it.
std::string Unmasked(const std::string& frame) {
  std::string payload;
  for (std::size_t i = 6; i < frame.size(); ++i) {
    payload += static_cast<char>(frame[i] ^ frame[2 + (i - 6) % 4]);
  }
  return payload;
}

// Python's server of WebSockets: greets, and sends back what it gets with "echo " before it.
const std::string kServer = R"python(
import asyncio, ssl, sys, websockets

async def talk(socket, path):
    if path == '/secret' and socket.request_headers.get('Authorization') != 'Basic bWU6cHc=':
        await socket.close(1008, 'who are you?')
        return
    await socket.send('hello ' + path)
    async for message in socket:
        await socket.send(('echo ' + message) if isinstance(message, str) else message)

async def main(port, cert, key):
    context = None
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
    async with websockets.serve(talk, '127.0.0.1', int(port), ssl=context):
        print('serving', flush=True)
        await asyncio.Future()

asyncio.run(main(*sys.argv[1:4]))
)python";

class Server {
 public:
  explicit Server(const std::string& cert_file = "", const std::string& key_file = "")
      : port_(FreePort()) {
    dir_.Write("server.py", kServer);
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "/usr/bin/python3", dir_.path() / "server.py", std::to_string(port_), cert_file, key_file});
    REQUIRE(process_->AwaitOutput("serving"));
  }

  static bool Available() {
    static const bool available =
        RunProgram({"/usr/bin/python3", "-c", "import websockets"}).exit_code == 0;
    if (!available) WARN("SKIPPED: python3-websockets is not installed");
    return available;
  }

  std::string port() const { return std::to_string(port_); }

 private:
  TempDir dir_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace

TEST_CASE("a websocket probe talks to a server in messages", "[probe]") {
  if (!Server::Available()) return;
  const Server server;
  const auto url = "ws://127.0.0.1:" + server.port() + "/live?a=b";
  auto page = Probe(url);
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_websocket_status_code 101"));
  REQUIRE(HasLine(page, "probe_websocket_connection_upgraded 1"));
  REQUIRE(HasLine(page, "probe_websocket_failed_due_to_regex 0"));
  REQUIRE(HasLine(page, "probe_ip_protocol 4"));
  for (const std::string phase : {"resolve", "connect", "processing", "transfer"}) {
    REQUIRE(ValueOf(page, "probe_websocket_duration_seconds{phase=\"" + phase + "\"}") >= 0);
  }
  page = Probe(url,
               ", query_response: [ { expect: '^hello (/live.a=b)$', send: 'to ${1}' }, { expect: "
               "'^echo to (.*)$', labels: [ { name: path, value: '${1}' } ] } ]");
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_expect_info{path=\"/live?a=b\"} 1"));
  page = Probe(url, ", query_response: [ { expect: goodbye } ]");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_websocket_failed_due_to_regex 1"));
  REQUIRE(HasReason(page, "answer"));
  // Long messages have long lengths; bytes come back as they went.
  const std::string longer(70'000, 'x');
  page = Probe(url, ", query_response: [ { expect: hello, send: \"" + longer +
                        "\" }, { expect: '^echo x+$', send: !!binary AAE= }, { expect_bytes: "
                        "!!binary AAE= } ]");
  REQUIRE(HasLine(page, "probe_success 1"));
  // It says nothing more: the probe's own time ends it.
  page = Probe(url, ", query_response: [ { expect: hello }, { expect: more } ]");
  REQUIRE(HasReason(page, "timeout"));
}

TEST_CASE("a websocket probe authenticates, and checks certificates", "[probe]") {
  if (!Server::Available()) return;
  const Certificate certificate;
  const Server server(certificate.cert_file(), certificate.key_file());
  const TempDir dir;
  dir.Write("pw", "pw\n");
  const auto url = "wss://localhost:" + server.port() + "/secret";
  const auto trust = "tls_config: { ca_file: " + certificate.cert_file() + " }";
  const std::string hello = ", query_response: [ { expect: hello } ]";
  auto page = Probe(url, hello + ", http_config: { " + trust +
                             ", basic_auth: { username: me, password_file: " +
                             (dir.path() / "pw").string() + " } }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "vigia_probe_certificate_valid 1"));
  page = Probe(url, hello + ", http_config: { " + trust + " }");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_websocket_connection_upgraded 1"));
  page = Probe(url, hello);
  REQUIRE(HasReason(page, "tls"));
  REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") > 1e9);
}

TEST_CASE("a websocket probe sends what a handshake needs, masked frames, and a pong", "[probe]") {
  std::string head;
  // A ping, a message in two parts with a pong between them, and another.
  OneAnswer server([&](const std::string& request) {
    head = request;
    return Agreement(request) + "\x89\x02hi" + "\x01\x03one" + "\x8A\0"s + "\x80\x04 two" +
           "\x82\x7E\0\x05three"s;
  });
  const auto page = Probe(server.url(),
                          ", headers: { X-Team: { values: [ blue ] } }, query_response: [ { "
                          "expect: '^one two$', send: fine }, { expect: '^three$' } ]");
  INFO(page << head);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(head.starts_with("GET /live?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
  for (const std::string line :
       {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "X-Team: blue"}) {
    REQUIRE(head.find("\r\n" + line + "\r\n") != std::string::npos);
  }
  const auto rest = server.Rest();
  REQUIRE(rest.size() == 8 + 10 + 8);
  REQUIRE(rest.substr(0, 2) == "\x8A\x82");
  REQUIRE(Unmasked(rest.substr(0, 8)) == "hi");
  REQUIRE(rest.substr(8, 2) == "\x81\x84");
  REQUIRE(Unmasked(rest.substr(8, 10)) == "fine");
  REQUIRE(rest.substr(18, 2) == "\x88\x82");
  REQUIRE(Unmasked(rest.substr(18)) == "\x03\xE8");
}

TEST_CASE("what is no WebSocket fails a websocket probe", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.status = 403, .body = "no"});
  auto page = Probe("ws://127.0.0.1:" + std::to_string(stub.port()) + "/");
  INFO(page);
  REQUIRE(HasLine(page, "probe_websocket_status_code 403"));
  REQUIRE(HasLine(page, "probe_websocket_connection_upgraded 0"));
  REQUIRE(HasReason(page, "status"));
  REQUIRE(HasReason(Probe("ws://127.0.0.1:" + std::to_string(FreePort()) + "/"), "connect"));
  const auto answer = [](const std::string& rest) {
    OneAnswer server([&](const std::string& head) { return Agreement(head) + rest; });
    return Probe(server.url(), ", query_response: [ { expect: hello } ]");
  };
  // Another key's answer.
  OneAnswer other([](const std::string&) { return Agreement("Sec-WebSocket-Key: x\r\n"); });
  page = Probe(other.url());
  REQUIRE(HasLine(page, "probe_websocket_status_code 101"));
  REQUIRE(HasLine(page, "probe_websocket_connection_upgraded 0"));
  REQUIRE(HasReason(page, "answer"));
  REQUIRE(HasReason(answer("\x81\x85????hello"), "answer"));  // masked
  REQUIRE(HasReason(answer("\xC1\x05hello"), "answer"));      // compressed
  REQUIRE(HasReason(answer("\x83\x05hello"), "answer"));      // of no known kind
  REQUIRE(HasReason(answer("\x81\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "answer"));  // too long
  REQUIRE(HasReason(answer("\x88\x02\x03\xE8"), "answer"));                          // closed
  OneAnswer mute([](const std::string&) { return "SSH-2.0-x\r\n"s; });
  REQUIRE(HasReason(Probe(mute.url()), "connection"));
}

TEST_CASE("keys of websocket probes are checked", "[probe]") {
  const auto faults = [](const std::string& rest) {
    return ProbeFaults("targets: [ { name: x, websocket: " + rest + " } ]");
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  REQUIRE(faults("\"wss://x/\"") == "");
  REQUIRE(has(faults("\"tcp://x/\""), "not a URL of ws or wss"));
  REQUIRE(has(faults("\"ws://me:pw@x/\""), "a secret"));
  REQUIRE(has(faults("\"ws://x/a\\r\\nX-Key: y\""), "not a URL"));
  REQUIRE(has(faults("\"ws://x/a b\""), "not a URL"));
  REQUIRE(has(faults("\"ws://x/\", http_config: { oauth2: {} }"), "not used by WebSocket probes"));
  REQUIRE(has(faults("\"ws://x/\", query_response: [ { starttls: true } ]"), "wss://"));
  REQUIRE(has(faults("\"ws://x/\", basic_auth: { username: x }"), "unknown key 'basic_auth'"));
}

}  // namespace vigia::test
