#include "exporter/http/head.h"

#include <algorithm>

#include "core/number.h"
#include "core/text/words.h"

namespace vigia::http {
namespace {

// RFC 9110, section 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// Whether one of the comma-separated values of the fields called `name` is `wanted`.
bool ListHas(const Headers& headers, std::string_view name, std::string_view wanted) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) {
    return field.first == name && text::ListHas(field.second, wanted);
  });
}

std::ptrdiff_t Count(const Headers& headers, std::string_view name) {
  return std::count_if(headers.begin(), headers.end(),
                       [&](const auto& field) { return field.first == name; });
}

std::optional<Refusal> CheckHost(const Head& head) {
  const auto hosts = Count(head.headers, "host");
  if (hosts > 1) return Refusal{400, "more than one Host header"};
  if (hosts == 0 && head.http11) return Refusal{400, "no Host header"};
  if (HeaderValue(head.headers, "host").find_first_of(" ,/@") != std::string_view::npos) {
    return Refusal{400, "malformed Host header"};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckLength(const Head& head, Framing& framing) {
  const auto lengths = Count(head.headers, "content-length");
  const auto encodings = Count(head.headers, "transfer-encoding");
  if (encodings > 0) {
    if (lengths > 0) return Refusal{400, "Content-Length together with Transfer-Encoding"};
    if (!head.http11) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (encodings > 1 ||
        !text::EqualsIgnoringCase(HeaderValue(head.headers, "transfer-encoding"), "chunked")) {
      return Refusal{501, "the only Transfer-Encoding understood is chunked"};
    }
    framing.chunked = true;
    return std::nullopt;
  }
  if (lengths == 0) return std::nullopt;
  if (lengths > 1) return Refusal{400, "more than one Content-Length header"};
  const auto length = ParseUint(HeaderValue(head.headers, "content-length"));
  if (!length) return Refusal{400, "malformed Content-Length"};
  framing.length = *length;
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CheckHead(const Head& head, Framing& framing) {
  if (head.fault) return head.fault;
  for (const auto& [name, value] : head.headers) {
    if (!IsToken(name)) return Refusal{400, "malformed header name"};
  }
  if (auto refusal = CheckHost(head)) return refusal;
  if (auto refusal = CheckLength(head, framing)) return refusal;

  const auto expect = HeaderValue(head.headers, "expect");
  if (!expect.empty()) {
    if (!text::EqualsIgnoringCase(expect, "100-continue"))
      return Refusal{417, "unknown expectation"};
    framing.expects_continue = head.http11 && framing.has_body();
  }
  // What civetweb does with Connection; a chunked body ends the connection, because civetweb's
  // reading of chunks is not strict enough to trust what follows them.
  const bool wants = Count(head.headers, "connection") > 0
                         ? ListHas(head.headers, "connection", "keep-alive") &&
                               !ListHas(head.headers, "connection", "close")
                         : head.http11;
  framing.keep_alive = wants && !framing.chunked;
  return std::nullopt;
}

}  // namespace vigia::http
