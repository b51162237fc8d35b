#include <civetweb.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "exporter/http/crowd.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/tls.h"
#include "exporter/http/transport.h"

namespace vigia::http {
namespace {

// Whether `end` is where a line ends and the next one begins at `next`: civetweb has replaced
// the two characters of "\r\n" by zeros.
bool LineEnds(const char* end, const char* next) {
  return next == end + 2 && end[0] == '\0' && end[1] == '\0';
}

// civetweb reads heads leniently: it skips blanks in the request line, drops blanks before a
// colon, takes a bare "\n" for the end of a line, and stops in silence at a line that is folded or
// beyond its table. It parses in place, so what it skipped shows in the distances between the
// parts, and its pointers are into one buffer that ends with "\0\0\r\0" (was "\r\n\r\n").
bool IsStrictHead(const mg_request_info& info) {
  const char* const method_end = info.request_method + std::strlen(info.request_method);
  if (info.request_uri != method_end + 1) return false;
  const char* uri_end = info.request_uri + std::strlen(info.request_uri);
  if (info.query_string) {
    if (info.query_string != uri_end + 1) return false;
    uri_end = info.query_string + std::strlen(info.query_string);
  }
  constexpr std::size_t kProtocol = std::string_view("HTTP/").size();
  if (info.http_version != uri_end + 1 + kProtocol) return false;

  const char* end = info.http_version + std::strlen(info.http_version);
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (!LineEnds(end, header.name)) return false;
    const char* const colon = header.name + std::strlen(header.name);
    // A blank before the colon has become a zero, too.
    if (std::find(colon + 1, header.value, '\0') != header.value) return false;
    end = header.value + std::strlen(header.value);
  }
  // The empty line; without headers it is among the blanks that civetweb has skipped. Where the
  // head ended with "\n\n" this looks one byte beyond it: still in the buffer, which malloc
  // rounds up.
  return end[0] == '\0' && end[1] == '\0' && end[2] == (info.num_headers == 0 ? '\0' : '\r') &&
         end[3] == '\0';
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

// Gives back the part of the calling thread's stack that is not in use. A request touches tens of
// kilobytes of it, which hundreds of workers would otherwise keep while they wait for the next
// connection.
void ReleaseStack() {
  thread_local char* const lowest = [] {
    void* address = nullptr;
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0)
      return static_cast<char*>(nullptr);
    std::size_t size = 0;
    ::pthread_attr_getstack(&attributes, &address, &size);
    ::pthread_attr_destroy(&attributes);
    return static_cast<char*>(address);
  }();
  if (!lowest) return;
  // What lies less than this below the frame of this function may be its own.
  constexpr std::size_t kOwn = 1024;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto below =
      static_cast<std::size_t>(static_cast<char*>(__builtin_frame_address(0)) - lowest);
  if (below > kOwn) ::madvise(lowest, (below - kOwn) / page * page, MADV_DONTNEED);
}

class CivetwebExchange final : public Exchange {
 public:
  explicit CivetwebExchange(mg_connection* connection) : connection_(connection) {
    const mg_request_info& info = *mg_get_request_info(connection);
    head_.remote = info.remote_addr;
    head_.remote_port = info.remote_port;
    head_.local_port = info.server_port;
    head_.tls = info.is_ssl != 0;
  }

  // The parts of the head, once there is one.
  void ReadHead() {
    const mg_request_info& info = *mg_get_request_info(connection_);
    head_.method = info.request_method;
    head_.http11 = std::strcmp(info.http_version, "1.1") == 0;
    if (!IsStrictHead(info)) {
      head_.fault = Refusal{400, "malformed request"};
      return;
    }
    head_.path = info.local_uri_raw;
    if (info.query_string) head_.query = info.query_string;
    for (int i = 0; i < info.num_headers; ++i) {
      std::string_view value = info.http_headers[i].value;
      while (value.ends_with(' ')) value.remove_suffix(1);
      head_.headers.emplace_back(Lower(info.http_headers[i].name), value);
    }
    if (head_.tls && info.client_cert && TlsServer::ClientVerified()) {
      const char* const subject = info.client_cert->subject;
      head_.client_subject = subject && *subject ? subject : "client certificate";
    }
  }

  // There is no head: civetweb could not read it.
  void Refuse(int status) {
    head_.fault =
        status == 505
            ? Refusal{505, "the version has to be HTTP/1.0 or HTTP/1.1"}
            : Refusal{400, "malformed request, or its head is too long or came too slowly"};
  }

  const Head& head() const override { return head_; }

  long Read(std::span<char> into) override {
    return mg_read(connection_, into.data(), into.size());
  }

  bool Write(std::string_view bytes) override {
    constexpr std::size_t kMost = 1 << 30;  // mg_write counts in int
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, kMost);
      if (mg_write(connection_, part.data(), part.size()) != static_cast<int>(part.size())) {
        return false;
      }
      bytes.remove_prefix(part.size());
    }
    return true;
  }

  void CloseAfter() override { mg_disable_connection_keep_alive(connection_); }

 private:
  mg_connection* const connection_;
  Head head_;
};

class CivetwebTransport final : public Transport {
 public:
  CivetwebTransport(const TransportOptions& options, Handle handle)
      : options_(options),
        handle_(std::move(handle)),
        crowd_(MostConnections(options.workers), options.tls ? 1000ms : 10ms) {}

  ~CivetwebTransport() override { CivetwebTransport::Stop(); }

  Status Listen();
  const std::vector<int>& ports() const override { return ports_; }
  void Stop() override;

 private:
  static CivetwebTransport& Of(const mg_context* context) {
    return *static_cast<CivetwebTransport*>(mg_get_user_data(context));
  }
  static CivetwebTransport& Of(const mg_connection* connection) {
    return Of(mg_get_context(connection));
  }

  static int OnRequest(mg_connection* connection);
  static int OnError(mg_connection* connection, int status, const char* message);
  static int OnLog(const mg_connection* connection, const char* message);
  static int OnTlsContext(void** context, void* user);

  // Some threads are kept for those who come.
  static std::size_t MostConnections(int workers) {
    return static_cast<std::size_t>(workers - std::max(1, workers / 16));
  }
  static int OnConnection(const mg_connection* connection, void** data);
  static void OnClose(const mg_connection* connection);
  void Answer(mg_connection* connection, int refused_with);

  Error StartError() const;

  // Constant after construction.
  const TransportOptions options_;
  const Handle handle_;

  Crowd crowd_;  // outlives civetweb's threads, which Stop() ends
  mg_context* context_ = nullptr;
  std::vector<int> ports_;
  std::mutex log_mutex_;
  std::string start_log_;  // guarded by log_mutex_; what civetweb said while starting
  bool started_ = false;   // guarded by log_mutex_
};

// `refused_with`: the status that civetweb found for it, 0 if it could read the head.
void CivetwebTransport::Answer(mg_connection* connection, int refused_with) {
  try {
    CivetwebExchange exchange(connection);
    if (refused_with == 0) {
      exchange.ReadHead();
    } else {
      exchange.Refuse(refused_with);
    }
    const Crowd::Request busy(crowd_, exchange.connection());
    handle_(exchange);
  } catch (const std::exception&) {
    mg_disable_connection_keep_alive(connection);  // out of memory: nothing can be said any more
  }
}

int CivetwebTransport::OnRequest(mg_connection* connection) {
  Of(connection).Answer(connection, 0);
  return 1;  // it is answered: civetweb does nothing further
}

int CivetwebTransport::OnError(mg_connection* connection, int status, const char*) {
  Of(connection).Answer(connection, status);
  return 0;  // it is answered
}

int CivetwebTransport::OnConnection(const mg_connection* connection, void** data) {
  auto& crowd = Of(connection).crowd_;
  crowd.Begin();
  *data = &crowd;
  return 0;
}

void CivetwebTransport::OnClose(const mg_connection* connection) {
  // None if its TLS handshake failed.
  if (auto* const crowd = static_cast<Crowd*>(mg_get_user_connection_data(connection)))
    crowd->End();
}

int CivetwebTransport::OnLog(const mg_connection* connection, const char* message) {
  // Once it runs, what it logs is the misbehaviour of clients.
  if (connection == nullptr || mg_get_context(connection) == nullptr) return 1;
  auto& self = Of(connection);
  const std::lock_guard lock(self.log_mutex_);
  if (!self.started_) self.start_log_ += std::string(message) + '\n';
  return 1;
}

int CivetwebTransport::OnTlsContext(void** context, void* user) {
  auto& self = *static_cast<CivetwebTransport*>(user);
  if (*context == nullptr) *context = self.options_.tls->native();
  return 1;  // it is ours, to make and to free
}

Status CivetwebTransport::Listen() {
  const bool tls = options_.tls != nullptr;
  const unsigned wanted = tls ? static_cast<unsigned>(MG_FEATURES_TLS) : 0U;
  // Never undone: other parts of the process use OpenSSL, too.
  if ((mg_init_library(wanted) & wanted) != wanted) {
    return Fail(ErrorCode::kUnavailable,
                "TLS is configured, but civetweb cannot use this system's OpenSSL: the libraries "
                "libssl.so and libcrypto.so that are installed with vigia (lib/vigia) are not "
                "where the program looks for them, or civetweb was built without TLS");
  }

  std::string listening;
  for (const auto& at : options_.listen) {
    if (!listening.empty()) listening += ',';
    listening += at.address + ':' + std::to_string(at.port) + (tls ? "s" : "");
  }
  const auto milliseconds = [](Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
  };
  const std::vector<std::pair<std::string, std::string>> settings{
      {"listening_ports", listening},
      {"num_threads", std::to_string(options_.workers)},
      {"max_request_size", std::to_string(options_.max_head)},
      {"connection_queue", "128"},
      {"listen_backlog", "512"},
      {"tcp_nodelay", "1"},
      {"enable_keep_alive", "yes"},
      {"request_timeout_ms", milliseconds(options_.head_timeout)},
      {"keep_alive_timeout_ms", milliseconds(options_.idle_timeout)},
      {"decode_url", "no"},
      {"enable_auth_domain_check", "no"},
      {"enable_directory_listing", "no"},
  };
  std::vector<const char*> words;
  for (const auto& [name, value] : settings)
    words.insert(words.end(), {name.c_str(), value.c_str()});
  words.push_back(nullptr);

  mg_callbacks callbacks{};
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.log_message = OnLog;
  callbacks.init_connection = OnConnection;
  callbacks.connection_close = OnClose;
  callbacks.connection_closed = [](const mg_connection*) { ReleaseStack(); };
  callbacks.init_thread = [](const mg_context*, int) -> void* {
    ReleaseStack();
    return nullptr;
  };
  if (tls) callbacks.external_ssl_ctx = OnTlsContext;
  context_ = mg_start(&callbacks, this, words.data());
  const std::lock_guard lock(log_mutex_);
  if (!context_) return Fail(StartError());
  started_ = true;

  std::vector<mg_server_port> bound(options_.listen.size());
  mg_get_server_ports(context_, static_cast<int>(bound.size()), bound.data());
  for (const auto& port : bound) ports_.push_back(port.port);
  crowd_.Watch(ports_);
  return Ok();
}

// From civetweb's "cannot bind to 127.0.0.1:80: 13 (Permission denied)".
Error CivetwebTransport::StartError() const {
  constexpr std::string_view kCannotBind = "cannot bind to ";
  const std::size_t at = start_log_.find(kCannotBind);
  if (at == std::string::npos) {
    return Error(ErrorCode::kUnavailable, start_log_.substr(0, start_log_.find('\n')))
        .In("cannot listen");
  }
  std::string_view rest = std::string_view(start_log_).substr(at + kCannotBind.size());
  const std::size_t space = rest.find(": ");
  std::string address(rest.substr(0, space));
  if (address.ends_with('s')) address.pop_back();
  const int number = std::atoi(rest.substr(space + 2).data());
  if (number == EADDRINUSE) {
    return {ErrorCode::kUnavailable,
            "cannot listen on " + address +
                ": another program uses this port; choose another one with --listen ADDRESS:PORT"};
  }
  const Error error = SystemError("cannot listen on " + address, number);
  return {error.code(), error.message() + "; choose another address with --listen ADDRESS:PORT"};
}

void CivetwebTransport::Stop() {
  if (!context_) return;
  // Wakes the threads that wait for connections or requests; civetweb would let them sleep on for
  // up to two seconds.
  ShutDownSockets([&](const SocketName& name) {
    return std::find(ports_.begin(), ports_.end(), name.local_port) != ports_.end();
  });
  mg_stop(std::exchange(context_, nullptr));
}

}  // namespace

SocketName Exchange::connection() const {
  return {ParseIpv4(head().remote), head().remote_port, head().local_port};
}

Result<std::unique_ptr<Transport>> Transport::Start(const TransportOptions& options,
                                                    Handle handle) {
  auto transport = std::make_unique<CivetwebTransport>(options, std::move(handle));
  auto status = transport->Listen();
  if (!status) return Fail(status.error());
  return transport;
}

}  // namespace vigia::http
