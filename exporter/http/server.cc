#include "exporter/http/server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <random>

#include "core/number.h"

namespace vigia::http {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// 128 random bits as hexadecimal digits.
std::string NewRequestId() {
  thread_local std::mt19937_64 random(std::random_device{}());
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (int word = 0; word < 2; ++word) {
    std::uint64_t bits = random();
    for (int i = 0; i < 16; ++i, bits >>= 4) id += kHex[bits & 15];
  }
  return id;
}

// An id that a client sends is taken over if it can do no harm in logs and headers.
bool IsGoodRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

struct ListenAddress {
  std::string host;
  int port = 0;
};

Result<ListenAddress> ParseListen(const std::string& text) {
  const auto wrong = [&](const std::string& what) {
    return Fail(ErrorCode::kInvalid, "listen " + text + ": " + what);
  };
  if (text.starts_with('[') || std::count(text.begin(), text.end(), ':') > 1) {
    return wrong("IPv6 is not available; write an IPv4 address, such as 127.0.0.1:9845");
  }
  if (text.starts_with("unix:") || text.starts_with('/')) {
    return wrong("unix sockets are not available; write an IPv4 address, such as 127.0.0.1:9845");
  }
  const std::size_t colon = text.find(':');
  const auto port = ParseInt(std::string_view(text).substr(colon == text.npos ? 0 : colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    return wrong("write ADDRESS:PORT, such as 127.0.0.1:9845");
  }
  std::string host = colon == text.npos ? "" : text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty()) host = "0.0.0.0";
  in_addr ignored{};
  if (::inet_pton(AF_INET, host.c_str(), &ignored) != 1) {
    return wrong("'" + host + "' is not an IPv4 address");
  }
  return ListenAddress{host, static_cast<int>(*port)};
}

// Why `address` cannot be bound, which mg_start() does not tell.
Status TryBind(const ListenAddress& address) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Fail(SystemError("socket", errno));
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(address.port));
  ::inet_pton(AF_INET, address.host.c_str(), &name.sin_addr);
  int error = 0;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(socket, 1) != 0) {
    error = errno;
  }
  ::close(socket);
  if (error == 0) return Ok();
  const std::string where = address.host + ":" + std::to_string(address.port);
  if (error == EADDRINUSE) {
    return Fail(ErrorCode::kUnavailable,
                "cannot listen on " + where +
                    ": another program uses this port; choose another "
                    "with --listen ADDRESS:PORT or 'listen:' in vigia.yml");
  }
  return Fail(SystemError("cannot listen on " + where, error));
}

// What is wrong with a request that no proxy and server could agree upon; empty if nothing is.
std::string Ambiguity(const mg_request_info& info) {
  int hosts = 0;
  int lengths = 0;
  bool chunked = false;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    const std::string name = Lower(header.name);
    // civetweb ends the name at the blank before a colon; the colon, or the NUL in its place, then
    // stands between name and value.
    const std::string_view between(header.name + name.size() + 1, header.value);
    if (between.find_first_not_of(" \t") != between.npos) {
      return "a header name is followed by a blank";
    }
    hosts += name == "host";
    lengths += name == "content-length";
    chunked |= name == "transfer-encoding";
  }
  if (hosts > 1) return "two Host headers";
  if (lengths > 1) return "two Content-Length headers";
  if (lengths > 0 && chunked) return "Content-Length together with Transfer-Encoding";
  if (hosts == 0 && std::string_view(info.http_version) == "1.1") return "no Host header";
  return {};
}

}  // namespace

Status CheckAddress(const std::string& text) {
  auto address = ParseListen(text);
  if (!address) return Fail(address.error());
  return Ok();
}

class Server::Impl {
 public:
  Impl(Router router, Options options) : router_(std::move(router)), options_(std::move(options)) {}
  ~Impl() { Close(); }

  Status Start() {
    // The bits that come back are the features that work; TLS is missing where civetweb cannot
    // load OpenSSL, and the first connection would then end the process.
    const unsigned wanted = options_.tls ? unsigned{MG_FEATURES_TLS} : 0U;
    const unsigned got = ::mg_init_library(wanted);
    library_ = true;
    if (options_.tls && (got & MG_FEATURES_TLS) == 0) {
      return Fail(
          ErrorCode::kUnavailable,
          "TLS is configured, but civetweb cannot load OpenSSL; are the files libssl.so and "
          "libcrypto.so that are installed with vigia in their place?");
    }
    std::string ports;
    for (const auto& text : options_.listen) {
      const auto address = ParseListen(text);
      if (!address) return Fail(address.error());
      if (auto status = TryBind(*address); !status) return status;
      if (!ports.empty()) ports += ',';
      ports += address->host + ":" + std::to_string(address->port) + (options_.tls ? "s" : "");
    }
    return Listen(ports);
  }

  const std::vector<std::string>& addresses() const { return addresses_; }

  void Stop(std::chrono::milliseconds grace) {
    {
      std::unique_lock lock(mutex_);
      draining_ = true;
      idle_.wait_for(lock, grace, [&] { return in_flight_ == 0; });
    }
    Close();
  }

 private:
  Status Listen(const std::string& ports) {
    std::vector<std::pair<std::string, std::string>> settings{
        {"listening_ports", ports},
        {"num_threads", std::to_string(options_.workers)},
        {"request_timeout_ms", std::to_string(options_.request_timeout.count())},
        {"enable_keep_alive", "yes"},
        {"keep_alive_timeout_ms", std::to_string(options_.keep_alive_timeout.count())},
        {"tcp_nodelay", "1"},
        {"max_request_size", "16384"},
        {"listen_backlog", "512"},
        {"decode_url", "yes"},
    };
    if (options_.tls) AddTls(settings);
    std::vector<const char*> pointers;
    for (const auto& [name, value] : settings) {
      pointers.push_back(name.c_str());
      pointers.push_back(value.c_str());
    }
    pointers.push_back(nullptr);

    mg_callbacks callbacks{};
    callbacks.begin_request = [](mg_connection* connection) {
      return static_cast<Impl*>(::mg_get_user_data(::mg_get_context(connection)))
          ->Serve(connection);
    };
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
    context_ = ::mg_start(&callbacks, this, pointers.data());
    if (!context_) {
      return Fail(ErrorCode::kUnavailable, "cannot start the HTTP server on " + ports +
                                               (options_.tls ? "; is the certificate right?" : ""));
    }
    std::array<mg_server_port, 64> bound{};
    const int count = ::mg_get_server_ports(context_, static_cast<int>(bound.size()), bound.data());
    for (int i = 0; i < count; ++i) {
      const auto& text =
          options_.listen[std::min(static_cast<std::size_t>(i), options_.listen.size() - 1)];
      addresses_.push_back(ParseListen(text)->host + ":" +
                           std::to_string(bound[static_cast<std::size_t>(i)].port));
    }
    return Ok();
  }

  void AddTls(std::vector<std::pair<std::string, std::string>>& settings) const {
    const auto& tls = *options_.tls;
    settings.emplace_back("ssl_certificate", tls.certificate_file);
    settings.emplace_back("ssl_short_trust", "yes");  // a replaced file serves the next connection
    settings.emplace_back("ssl_protocol_version", tls.min_version >= 13 ? "5" : "4");
    if (!tls.ciphers.empty()) settings.emplace_back("ssl_cipher_list", tls.ciphers);
    if (!tls.client_ca_file.empty()) settings.emplace_back("ssl_ca_file", tls.client_ca_file);
    settings.emplace_back("ssl_verify_peer", tls.require_client_certificate ? "yes"
                                             : tls.client_ca_file.empty()   ? "no"
                                                                            : "optional");
  }

  void Close() {
    if (context_) {
      ::mg_stop(context_);
      context_ = nullptr;
    }
    if (library_) ::mg_exit_library();
    library_ = false;
  }

  // civetweb's callback: answers everything itself.
  int Serve(mg_connection* connection) {
    bool turned_away = false;
    {
      const std::lock_guard lock(mutex_);
      ++in_flight_;
      turned_away = draining_;
    }
    const auto begin = std::chrono::steady_clock::now();
    const mg_request_info& info = *::mg_get_request_info(connection);
    Request request = ReadHead(info);
    const bool head_only = request.method == "HEAD";
    if (head_only) request.method = "GET";

    std::string_view handler;
    Response response = turned_away ? Response::Text(503, "vigia is stopping\n")
                                    : Answer(connection, info, request, handler);
    const std::size_t bytes = Send(connection, request, response, head_only, turned_away);
    if (options_.on_access) {
      options_.on_access(
          {request, handler, response.status, bytes, std::chrono::steady_clock::now() - begin});
    }
    {
      const std::lock_guard lock(mutex_);
      if (--in_flight_ == 0) idle_.notify_all();
    }
    return response.status;
  }

  static Request ReadHead(const mg_request_info& info) {
    Request request;
    request.method = info.request_method;
    request.path = info.local_uri ? info.local_uri : "";
    if (info.query_string) request.query = ParseUrlEncoded(info.query_string);
    request.remote_address = info.remote_addr;
    request.tls = info.is_ssl != 0;
    for (int i = 0; i < info.num_headers; ++i) {
      request.headers.emplace_back(Lower(info.http_headers[i].name), info.http_headers[i].value);
    }
    const auto id = request.Header("x-request-id");
    request.id = IsGoodRequestId(id) ? std::string(id) : NewRequestId();
    return request;
  }

  // `handler` becomes the route's pattern.
  Response Answer(mg_connection* connection, const mg_request_info& info, Request& request,
                  std::string_view& handler) {
    if (const auto fault = Ambiguity(info); !fault.empty()) {
      return Response::Text(400, "bad request: " + fault + "\n");
    }
    try {
      if (options_.admit) {
        if (auto refusal = options_.admit(request)) return *std::move(refusal);
      }
      std::string allowed;
      const Route* const route = router_.Find(request, allowed);
      if (!route) {
        if (allowed.empty()) return Response::Text(404, "no such page: " + request.path + "\n");
        auto response = Response::Text(405, "allowed here: " + allowed + "\n");
        response.headers.emplace_back("allow", allowed);
        return response;
      }
      handler = route->pattern;
      if (route->changes_state) {
        if (auto refusal = RefuseChange(request)) return *std::move(refusal);
      }
      if (auto refusal = ReadBody(connection, info, *route, request)) return *std::move(refusal);
      return route->handler(request);
    } catch (const std::exception& error) {
      return Response::Text(500, std::string("internal error: ") + error.what() + "\n");
    }
  }

  static std::optional<Response> RefuseChange(const Request& request) {
    if (request.user.empty() && !request.FromLoopback()) {
      return Response::Text(
          403, "this changes something: it needs a user (basic_auth_users in web.yml)\n");
    }
    // Browsers say where a request comes from; a page of another site may not speak for the user.
    const auto site = request.Header("sec-fetch-site");
    if (!site.empty() && site != "same-origin" && site != "none") {
      return Response::Text(403, "refused: the request comes from another site's page\n");
    }
    return std::nullopt;
  }

  // Returns an answer if the body cannot be had.
  static std::optional<Response> ReadBody(mg_connection* connection, const mg_request_info& info,
                                          const Route& route, Request& request) {
    const bool chunked = !request.Header("transfer-encoding").empty();
    if (info.content_length <= 0 && !chunked) return std::nullopt;
    const auto too_large = [&] {
      return Response::Text(
          413, "the body is larger than " + std::to_string(route.max_body) + " bytes\n");
    };
    const bool sized = info.content_length >= 0 && !chunked;
    if (sized && static_cast<std::size_t>(info.content_length) > route.max_body) return too_large();
    if (Lower(request.Header("expect")) == "100-continue") {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      ::mg_write(connection, kContinue.data(), kContinue.size());
    }
    std::array<char, 16384> buffer;
    while (true) {
      const int n = ::mg_read(connection, buffer.data(), buffer.size());
      if (n <= 0) break;
      request.body.append(buffer.data(), static_cast<std::size_t>(n));
      if (request.body.size() > route.max_body) return too_large();
    }
    if (sized && request.body.size() != static_cast<std::size_t>(info.content_length)) {
      return Response::Text(400, "bad request: the body is shorter than its Content-Length\n");
    }
    if (request.Header("content-type").starts_with("application/x-www-form-urlencoded")) {
      request.form = ParseUrlEncoded(request.body);
    }
    return std::nullopt;
  }

  std::size_t Send(mg_connection* connection, const Request& request, const Response& response,
                   bool head_only, bool close) const {
    const std::string& body = response.shared_body ? *response.shared_body : response.body;
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head += ReasonPhrase(response.status);
    head += "\r\n";
    const auto add = [&](std::string_view name, std::string_view value) {
      head += name;
      head += ": ";
      // A line end in a value would begin another header.
      for (const char c : value) head += c == '\r' || c == '\n' ? ' ' : c;
      head += "\r\n";
    };
    for (const auto& [name, value] : response.headers) add(name, value);
    if (options_.headers) {
      for (const auto& [name, value] : options_.headers()) {
        const auto same = [&, &wanted = name](const auto& header) {
          return header.first == wanted;
        };
        if (std::none_of(response.headers.begin(), response.headers.end(), same)) add(name, value);
      }
    }
    add("x-request-id", request.id);
    if (response.stream) {
      add("transfer-encoding", "chunked");
    } else if (response.status != 204 && response.status != 304) {
      add("content-length", std::to_string(body.size()));
    }
    // After a refused body what follows on the connection is unknown.
    if (close || response.status == 400 || response.status == 413) add("connection", "close");
    head += "\r\n";

    if (response.stream && !head_only) {
      ::mg_write(connection, head.data(), head.size());
      return SendChunks(connection, response);
    }
    const bool has_body = !head_only && response.status != 204 && response.status != 304;
    constexpr std::size_t kOneWrite = 16 * 1024;
    if (has_body && body.size() <= kOneWrite) {
      head += body;
      ::mg_write(connection, head.data(), head.size());
    } else {
      ::mg_write(connection, head.data(), head.size());
      if (has_body) ::mg_write(connection, body.data(), body.size());
    }
    return has_body ? body.size() : 0;
  }

  static std::size_t SendChunks(mg_connection* connection, const Response& response) {
    std::size_t bytes = 0;
    bool alive = true;
    response.stream([&](std::string_view piece) {
      if (piece.empty() || !alive) return alive;
      alive = ::mg_send_chunk(connection, piece.data(), static_cast<unsigned>(piece.size())) > 0;
      bytes += piece.size();
      return alive;
    });
    if (alive) ::mg_send_chunk(connection, "", 0);
    return bytes;
  }

  const Router router_;
  const Options options_;
  std::vector<std::string> addresses_;
  mg_context* context_ = nullptr;
  bool library_ = false;

  std::mutex mutex_;
  std::condition_variable idle_;
  // Guarded by mutex_.
  int in_flight_ = 0;
  bool draining_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(Router router, Options options) {
  auto impl = std::make_unique<Impl>(std::move(router), std::move(options));
  if (auto status = impl->Start(); !status) return Fail(status.error());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::vector<std::string>& Server::addresses() const { return impl_->addresses(); }

void Server::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace vigia::http
