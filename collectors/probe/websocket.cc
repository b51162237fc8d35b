// WebSocket probes: the handshake of RFC 6455 over our own stream, then messages that are expected
// and sent.

#include <algorithm>

#include "collectors/probe/probers.h"
#include "collectors/probe/stream.h"
#include "collectors/probe/websocket_frame.h"
#include "core/base64.h"
#include "core/curl_request.h"
#include "core/number.h"
#include "core/text/words.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kMaxMessage = 10 << 20;
constexpr int kMaxHeadLines = 256;
constexpr int kSwitchingProtocols = 101;

struct WebsocketUrl {
  HostPort server;
  std::string authority;  // as the Host header has it
  std::string path;       // and query
  bool secure = false;
};

// What stands behind the host, without a fragment.
std::string PathOf(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto begin = url.find_first_of("/?", url.find("://") + 3);
  if (begin == url.npos) return "/";
  const auto path = url.substr(begin);
  return path.starts_with('?') ? "/" + std::string(path) : std::string(path);
}

Result<WebsocketUrl> ParseUrl(const std::string& text) {
  const bool plain = text.starts_with("ws://") || text.starts_with("http://");
  const bool secure = text.starts_with("wss://") || text.starts_with("https://");
  if (!plain && !secure) return Fail(ErrorCode::kInvalid, "not a URL of ws or wss");
  const auto rest = text.substr(text.find("://"));
  const auto parsed = ParseHttpUrl((secure ? "https" : "http") + rest);
  if (!parsed) return Fail(parsed.error());
  if (parsed->has_user) return Fail(ErrorCode::kInvalid, "a password does not stand in the URL");
  WebsocketUrl url;
  url.secure = secure;
  url.server = {parsed->host, parsed->port};
  if (parsed->host.starts_with('[')) {
    url.server.host = parsed->host.substr(1, parsed->host.size() - 2);
  }
  url.authority = parsed->host;
  if (parsed->port != (secure ? 443 : 80)) url.authority += ":" + std::to_string(parsed->port);
  url.path = PathOf(text);
  return url;
}

Result<std::string> AuthorizationOf(const HttpAuth& auth) {
  if (!auth.username.empty() || !auth.password.empty()) {
    const auto password = auth.password.Reveal();
    if (!password) return Fail(password.error());
    return "Basic " + EncodeBase64(auth.username + ":" + *password);
  }
  if (auth.credentials.empty()) return std::string();
  const auto credentials = auth.credentials.Reveal();
  if (!credentials) return Fail(credentials.error());
  return auth.type + " " + *credentials;
}

class WebsocketProbe {
 public:
  WebsocketProbe(const WebsocketModule& module, const Call& call, Observation& observation)
      : module_(module),
        call_(call),
        deadline_(call.deadline),
        clock_(call.deadline.clock()),
        observation_(observation) {}

  void Run() {
    const auto url = ParseUrl(call_.target);
    if (!url) return observation_.FailWith(Reason::kOther, url.error().message());
    if (Connect(*url)) {
      const bool secured = !url->secure || StartTls(url->server.host);
      if (secured && Upgrade(*url)) Converse();
      certificate_.Report(secured, observation_);
    }
    observation_.Add(kWebsocketStatus, status_);
    observation_.Add(kWebsocketUpgraded, upgraded_ ? 1 : 0);
    observation_.Add(kWebsocketFailedRegex, failed_regex_ ? 1 : 0);
  }

 private:
  void EndPhase(std::string_view phase) {
    const Instant now = clock_.Now();
    const auto took = std::chrono::duration<double>(now - phase_begin_).count();
    observation_.Add(kWebsocketDuration, "phase", phase, took);
    phase_begin_ = now;
  }

  bool Fails(const Error& error, Reason otherwise) {
    observation_.FailWith(ReasonOf(error, otherwise), error.message());
    return false;
  }

  bool Connect(const WebsocketUrl& url) {
    phase_begin_ = clock_.Now();
    const auto addresses = LookUp(url.server, call_, observation_);
    EndPhase("resolve");
    if (addresses.empty()) return false;
    auto stream = Stream::Connect(addresses, "", deadline_);
    ReportAddress((stream ? (*stream)->address() : addresses.front()).Text(), observation_);
    if (!stream) return Fails(stream.error(), Reason::kConnect);
    observation_.Note("connected", {{"address", (*stream)->address().Text()}});
    stream_ = *std::move(stream);
    EndPhase("connect");
    return true;
  }

  bool StartTls(const std::string& host) {
    auto status = stream_->StartTls(module_.tls, host, certificate_, deadline_);
    if (!status) return Fails(status.error(), Reason::kTls);
    observation_.Note("TLS is in use");
    EndPhase("tls");
    return true;
  }

  Result<std::string> Request(const WebsocketUrl& url, const std::string& key) const {
    HttpFields fields{{"Host", url.authority}};
    for (const auto& [name, secret] : module_.headers) {
      const auto value = secret.Reveal();
      if (!value) return Fail(value.error().In("headers"));
      fields.emplace_back(name, *value);
    }
    const auto authorization = AuthorizationOf(module_.auth);
    if (!authorization) return Fail(authorization.error());
    if (!authorization->empty()) fields.emplace_back("Authorization", *authorization);
    fields.insert(fields.end(), {{"Upgrade", "websocket"},
                                 {"Connection", "Upgrade"},
                                 {"Sec-WebSocket-Key", key},
                                 {"Sec-WebSocket-Version", "13"},
                                 {"User-Agent", "vigia"}});
    std::string request = "GET " + url.path + " HTTP/1.1\r\n";
    for (const auto& [name, value] : fields) {
      if (!IsHttpField(name, value)) {
        return Fail(ErrorCode::kInvalid, "header '" + name + "' holds what no header may");
      }
      request += name + ": " + value + "\r\n";
    }
    return request + "\r\n";
  }

  bool Upgrade(const WebsocketUrl& url) {
    const auto key = NewWebsocketKey();
    const auto request = Request(url, key);
    if (!request) return Fails(request.error(), Reason::kOther);
    if (auto sent = stream_->Write(*request, deadline_); !sent) {
      return Fails(sent.error(), Reason::kConnection);
    }
    HttpHead head;
    if (auto read = ReadHead(head); !read) return Fails(read.error(), Reason::kConnection);
    EndPhase("processing");
    if (status_ != kSwitchingProtocols) {
      observation_.FailWith(Reason::kStatus, "status " + std::to_string(status_) + ", not 101");
      return false;
    }
    upgraded_ = text::EqualsIgnoringCase(head.Find("upgrade"), "websocket") &&
                text::ListHas(head.Find("connection"), "Upgrade") &&
                head.Find("sec-websocket-accept") == WebsocketAccept(key);
    if (!upgraded_) {
      observation_.FailWith(Reason::kAnswer, "the server agrees to something else than WebSocket");
    }
    return upgraded_;
  }

  // Also sets status_.
  Status ReadHead(HttpHead& head) {
    for (int i = 0; i < kMaxHeadLines; ++i) {
      const auto line = stream_->ReadLine(deadline_);
      if (!line) return Fail(line.error());
      if (i == 0) {
        const auto status =
            ParseInt(std::string_view(*line).substr(std::min<std::size_t>(line->size(), 9), 3));
        if (!line->starts_with("HTTP/1.") || !status) {
          return Fail(ErrorCode::kCorrupt, "the answer is not of HTTP/1");
        }
        status_ = static_cast<int>(*status);
      }
      if (line->empty()) return Ok();
      if (!head.Take(*line)) break;
    }
    return Fail(ErrorCode::kCorrupt, "a head without end");
  }

  void Converse() {
    for (const auto& step : module_.steps) {
      if (!Expect(step) || !Send(step)) break;
    }
    EndPhase("transfer");
    // Out of courtesy: the verdict stands.
    static_cast<void>(stream_->Write(WriteFrame(Opcode::kClose, "\x03\xE8"), deadline_));
  }

  // Each step reads one message, which has to match.
  bool Expect(const TcpStep& step) {
    if (step.expect.empty() && step.expect_bytes.empty()) return true;
    const auto message = ReadMessage();
    bool matches = message.has_value();
    if (matches) observation_.Note("read a message", {{"message", *message}});
    if (matches && !step.expect.empty()) matches = step.expect.front().Find(*message, groups_);
    if (matches && !step.expect_bytes.empty()) matches = *message == step.expect_bytes;
    if (matches) {
      AddExpectInfo(step, groups_, observation_);
      return true;
    }
    failed_regex_ = true;
    if (!message) return Fails(message.error(), Reason::kAnswer);
    observation_.FailWith(Reason::kAnswer, step.expect.empty()
                                               ? "another message than expect_bytes"
                                               : "the message does not match '" +
                                                     step.expect.front().expression() + "'");
    return false;
  }

  bool Send(const TcpStep& step) {
    if (step.send.empty()) return true;
    const auto message = Expand(step.send, groups_);
    observation_.Note("sending a message", {{"message", message}});
    const bool binary = message.find('\0') != message.npos;
    auto status =
        stream_->Write(WriteFrame(binary ? Opcode::kBinary : Opcode::kText, message), deadline_);
    return status ? true : Fails(status.error(), Reason::kConnection);
  }

  // Answers pings on the way.
  Result<std::string> ReadMessage() {
    std::string message;
    while (true) {
      auto frame = ReadFrame(*stream_, kMaxMessage - message.size(), deadline_);
      if (!frame) return Fail(frame.error());
      switch (frame->opcode) {
        case Opcode::kPing:
          if (auto sent = stream_->Write(WriteFrame(Opcode::kPong, frame->payload), deadline_);
              !sent) {
            return Fail(sent.error());
          }
          continue;
        case Opcode::kPong:
          continue;
        case Opcode::kClose:
          return Fail(ErrorCode::kUnavailable, "the server closed the WebSocket");
        default:
          message += frame->payload;
          if (frame->last) return message;
      }
    }
  }

  const WebsocketModule& module_;
  const Call& call_;
  const Deadline deadline_;
  const Clock& clock_;
  Observation& observation_;
  Instant phase_begin_;
  std::unique_ptr<Stream> stream_;
  CertificateRecorder certificate_;
  std::vector<std::string> groups_;
  int status_ = 0;
  bool upgraded_ = false;
  bool failed_regex_ = false;
};

}  // namespace

Observation ProbeWebsocket(const WebsocketModule& module, const Call& call) {
  auto observation = Begin(call);
  const Instant begin = call.deadline.clock().Now();
  WebsocketProbe(module, call, observation).Run();
  observation.duration_seconds =
      std::chrono::duration<double>(call.deadline.clock().Now() - begin).count();
  return observation;
}

Status CheckWebsocketUrl(const std::string& url) {
  const auto parsed = ParseUrl(url);
  return parsed ? Ok() : Fail(parsed.error());
}

}  // namespace vigia::collectors::probe
